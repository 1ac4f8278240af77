"""Everything that can be wrong with a problem, each time as an InputError that names the field at fault."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import ROUNDING_ERROR, SAME_COMPOSITION
from core.errors import InputError
from core.problem import composition_constraints
from core.problem.problem import DesignProblem
from core.problem.settings import (
    CHARGE_RULES,
    DEVICES,
    MAX_ATOMS,
    PRECISIONS,
    SUBSTITUTE,
    TASKS,
    check_settings,
    is_number,
)
from core.problem.substitution_sites import check_sites


def check(problem: DesignProblem, known: Mapping[str, Collection[str]]) -> list[InputError]:
    """Everything that is wrong with a problem, in the order of the page; empty if it is valid in itself.

    known : for each predictor (by its name in messages) the symbols of the elements that it knows

    Whether the method that the problem names can carry it out is for `core.generation.validation` to say.
    """
    wrong = _check_task(problem)
    base = _readable_base(problem, wrong)
    if base is not None:
        wrong += _check_known("base", base, known)
    wrong += _check_amounts("fixed", problem.fixed or {}, known)
    wrong += _check_amounts("floors", problem.floors, known)
    wrong += _check_forbidden(problem)
    wrong += composition_constraints.check(problem.bounds, problem.groups, problem.ratios)
    wrong += check_settings(problem.settings)
    if not wrong:
        wrong += _check_together(problem, known)
    return wrong


def _check_task(problem: DesignProblem) -> list[InputError]:
    wrong = []
    choices_of = {"task": TASKS, "device": DEVICES, "precision": PRECISIONS,
                  "charge_rule": CHARGE_RULES}  # fmt: skip
    for name, choices in choices_of.items():
        if getattr(problem, name) not in choices:
            wrong.append(InputError(name, getattr(problem, name), "unknown", f"Choose {' or '.join(choices)}"))
    if isinstance(problem.seed, bool) or not isinstance(problem.seed, int) or not 0 <= problem.seed < 2**32:
        wrong.append(InputError("seed", problem.seed, "a seed is a whole number of 0 or more", "Take 0"))
    return wrong


def _readable_base(problem: DesignProblem, wrong: list[InputError]) -> dict[str, float] | None:
    """The base's fractions, or None with the reason added to `wrong`; checks the sites on the way."""
    try:
        base = problem.base_fractions()
    except InputError as error:
        wrong.append(InputError("base", error.value, error.rule, error.remedy, error.position))
        return None
    if problem.task == SUBSTITUTE:
        wrong += check_sites(parse_formula(problem.base), problem.sites)
    return base


def _check_known(name: str, used: Collection[str], known: Mapping[str, Collection[str]]) -> list[InputError]:
    return [
        InputError(name, symbol, f"the {predictor} does not know this element", "Replace it by another element")
        for predictor, symbols in known.items()
        for symbol in used
        if elements.is_element(symbol) and symbol not in symbols
    ]


def _check_amounts(name: str, amounts: Mapping[str, float], known: Mapping[str, Collection[str]]) -> list[InputError]:
    """What is wrong with the amounts of single elements, each by itself."""
    wrong = []
    for symbol, amount in amounts.items():
        if not elements.is_element(symbol):
            wrong.append(InputError(name, symbol, "it is not an element", "Check the spelling and the capitals"))
        elif not is_number(amount) or amount <= 0:
            wrong.append(
                InputError(
                    name, f"{symbol} {amount}", "an amount is a finite number above zero", "Correct the amount"
                )
            )  # fmt: skip
    if not wrong and sum(amounts.values()) >= 1 - ROUNDING_ERROR:
        wrong.append(_no_room(name, amounts))
    return wrong + _check_known(name, amounts, known)


def _no_room(name: str, amounts: Mapping[str, float]) -> InputError:
    return InputError(
        name, f"sum of x_const = {sum(amounts.values()):.4g}",
        "the fixed part must leave room for the rest (sum of x_const below 1)",
        "Fix fewer elements or smaller amounts" if name == "fixed" else "Lower the floors, or fix less",
    )  # fmt: skip


def _check_forbidden(problem: DesignProblem) -> list[InputError]:
    wrong = [
        InputError("forbidden", symbol, "it is not an element", "Check the spelling and the capitals")
        for symbol in problem.forbidden
        if not elements.is_element(symbol)
    ]
    for name, amounts, words in (
        ("fixed", problem.fixed or {}, "both fixed and forbidden"), ("floors", problem.floors, "forbidden"),
    ):  # fmt: skip
        both = [symbol for symbol in amounts if symbol in problem.forbidden]
        wrong += [InputError(name, symbol, f"it is {words}", "Free it, or allow it") for symbol in both]
    return wrong


