"""What is probably meant by a text that is not read as a formula: proposals, which nothing uses unless the user does.

A text is repaired step by step, each step for the reason for which it was refused, until it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from core.chemistry import ambiguity, elements, nicknames
from core.chemistry.ambiguity import Doubt
from core.chemistry.composition_series import is_series, read_series
from core.chemistry.exact_formula import (
    compensated,
    exact_reading,
    formula_with_values,
    undetermined_variables,
    vanishing,
)
from core.chemistry.formula_grammar import PLACEHOLDER, GrammarError, Group, parse, total
from core.chemistry.letter_case import with_capitals
from core.chemistry.spelling import plain
from core.chemistry.tolerances import WHOLE_ATOM
from core.errors import InputError

MOST_PROPOSALS = 3
_DEPTH = 8  # repairs of one text
_LAYERS = ("n", "m", "p")  # numbers of layers: Bi2Sr2Can-1CunO2n+4
_DOPING = 0.3  # upper end of a proposed range
_OXYGEN_TOLERANCE = 0.35  # atoms per formula unit by which a doped cuprate differs from its parent

_WORDS = re.compile(
    r"(?:^|\s)(?:thin|films?|bulk|wires?|tapes?|type|pure|phase|single|doped|[a-z]{5,})(?=\s|$)"  # around a formula
)
_POLYTYPE = re.compile(r"^\s*(?:\d[HRTCM]'?\s*-|[αβγδεκτ]\s*-)\s*(?:type\b)?\s*(?=[A-Z(])")
_HYPHEN_AFTER_PLACEHOLDER = re.compile(r"(?<=RE)-(?=[A-Z])")
_PLANE = re.compile(r"\s*(?:\(\d{3}\)|\{\d{3}\})\s*$|^\s*\(\d\s+\d\s+\d+\)\s*(?=[A-Z])")
_QUOTES = re.compile(r"^[\s'\"“”‘`,;:.]+|[\s'\"“”‘`,;:]+$")
_COLON = re.compile(r"(?<=\d):(?=\d)")
_BRACKETED_END = re.compile(r"\s*\(([A-Za-z0-9-]+)\)\s*$")
_DOPANT_AFTER_COLON = re.compile(r"\s*:\s*[A-Z][a-z]?$")
_WHOLE_BRACKET = re.compile(r"^\(([^()]*)\)(?=$|,)|\(([A-Z][a-z]?)\)(?=[A-Z(]|$)")
_DETACHED = re.compile(r"^\s*((?:[A-Z(][A-Za-z]*\s+){2,})((?:(?:[\d.]+|[xyz])\s+)+(?:[\d.]+|[xyz]))\s*$")
_SITE_LIST = re.compile(r"\(\s*([A-Z][a-z]?)\s*[,/]\s*([A-Z][a-z]?)\s*\)")
_DOPANT = re.compile(r"^\s*(?:\d*\.?\d*)?([xyz])")
_RARE_EARTHS, _WITH_BARIUM = ("La", "Nd", "Sm"), ("Y", "Gd", "Sm")
_EXAMPLES = {
    **dict.fromkeys(("Ln", "RE", "REE", "R", "LRE", "HRE"), _RARE_EARTHS),
    **dict.fromkeys(("AE", "Ae"), ("Ba", "Sr", "Ca")),
    "A": ("K", "Ba", "Sr"),
}


def with_suggestions(error: InputError) -> InputError:
    """The same error with what is probably meant, if anything is."""
    found = proposals(str(error.value))
    if not found:
        return error
    remedy = f"Enter {' or '.join(found)}, if this is meant" if len(found) < 3 else (
        f"Enter {', '.join(found[:-1])} or {found[-1]}, if one of these is meant"
    )  # fmt: skip
    return InputError(error.field, error.value, error.rule, remedy, error.position, found)


def proposals(text: str) -> tuple[str, ...]:
    """Formulas or series (see `core.chemistry.composition_series`) that are probably meant; all of them can be read."""
    found = _of_list(text) or _proposed(_clean(text), _DEPTH)
    found = [_WHOLE_BRACKET.sub(r"\1\2", formula) for formula in found]
    return tuple(dict.fromkeys(found))[:MOST_PROPOSALS]


def _of_list(text: str) -> list[str]:
    """The formulas of a list, if the text is one and all of them can be read."""
    if not re.search(r"[,;\n]\s|\sand\s", text) or "=" in text:
        return []
    parts = [part for part in re.split(r"[,;\n]\s+|\s+and\s+", text) if part.strip(" ,;")]
    try:
        readings = [exact_reading(part.strip(" ,;")) for part in parts]
    except InputError:
        return []
    compounds = any(len(found.amounts) > 1 for found in readings)  # B2, B3 are names of samples
    return [found.read_as for found in readings] if len(parts) > 1 and compounds else []


def _clean(text: str) -> str:
    """The text without what stands around a formula in prose, and with the usual errors of extracted text mended."""
    text = plain(text).text.replace("\u0351", "(").replace("\u0352", ")")
    for pattern in (_QUOTES, _WORDS, _POLYTYPE, _PLANE, _HYPHEN_AFTER_PLACEHOLDER, _QUOTES):
        text = pattern.sub(" ", text) if pattern.sub("", text).strip() else text
    name = _BRACKETED_END.search(text)
    if name and nicknames.formula_of_nickname(name.group(1)):  # La2/3Ca1/3MnO3 (LCMO)
        text = text[: name.start()]
    return _DOPANT_AFTER_COLON.sub("", _COLON.sub(".", text)).strip()


def _proposed(text: str, depth: int) -> list[str]:
    """Formulas that can be read, from repairs of a text in plain spelling."""
    if not text or depth == 0:
        return []
    nickname = nicknames.formula_of_nickname(text)
    if nickname:
        return [nickname, *(_from_letter_case(text) if text.islower() and text.isalpha() else [])]
    try:
        groups = parse(plain(text))
    except GrammarError as error:
        repair = _REPAIRS.get(error.kind)
        return _all(repair(text, error.position), depth) if repair else []
    return _of_groups(text, groups, depth) if groups else []


def _all(texts: Iterable[str], depth: int) -> list[str]:
    return [found for text in texts for found in _proposed(text, depth - 1)]


def _of_groups(text: str, groups: tuple[Group, ...], depth: int) -> list[str]:
    """Proposals for a text that fits the grammar."""
    variables = undetermined_variables(groups)
    tritium = [g.start for group in groups for g in group.walk() if g.isotope == "T"]
    if variables and tritium:  # (Mo1-xTx)3Sb7: T stands for a dopant
        return _all(_example(text, tritium[0]), depth)
    if variables:
        return _of_undetermined(groups, variables)
    doubt = ambiguity.doubt(text, groups)
    if doubt is not None:
        return _all(_RESOLUTIONS[doubt.kind](text, groups, doubt), depth)
    try:
        return [exact_reading(text).read_as]
    except InputError:
        return []


# ---- undetermined amounts ----------------------------------------------------------------------------------------


def _of_undetermined(groups: tuple[Group, ...], variables: tuple[str, ...]) -> list[str]:
    """The formula with the variables at 0 if they are small deviations, otherwise a series over a substitution."""
    values: dict[str, str] = {}
    for variable in variables:
        lost = vanishing(groups, variable)
        if variable in _LAYERS:
            values[variable] = "1..3 in 3 steps"
        elif not lost:
            values[variable] = "0"
        elif compensated(groups, variable):
            values[variable] = _range(groups, variable)
        elif "O" in lost and (oxygen := _oxygen_of_parent(groups)):
            values[variable] = oxygen
        elif len(total(groups, {})) == 2 or "O" not in lost:
            values[variable] = "0.2..1 in 5 steps"
        else:
            return []
    formula = "".join(group.text() for group in groups)
    if any(".." in value for value in values.values()):
        return _checked([f"{formula}, " + ", ".join(f"{name} = {value}" for name, value in values.items())])
    numbers = {name: float(value) for name, value in values.items()}
    return _checked([formula_with_values(groups, numbers)])


def _checked(texts: list[str]) -> list[str]:
    """The texts that can be read."""
    kept = []
    for text in texts:
        try:
            read_series(text) if is_series(text) else exact_reading(text)
        except InputError:
            continue
        kept.append(text)
    return kept


def _range(groups: tuple[Group, ...], variable: str) -> str:
    """A range of doping: from 0 to 0.3, or to the value at which an amount would become negative."""
    limits = [_DOPING]
    for group in groups:
        for g in group.walk():
            slope = 0.0 if g.amount is None else g.amount.terms.get(variable, 0.0)
            if g.amount is not None and slope < 0 and g.amount.constant > 0:
                limits.append(g.amount.constant / -slope)
    return f"0..{min(limits):g} in 7 steps"


def _oxygen_of_parent(groups: tuple[Group, ...]) -> str:
    """The oxygen of the known parent with about the same metals; "" without one."""
    given = _by_site(total(groups, {}))
    best, least = "", 2 * _OXYGEN_TOLERANCE + 1e-9
    for formula in dict.fromkeys(nicknames.NICKNAMES.values()):
        amounts = exact_reading(formula).amounts
        parent = _by_site(amounts)
        differences = [abs(given.get(site, 0) - parent.get(site, 0)) for site in {*given, *parent}]
        if "O" in amounts and max(differences) <= _OXYGEN_TOLERANCE and sum(differences) < least:
            best, least = f"{amounts['O']:g}", sum(differences)
    return best


def _by_site(amounts: dict[str, float]) -> dict[str, float]:
    """Amounts without oxygen; all rare earths count as one element."""
    found: dict[str, float] = {}
    for symbol, amount in amounts.items():
        site = "rare earth" if elements.element(symbol).rare_earth else symbol
        if symbol != "O":
            found[site] = found.get(site, 0.0) + amount
    return found


# ---- repairs of texts that do not fit the grammar ----------------------------------------------------------------


def _from_letter_case(text: str) -> list[str]:
    """Readings of a text in lower case, in capitals, or with digits and wrong capitals."""
    letters = [c for c in text if c.isalpha()]
    uniform = all(c.islower() for c in letters) or all(c.isupper() for c in letters)
    if not uniform and (" " in text or not any(c.isdigit() for c in text)):
        return []
    return _checked(with_capitals(text))


def _wrong_symbol(text: str, position: int) -> list[str]:
    return _from_letter_case(text)


def _close(text: str, position: int) -> list[str]:
    """A bracket that is not closed, if it holds more than a symbol; text after it is usually cut off."""
    opened = text[position]
    inside = text[position + 1 :]
    symbols = [set(re.findall(r"[A-Z][a-z]?", part)) for part in (text[:position], inside)]
    if text[:position].endswith(" ") and len(symbols[0] & symbols[1]) > 1:  # a second formula that is cut off
        return [text[:position].rstrip()]
    if len(re.findall(r"[A-Z][a-z]?", inside)) < 2 or not re.search(r"[\dxyz]", inside):
        return [text[:position]] if re.search(r"\s$", text[:position]) and "," not in inside else []
    return [text + {"(": ")", "[": "]", "{": "}"}[opened]]


def _without_closing(text: str, position: int) -> list[str]:
    """A bracket that was never opened: at the start if the elements before it share one site, else without effect.

    Fe 0.96 Co 0.04 ) 2 As 2 is left alone, because its cation is usually cut off with the opening bracket.
    """
    if not text.startswith("Fe") and _fills_one_site(text[:position]) and re.search(r"[A-Z]", text[position:]):
        return [f"({text}"]
    if re.match(r"\s*[\d.xyz]", text[position + 1 :]) or not re.search(r"[A-Z].*[A-Z]", text[:position]):
        return []
    return [text[:position] + text[position + 1 :]]


def _fills_one_site(text: str) -> bool:
    """Whether the amounts of two or more elements sum to 1, whatever the values of variables: Mo 1-x Ru x."""
    try:
        groups = parse(plain(text))
    except GrammarError:
        return False
    variables = undetermined_variables(groups)
    sums = [sum(total(groups, dict.fromkeys(variables, value)).values()) for value in (0.0, 0.1)]
    return len(groups) > 1 and all(abs(each - 1) < WHOLE_ATOM for each in sums)


def _loose_numbers(text: str, position: int) -> list[str]:
    """Amounts after the elements (YBa Cu O 2 3 7), or numbers after a complete formula (Nb 3 Sn 53)."""
    water = ambiguity.water_of_hydrate(text)
    if water is not None:
        return _hydrate(text, water)
    match = _DETACHED.match(text)
    if match:
        symbols, numbers = match.group(1).split(), match.group(2).split()
        if len(symbols) == len(numbers):
            return ["".join(s + n for s, n in zip(symbols, numbers, strict=True))]
        return []
    rest = text[position:]
    sample = re.search(r"[A-Za-z]0\s*$", text[:position])  # a series of samples: FeSeAg0 2
    if sample or len(re.findall(r"[A-Z]", text[:position])) < 2:
        return []
    return [text[:position].rstrip()] if re.fullmatch(r"[-+]?[\d.]+(?:\s+[-+]?[\d.]+)*\s*", rest) else []


def _site_list(text: str, position: int) -> list[str]:
    """Elements that share a site, Ba(Fe,Co)2As2: a series; a formula before a separator at the end is kept."""
    match = _SITE_LIST.search(text)
    if match and _SITE_LIST.search(text, match.end()) is None:
        variable = "x" if not re.search(r"x(?![a-z])", text) else "y"
        return [_SITE_LIST.sub(rf"(\g<1>1-{variable}\g<2>{variable})", text)]
    return []


def _example(text: str, position: int) -> list[str]:
    """Members of the family that a placeholder stands for; the parent if the placeholder is a dopant."""
    match = PLACEHOLDER.match(text, position)
    if match is None:
        return []
    name, after = match.group(), text[match.end() :]
    if re.match(r"\d{3}", after):  # the name of a sample: B1HA750
        return []
    dopant = _DOPANT.match(after)
    if dopant and re.search(rf"-\s*\d*\.?\d*{dopant.group(1)}|{dopant.group(1)}\s+1\s*-", text):
        return [text[:position] + after[dopant.end() :]]
    capitals = with_capitals(text) if not any(c.islower() for c in text) else []  # MGB2
    examples = _EXAMPLES.get(name, ())
    if examples is _RARE_EARTHS and "Ba" in text:
        examples = _WITH_BARIUM
    if name == "A" and dopant:
        examples = ("K", "Rb", "Cs")
    members = [text[:position] + symbol + after for symbol in examples]
    return [*members, *capitals] if len(name) > 1 else capitals or members


_REPAIRS: dict[str, Callable[[str, int], list[str]]] = {
    "symbol": _wrong_symbol,
    "never closed": _close,
    "never opened": _without_closing,
    "amount first": _loose_numbers,
    "list": _site_list,
    "placeholder": _example,
}


# ---- other spellings of texts that are rarely meant to the letter ------------------------------------------------


def _to_the_letter(text: str, groups: tuple[Group, ...], doubt: Doubt) -> list[str]:
    return ["".join(group.text() for group in groups)]


def _hydrate(text: str, point: int) -> list[str]:
    return [f"{text[:point]}(H2O){text[point + 1 :].strip().removesuffix('H2O').strip()}"]


def _before_blank(text: str, groups: tuple[Group, ...], doubt: Doubt) -> list[str]:
    """Without the number if it is the last and only one after a blank; otherwise to the letter."""
    literal = _to_the_letter(text, groups, doubt)
    spaced = [g for group in groups for g in group.walk() if g.amount is not None and g.amount.spaced]
    at_end = re.fullmatch(r"\d+(?:\.\d+)?\s*", text[doubt.position :])
    if len(spaced) == 1 and at_end and not text[: doubt.position].rstrip().endswith(")"):
        return [text[: doubt.position].rstrip(), *literal]
    return literal


def _first_formula(text: str, groups: tuple[Group, ...], doubt: Doubt) -> list[str]:
    return [text[: doubt.position].rstrip()]


def _shared_site(text: str, groups: tuple[Group, ...], doubt: Doubt) -> list[str]:
    """A series if two elements share the site, equal parts if more do."""
    close = text.index(")", doubt.position) if ")" in text[doubt.position :] else len(text)
    symbols = re.findall(r"[A-Z][a-z]?", text[doubt.position : close])
    if len(symbols) == 2:
        inside = f"({symbols[0]}1-x{symbols[1]}x)"
    else:
        share = f"{1 / len(symbols):.6f}".rstrip("0")
        inside = "(" + "".join(symbol + share for symbol in symbols) + ")"
    return [text[: doubt.position] + inside + text[close + 1 :]]


def _element_alone(text: str, groups: tuple[Group, ...], doubt: Doubt) -> list[str]:
    return [groups[0].symbol]


def _letter_by_letter(text: str, groups: tuple[Group, ...], doubt: Doubt) -> list[str]:
    return with_capitals(text)


_RESOLUTIONS: dict[str, Callable[[str, tuple[Group, ...], Doubt], list[str]]] = {
    "hydrate": lambda text, groups, doubt: _hydrate(text, doubt.position),
    "amount after a blank": _before_blank,
    "second formula": _first_formula,
    "shared site": _shared_site,
    "one element": _element_alone,
    "tritium": _to_the_letter,
    "capitals": _letter_by_letter,
    "dimension": _first_formula,
}
