"""Validation of a design problem: every error as an InputError with the name of the invalid field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import LEAST_FRACTION, ROUNDING_ERROR, SAME_COMPOSITION
from core.errors import InputError, shown
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
    """Errors of a problem, in the order of the design page; empty if there are none.

    known : name of the predictor in messages -> symbols of the elements that the predictor knows

    `core.generation.validation` also checks whether the method of the problem supports it.
    """
    errors = _check_task(problem)
    base = _readable_base(problem, errors)
    if base is not None:
        errors += _check_known("base", base, known)
    errors += _check_amounts("fixed", problem.fixed or {}, known)
    errors += _check_amounts("floors", problem.floors, known)
    errors += _check_forbidden(problem)
    errors += composition_constraints.check(problem.bounds, problem.groups, problem.ratios)
    errors += check_settings(problem.settings)
    if not errors:
        errors += _check_together(problem, known)
    return errors


def _check_task(problem: DesignProblem) -> list[InputError]:
    errors = []
    choices_of = {"task": TASKS, "device": DEVICES, "precision": PRECISIONS,
                  "charge_rule": CHARGE_RULES}  # fmt: skip
    for name, choices in choices_of.items():
        if getattr(problem, name) not in choices:
            errors.append(InputError(name, getattr(problem, name), "unknown option", f"Choose {' or '.join(choices)}"))
    if isinstance(problem.seed, bool) or not isinstance(problem.seed, int) or not 0 <= problem.seed < 2**32:
        errors.append(InputError("seed", problem.seed, "the seed must be a whole number from 0 to 2³² - 1", "Choose 0"))
    return errors


def _readable_base(problem: DesignProblem, errors: list[InputError]) -> dict[str, float] | None:
    """Fractions of the base, or None if it cannot be parsed. Appends errors of the base and the sites to `errors`."""
    try:
        base = problem.base_fractions()
    except InputError as error:
        errors.append(InputError("base", error.value, error.rule, error.remedy, error.position, error.suggestions))
        return None
    if problem.task == SUBSTITUTE:
        errors += check_sites(parse_formula(problem.base), problem.sites)
    return base


def _check_known(name: str, used: Collection[str], known: Mapping[str, Collection[str]]) -> list[InputError]:
    return [
        InputError(name, symbol, f"the {predictor} does not know this element", "Choose another element")
        for predictor, symbols in known.items()
        for symbol in used
        if elements.is_element(symbol) and symbol not in symbols
    ]


def _check_amounts(name: str, amounts: Mapping[str, float], known: Mapping[str, Collection[str]]) -> list[InputError]:
    """Errors of fixed elements or floors, without regard to the other fields."""
    errors = []
    for symbol, amount in amounts.items():
        if not elements.is_element(symbol):
            errors.append(
                InputError(name, symbol, "this symbol is not an element", "Check the spelling and the capitals")
            )
        elif not is_number(amount) or amount <= 0:
            rule = "an amount must be a finite number above zero"
            errors.append(InputError(name, f"{symbol} {shown(amount, 40)}", rule, "Correct the amount"))
        elif amount < LEAST_FRACTION:
            rule = f"a fraction of the atoms below {LEAST_FRACTION:g} has no meaning in a formula"
            errors.append(InputError(name, f"{symbol} {amount}", rule, "Choose a larger amount, or leave it out"))
    if not errors and sum(amounts.values()) >= 1 - ROUNDING_ERROR:
        errors.append(_no_room(name, amounts))
    return errors + _check_known(name, amounts, known)


def _no_room(name: str, amounts: Mapping[str, float]) -> InputError:
    return InputError(
        name, f"sum of x_const = {sum(amounts.values()):.4g}",
        "the fixed part must leave room for the rest (sum of x_const below 1)",
        "Fix fewer elements or smaller amounts" if name == "fixed" else "Lower the floors or the fixed amounts",
    )  # fmt: skip


def _check_forbidden(problem: DesignProblem) -> list[InputError]:
    errors = [
        InputError("forbidden", symbol, "this symbol is not an element", "Check the spelling and the capitals")
        for symbol in problem.forbidden
        if not elements.is_element(symbol)
    ]
    for name, amounts, words, remedy in (
        ("fixed", problem.fixed or {}, "both fixed and forbidden", "Free the element, or allow it"),
        ("floors", problem.floors, "forbidden, but has a floor", "Remove the floor, or allow the element"),
    ):
        both = [symbol for symbol in amounts if symbol in problem.forbidden]
        errors += [InputError(name, symbol, f"the element is {words}", remedy) for symbol in both]
    return errors


def _check_together(problem: DesignProblem, known: Mapping[str, Collection[str]]) -> list[InputError]:
    """Errors in the combination of fields that are valid on their own."""
    errors = []
    known_to_all = set(elements.symbols()).intersection(*map(set, known.values()))
    parts = problem.free_parts()
    for part, (replacement, _) in enumerate(parts):
        if not problem.allowed_symbols(known_to_all, part):
            of_state = "" if replacement is None else f" of {replacement}"
            errors.append(
                InputError(
                    "forbidden", formula_of(problem.fixed_fractions()),
                    f"no element is allowed for the free part{of_state}",
                    "Allow more elements, or choose another oxidation state",
                )
            )  # fmt: skip
    errors += _check_kept(problem)
    errors += _check_floors(problem)
    errors += _check_constraints(problem, known_to_all)
    n_required, n_free = len(problem.least_fractions()), 0 if problem.floors else len(parts)
    if n_required + n_free > problem.settings.max_elements:
        rule = f"{n_required} elements are fixed or have a floor"
        if n_free:
            more = "one more is" if n_free == 1 else f"{n_free} more are"
            rule = f"{n_required} elements are fixed, and at least {more} needed"
        remedy = f"Allow {n_required + n_free} or more"
        errors.append(InputError("max_elements", problem.settings.max_elements, rule, remedy))
    if len(parts) > 1 and problem.settings.fractional_elements:
        errors.append(
            InputError("fractional_elements", problem.settings.fractional_elements, "with several sites every element "
                       "must have a whole number of atoms", "Choose 0")
        )  # fmt: skip
    return errors


def _check_kept(problem: DesignProblem) -> list[InputError]:
    """With several sites all other elements must keep the amounts of the base, or the total charge would change."""
    if not problem.several_sites():
        return []
    fixed, base = problem.fixed_fractions(), replace(problem, fixed=None).fixed_fractions()
    rule = "with several sites all other elements must keep their amounts in the base, or the total charge changes"
    errors = [
        InputError("fixed", f"{s} {fixed[s]:.4g}" if s in fixed else s, rule, f"Fix {s} at {x:.4g} of the atoms")
        for s, x in base.items()
        if abs(fixed.get(s, 0) - x) > SAME_COMPOSITION
    ]  # fmt: skip
    return errors + [InputError("fixed", s, rule, f"Free {s}, which is not kept") for s in fixed if s not in base]


def _check_floors(problem: DesignProblem) -> list[InputError]:
    """Errors in the combination of floors with the rest of the problem."""
    if not problem.floors:
        return []
    if problem.task == SUBSTITUTE:
        return [
            InputError("floors", ", ".join(problem.floors), "a substitution keeps the rest of the base",
                       "Remove the floors, or choose the task of raising Tc")
        ]  # fmt: skip
    both = [symbol for symbol in problem.floors if symbol in problem.fixed_fractions()]
    errors = [
        InputError("floors", symbol, "the element is already fixed", "Free it, or remove the floor") for symbol in both
    ]
    if not errors and sum(problem.least_fractions().values()) >= 1 - ROUNDING_ERROR:
        errors.append(_no_room("floors", problem.least_fractions()))
    return errors


def _check_constraints(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """Errors in the combination of bounds, groups and ratios, with each other and with the rest of the problem."""
    named = next((name for name in ("bounds", "groups", "ratios") if getattr(problem, name)), None)
    if named is None:
        return []
    if len(problem.free_parts()) > 1:
        return [
            InputError(named, problem.base, "a substitution at several sites keeps the amounts of the base",
                       "Remove bounds, groups and ratios, or replace a single element by gradient")
        ]  # fmt: skip
    if problem.settings.fractional_elements:
        return [
            InputError("fractional_elements", problem.settings.fractional_elements, "bounds, groups and ratios require "
                       "whole atoms", "Choose 0, or remove bounds, groups and ratios")
        ]  # fmt: skip
    try:
        constraints = problem.composition_constraints(known)
    except InputError as error:
        return [error]
    needed = constraints.min_elements() if constraints else 0
    if needed > problem.settings.max_elements:
        return [
            InputError("max_elements", problem.settings.max_elements, f"the constraints need {needed} elements",
                       f"Allow {needed} or more")
        ]  # fmt: skip
    return []


def check_atom_counts(problem: DesignProblem) -> list[InputError]:
    """An error if no N in `n_unit` allows an integer formula that satisfies all constraints, otherwise empty.

    For generators whose candidates have the atom counts of `DesignProblem.atom_counts`.
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
    rule = f"no N in this range gives the fixed part whole atoms ({shown.removeprefix(', ')})"
    if problem.bounds or problem.groups or problem.ratios:
        rule = "no N in this range gives whole atoms that satisfy the fixed part, bounds, groups and ratios"
        remedy = remedy if fits else "Relax the constraints"
    return [InputError("n_unit", f"{low}..{high}", rule, remedy)]