def _check_together(problem: DesignProblem, known: Mapping[str, Collection[str]]) -> list[InputError]:
    """What can only be judged when every field is right by itself."""
    wrong = []
    known_to_all = set(elements.symbols()).intersection(*map(set, known.values()))
    parts = problem.free_parts()
    for part, (state, _) in enumerate(parts):
        if not problem.allowed_symbols(known_to_all, part):
            of_state = "" if state is None else f" of {state:+d}"
            wrong.append(
                InputError(
                    "forbidden", formula_of(problem.fixed_fractions()),
                    f"no element is allowed for the free part{of_state}",
                    "Allow some elements, or choose another oxidation state",
                )
            )  # fmt: skip
    wrong += _check_kept(problem)
    wrong += _check_floors(problem)
    wrong += _check_constraints(problem, known_to_all)
    n_least, needed = len(problem.least_fractions()), 0 if problem.floors else len(parts)
    if n_least + needed > problem.settings.max_elements:
        rule = f"{n_least} elements are fixed or have a floor"
        if needed:
            more = "one more is" if needed == 1 else f"{needed} more are"
            rule = f"{n_least} elements are fixed, and at least {more} needed"
        wrong.append(
            InputError("max_elements", problem.settings.max_elements, rule, f"Allow {n_least + needed} or more")
        )
    if len(parts) > 1 and problem.settings.exempt_elements:
        wrong.append(
            InputError("exempt_elements", problem.settings.exempt_elements, "at several sites every element is whole",
                       "Take 0")
        )  # fmt: skip
    return wrong


def _check_kept(problem: DesignProblem) -> list[InputError]:
    """At several sites all else must be as in the base: what is searched beside them would change the charge."""
    if not problem.several_sites():
        return []
    fixed, base = problem.fixed_fractions(), replace(problem, fixed=None).fixed_fractions()
    rule = "where several elements are replaced, all others stay as in the base, or the charge is not kept"
    wrong = [
        InputError("fixed", f"{s} {fixed[s]:.4g}" if s in fixed else s, rule, f"Fix {s} at {x:.4g} of the atoms")
        for s, x in base.items()
        if abs(fixed.get(s, 0) - x) > SAME_COMPOSITION
    ]  # fmt: skip
    return wrong + [InputError("fixed", s, rule, f"Free {s}, it does not stay") for s in fixed if s not in base]


def _check_floors(problem: DesignProblem) -> list[InputError]:
    """What floors and the rest of the problem cannot be together."""
    if not problem.floors:
        return []
    if problem.task == SUBSTITUTE:
        return [
            InputError("floors", ", ".join(problem.floors), "a substitution keeps the rest of the base as it is",
                       "Remove the floors, or raise Tc")
        ]  # fmt: skip
    both = [symbol for symbol in problem.floors if symbol in problem.fixed_fractions()]
    wrong = [InputError("floors", symbol, "it is fixed already", "Free it, or remove the floor") for symbol in both]
    if not wrong and sum(problem.least_fractions().values()) >= 1 - ROUNDING_ERROR:
        wrong.append(_no_room("floors", problem.least_fractions()))
    return wrong


def _check_constraints(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """What bounds, groups and ratios cannot be together, and with the rest of the problem."""
    named = next((name for name in ("bounds", "groups", "ratios") if getattr(problem, name)), None)
    if named is None:
        return []
    if len(problem.free_parts()) > 1:
        return [
            InputError(named, problem.base, "a substitution at several sites keeps the base's amounts",
                       "Remove bounds, groups and ratios, or replace one element by gradient")
        ]  # fmt: skip
    if problem.settings.exempt_elements:
        return [
            InputError("exempt_elements", problem.settings.exempt_elements, "bounds, groups and ratios are kept by "
                       "whole atoms", "Take 0, or remove bounds, groups and ratios")
        ]  # fmt: skip
    try:
        constraints = problem.composition_constraints(known)
    except InputError as error:
        return [error]
    needed = constraints.n_required() if constraints else 0
    if needed > problem.settings.max_elements:
        return [
            InputError("max_elements", problem.settings.max_elements, f"what is asked for needs {needed} elements",
                       f"Allow {needed} or more")
        ]  # fmt: skip
    return []


def check_atom_counts(problem: DesignProblem) -> list[InputError]:
    """An error if no number of atoms in `n_unit` makes the fixed part whole atoms and keeps all constraints.

    For generators that search the integer formulas of `DesignProblem.atom_counts`.
    """
    if problem.atom_counts():
        return []
    low, high = problem.settings.n_unit
    fixed = problem.fixed_fractions()
    wider = replace(problem, settings=replace(problem.settings, n_unit=(high + 1, MAX_ATOMS)))
    fits = next(iter(wider.atom_counts()), None)
    remedy = f"Raise the largest N to {fits}" if fits else "Round the fixed amounts"
    shown = ", ".join(f"{symbol} {x:.4g}" for symbol, x in fixed.items())
    shown += "".join(f", {symbol} at least {x:.4g}" for symbol, x in problem.floors.items())
    rule = f"no N in this range makes the fixed part whole atoms ({shown.removeprefix(', ')})"
    if problem.bounds or problem.groups or problem.ratios:
        rule = "no N in this range has whole atoms that keep what is fixed, all bounds, groups and ratios"
        remedy = remedy if fits else "Loosen them"
    return [InputError("n_unit", f"{low}..{high}", rule, remedy)]
