"""Bounds, groups and ratios as rows of a small table: what is typed, and what it asks of a problem. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.chemistry.composition import format_amount
from core.errors import InputError
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem


@dataclass(frozen=True)
class Rule:
    """One row, perhaps unfinished.

    elements : "O", "O, F, S"; least, most : fractions of all atoms, None for no limit; ratio : "2:1" or nothing
    """

    elements: str = ""
    least: float | None = None
    most: float | None = None
    ratio: str = ""


@dataclass(frozen=True)
class Asked:
    """What rows ask for, as the fields of a problem, and what is wrong with rows that ask for nothing readable."""

    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    ratios: tuple[Mapping[str, float], ...] = ()
    wrong: tuple[InputError, ...] = ()


def read(rules: Sequence[Rule]) -> Asked:
    """The rows as bounds (one element), groups (several) and ratios; empty rows ask for nothing."""
    bounds, groups, ratios, wrong = {}, [], [], []
    for rule in rules:
        if rule == Rule():
            continue
        try:
            names = _names(rule)
            limits = (rule.least if rule.least is not None else 0.0, rule.most if rule.most is not None else 1.0)
            limited = rule.least is not None or rule.most is not None
            if rule.ratio.strip():
                ratios.append(dict(zip(names, _parts(rule.ratio, names), strict=True)))
            elif not limited:
                raise InputError(
                    "bounds", ", ".join(names), "nothing is asked of it", "Give a least, a most or a ratio"
                )
            if limited and len(names) > 1:
                groups.append(Group(names, *limits))
            elif limited:
                if names[0] in bounds:
                    raise InputError("bounds", names[0], "it has bounds already", "Write both into one row")
                bounds[names[0]] = limits
        except InputError as error:
            wrong.append(error)
    return Asked(bounds, tuple(groups), tuple(ratios), tuple(wrong))


def _names(rule: Rule) -> tuple[str, ...]:
    names = tuple(name for name in re.split(r"[\s,;:+]+", rule.elements) if name)
    if not names:
        raise InputError("bounds", "", "a row names no element", "Name one or several, or delete the row")
    return names


def _parts(ratio: str, names: Sequence[str]) -> list[float]:
    try:
        parts = [float(part) for part in ratio.split(":")]
    except ValueError:
        raise InputError("ratios", ratio, "a ratio is numbers with colons", "Write 2:1") from None
    if len(parts) != len(names) or len(set(names)) < len(names):
        raise InputError("ratios", f"{', '.join(names)} = {ratio}", "a ratio has a number for each of its elements",
                         "Write Ba, Y and 2:1")  # fmt: skip
    return parts


def rules_of(problem: DesignProblem) -> tuple[Rule, ...]:
    """The rows that ask for what this problem asks for."""
    rows = [Rule(symbol, *_limits(low, high)) for symbol, (low, high) in problem.bounds.items()]
    rows += [Rule(", ".join(group.elements), *_limits(group.low, group.high)) for group in problem.groups]
    rows += [Rule(", ".join(ratio), ratio=":".join(f"{x:g}" for x in ratio.values())) for ratio in problem.ratios]
    return tuple(rows)


def _limits(low: float, high: float) -> tuple[float | None, float | None]:
    if (low, high) == (0, 1):
        return 0.0, None
    return low or None, (None if high == 1 else high)


def edited(rules: Sequence[Rule], edits: Mapping) -> tuple[Rule, ...]:
    """The rows after what somebody did to the table: `edits` as `st.data_editor` reports them."""
    rows = list(rules)
    for place, cells in edits["edited_rows"].items():
        rows[int(place)] = _filled(rows[int(place)], cells)
    rows += [_filled(Rule(), cells) for cells in edits["added_rows"]]
    gone = set(edits["deleted_rows"])
    return tuple(row for place, row in enumerate(rows) if place not in gone)


def _filled(rule: Rule, cells: Mapping) -> Rule:
    texts = {name: cells[name] or "" for name in ("elements", "ratio") if name in cells}
    return replace(rule, **texts, **{name: cells[name] for name in ("least", "most") if name in cells})


def on_tiles(floors: Mapping[str, float], bounds: Mapping[str, tuple[float, float]]) -> dict[str, tuple[str, str]]:
    """Symbol -> what floors and bounds (fractions of all atoms) ask of it: for its tile, "≥40%", and in words."""
    asked = dict(bounds)
    for symbol, floor in floors.items():
        low, high = asked.get(symbol, (0.0, 1.0))
        asked[symbol] = (max(low, floor), high)
    limits = {symbol: limit for symbol, limit in asked.items() if limit != (0, 1)}
    return {symbol: (_short(*limit), f"{_range(*limit)} of all atoms") for symbol, limit in limits.items()}


def _short(low: float, high: float) -> str:
    least, most = (f"{100 * x:.3g}" for x in (low, high))
    if high >= 1:
        return f"≥{least}%"
    return f"{least}–{most}%" if low > 0 else f"≤{most}%"


def in_words(problem: DesignProblem) -> str:
    """All of them in a line: "O 0.3 to 0.5; O + F at least 0.4; Ba:Y = 2:1"."""
    limits = [((symbol,), low, high) for symbol, (low, high) in problem.bounds.items()]
    limits += [(group.elements, group.low, group.high) for group in problem.groups]
    said = [f"{' + '.join(names)} {_range(low, high)}" for names, low, high in limits]
    said += [f"{':'.join(ratio)} = {':'.join(f'{x:g}' for x in ratio.values())}" for ratio in problem.ratios]
    return "; ".join(said)


def _range(low: float, high: float) -> str:
    least, most = (format_amount(x, 3) or "1" for x in (low, high))
    if high >= 1:
        return f"at least {least}"
    return f"{least} to {most}" if low > 0 else f"at most {most}"
