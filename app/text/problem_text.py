"""A description of a design problem, for the summary on the design page. Pure functions; HTML because of formulas."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping

from app.forms.constraint_rows import constraints_text
from app.text.formatting import charge_text, counted_elements, group_text, rough_duration
from app.text.html import formula_html
from app.text.problem_title import effective_settings, family_text, has_target, replaced_atoms
from core.chemistry import elements
from core.chemistry.composition import format_amount
from core.chemistry.tolerances import ROUNDING_ERROR
from core.generation.initialization import BINARY_ATOMS, count_enumerated
from core.generation.registry import expected_s, generator_of, registration
from core.problem.problem import DesignProblem
from core.problem.settings import (
    BASE,
    ENUMERATED,
    EVERY_ATOM,
    INTERPOLATED,
    KNOWN,
    NEUTRAL,
    RAISE_TC,
    RANDOM,
)
from core.problem.substitution_sites import ANY_ELEMENT, EMPTY


def problem_rows(problem: DesignProblem, known: Collection[str], pace: float | None = None) -> list[tuple[str, str]]:
    """Pairs of (term, HTML) that together describe the whole problem. Its base must be readable.

    known : the elements that all models know
    pace : see `core.runs.pace`; None: not known
    """
    rows = [
        ("Base from", _origin(problem)),
        ("Start", _start(problem, known)),
        ("Aim", _aim(problem)),
        ("Fixed", _fixed(problem.fixed_fractions())),
        ("Minimum", amounts_text(problem.floors)),
        ("Constraints", constraints_text(problem)),
        ("Free", _free(problem, known)),
        ("Size", _size(problem)),
        ("Charges", _charges(problem)),
        ("Work", _work(problem, pace)),
    ]
    return [(term, text) for term, text in rows if text]


def _origin(problem: DesignProblem) -> str:
    """The candidate that became the base; empty if it is from no run."""
    origin = problem.origin
    return f"rank {origin.rank:,} of the run {html.escape(origin.run)}" if origin else ""


def amounts_text(amounts: Mapping[str, float]) -> str:
    """Amounts on any scale: "Fe 0.25, As 0.25"."""
    return ", ".join(f"{symbol} {_short(x)}" for symbol, x in amounts.items())


def work_time_text(problem: DesignProblem, pace: float | None) -> str:
    """Rough duration of a run: on this machine if its pace is known, otherwise on a small computer."""
    where = "on two CPU cores" if pace is None else "here, by the last runs"
    return f"{rough_duration(expected_s(problem) * (pace or 1.0))} {where}"


# ---- initial compositions ----------------------------------------------------------------------------------------


def _start(problem: DesignProblem, known: Collection[str]) -> str:
    """The initial compositions."""
    method = registration(problem.method)
    if method.start:
        replaced = " and ".join(site.element for site in problem.sites) or "…"
        if problem.task == RAISE_TC:
            replaced = "a random selection of its elements"
        text = method.start.format(base=formula_html(problem.base), replaced=replaced, added=_added(problem))
        from_known = problem.task == RAISE_TC and problem.settings.start in (KNOWN, INTERPOLATED)
        return f"{text}, and {_known_ones(problem)}" if from_known and "start" in method.settings else text
    if "start" not in method.settings:
        return method.summary
    if problem.task == RAISE_TC:
        return _start_of_raise_tc(problem, known)
    sites = " and ".join(replaced_atoms(site) for site in problem.sites if site.replacement != EMPTY)
    each = " each" if len(problem.free_parts()) > 1 else ""
    return f"random mixtures of {_added(problem)}{each} in place of {sites or '…'} in {formula_html(problem.base)}"


def _start_of_raise_tc(problem: DesignProblem, known: Collection[str]) -> str:
    settings, base = problem.settings, formula_html(problem.base)
    known_ones = _known_ones(problem)
    chance = f"{settings.mutate_probability:.0%}"
    return {
        BASE: f"{base} with each element replaced with a probability of {chance} and {_added(problem)} added",
        RANDOM: f"random mixtures of as many elements as {base} has",
        KNOWN: f"{known_ones}, compared with {base}",
        INTERPOLATED: f"{known_ones}, and mixtures of two of them, compared with {base}",
        ENUMERATED: _enumerated(problem, known),
    }[settings.start]


def _known_ones(problem: DesignProblem) -> str:
    """The known superconductors to start from."""
    return f"known superconductors{family_text(problem)} above {problem.settings.start_above_K:g} K"


def _added(problem: DesignProblem) -> str:
    low, high = problem.settings.added_elements
    return f"{low} to {high} elements" if low != high else counted_elements(low)


def _enumerated(problem: DesignProblem, known: Collection[str]) -> str:
    """The number of binary and ternary initial compositions, and how many of them are used."""
    others = len(set(problem.allowed_symbols(known)) - set(problem.floors))
    room = 1 - sum(problem.least_fractions().values())
    shares = sum(1 / n <= room + ROUNDING_ERROR for n in BINARY_ATOMS) if problem.floors else 1
    total, candidates = count_enumerated(others, shares), problem.settings.candidates
    added_to = ", ".join(problem.least_fractions())
    used = "all used" if candidates >= total else f"{candidates:,} of them used, drawn at random"
    return f"every element and every pair{f' added to {added_to}' if added_to else ''}: {total:,} starts, {used}"


# ---- search space -----------------------------------------------------------------------------------------------


def _aim(problem: DesignProblem) -> str:
    """The objective, if it is not the highest Tc."""
    if not has_target(problem):
        return ""
    return f"a Tc of {problem.settings.target_tc_K:g} K; a higher Tc is no better"


def _fixed(fixed: Mapping[str, float]) -> str:
    if not fixed:
        return "nothing"
    total = f"sum of x<sub>const</sub> = {_short(sum(fixed.values()))}"
    return f'{amounts_text(fixed)} <span class="formula">({total})</span>'


def _free(problem: DesignProblem, known: Collection[str]) -> str:
    """How much of the composition is searched, and which elements it may contain."""
    parts = problem.free_parts()
    texts = [f"{room:.0%} of the atoms, from {_elements(problem, known, i)}" for i, (_, room) in enumerate(parts)]
    return "; ".join(texts) or "nothing"


def _elements(problem: DesignProblem, known: Collection[str], part: int) -> str:
    """The number of elements allowed in a free part, and the shorter list: the allowed or the excluded ones."""
    allowed, replacement = problem.allowed_symbols(known, part), problem.free_parts()[part][0]
    if not allowed:
        return "no element"
    possible, all_of_them = set(known), "all that the models know"
    if replacement is not None:
        possible &= set(replacement.symbols())
        of_group = f" {group_text(replacement.among)}" if replacement.among != ANY_ELEMENT else ""
        all_of_them = f"all{of_group} that can be {charge_text(replacement.state)}"
    excluded = [s for s in elements.symbols() if s in possible - set(allowed) - set(problem.fixed_fractions())]
    if len(excluded) >= len(allowed):
        return f"{counted_elements(len(allowed))}: {', '.join(allowed)}"
    return f"{counted_elements(len(allowed))}: {all_of_them}" + (f" except {', '.join(excluded)}" if excluded else "")


def _size(problem: DesignProblem) -> str:
    low, high = problem.settings.n_unit
    counts = generator_of(problem).atom_counts(problem)
    atoms = f"{low} to {high}"
    if counts and len(counts) < high - low + 1:  # the fixed part must consist of whole atoms
        atoms = ", ".join(map(str, counts[:3])) + (f" … {counts[-1]}" if len(counts) > 3 else "")
    doped = problem.settings.fractional_elements
    fractional = f", {counted_elements(doped)} may stay fractional" if doped else ""
    neutral_search = effective_settings(problem).rounding == NEUTRAL and len(problem.free_parts()) < 2
    neutral = ", charges balanced where possible" if neutral_search else ""
    elements_ = counted_elements(problem.settings.max_elements)
    return f"at most {elements_}; {atoms} atoms per formula unit{fractional}{neutral}"


def _charges(problem: DesignProblem) -> str:
    """The charge rule, if it is not one oxidation state per element."""
    return "each atom may have its own oxidation state" if problem.charge_rule == EVERY_ATOM else ""


def _work(problem: DesignProblem, pace: float | None) -> str:
    schedule = generator_of(problem).schedule(problem)
    return registration(problem.method).work.format(
        candidates=f"{schedule.candidates:,}",
        steps=f"{schedule.steps:,}",
        product=f"{schedule.candidates * schedule.steps:,}",
        time=work_time_text(problem, pace),
    )


def _short(number: float) -> str:
    return format_amount(number, 3) or "1"
