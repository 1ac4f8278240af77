"""Problems that random substitution cannot solve, each as an InputError."""

from __future__ import annotations

from collections.abc import Collection

from core.chemistry.composition import element_mask
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import SAME_COMPOSITION
from core.errors import InputError
from core.generation.substitution.substituter import is_replaceable, site_replacements
from core.problem.problem import DesignProblem
from core.problem.settings import MAX_ATOMS, SUBSTITUTE


def check(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """Errors of a valid problem for random substitution; empty if it can run.

    known : symbols of the elements that both predictors know
    """
    errors = _check_base(problem) or _check_amounts(problem)
    return errors or _check_fixed(problem) + _check_size(problem) + _check_replaceable(problem, known)


def _check_base(problem: DesignProblem) -> list[InputError]:
    if problem.base_atoms() is not None:
        return []
    return [
        InputError("base", problem.base, f"a substitution needs a base of at most {MAX_ATOMS} whole atoms",
                   "Round the amounts of the base")
    ]  # fmt: skip


def _check_amounts(problem: DesignProblem) -> list[InputError]:
    """Errors for floors, bounds, groups and ratios: a random substitution keeps the amounts of the base."""
    if problem.floors:
        return [
            InputError("floors", ", ".join(problem.floors), "a substitution keeps the rest of the base",
                       "Remove the floors, or choose the task of raising Tc")
        ]  # fmt: skip
    named = next((name for name in ("bounds", "groups", "ratios") if getattr(problem, name)), None)
    if named is None:
        return []
    return [
        InputError(named, problem.base, "a random substitution keeps the amounts of the base",
                   "Remove bounds, groups and ratios, or replace a single element by gradient")
    ]  # fmt: skip


def _check_size(problem: DesignProblem) -> list[InputError]:
    n_base, max_elements = len(problem.base_fractions()), problem.settings.max_elements
    if n_base <= max_elements:
        return []
    return [
        InputError("max_elements", max_elements, f"the base has {n_base} elements, and a substitution keeps at "
                   "least as many", f"Allow {n_base} or more")
    ]  # fmt: skip


def _check_replaceable(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """Errors unless every forbidden element of the base, and at least one element, can be replaced."""
    allowed = element_mask(problem.allowed_symbols(known))
    replaceable = {s: is_replaceable(s, after, allowed) for s, after in site_replacements(problem).items()}
    stuck = [s for s in problem.base_fractions() if s in problem.forbidden and not replaceable.get(s, False)]
    if stuck:
        return [
            InputError("forbidden", s, "the element is in the base, and no allowed element has its oxidation state",
                       "Allow it, or choose another base")
            for s in stuck
        ]  # fmt: skip
    if any(replaceable.values()):
        return []
    return [
        InputError("forbidden", problem.base, "no allowed element has the oxidation state of an element of the "
                   "base", "Allow more elements, or fix fewer")
    ]  # fmt: skip


def _check_fixed(problem: DesignProblem) -> list[InputError]:
    base, fixed, base_atoms = problem.base_fractions(), problem.fixed_fractions(), parse_formula(problem.base)
    errors = [
        InputError("fixed", f"{s} {x:.4g}", "a substitution keeps the amounts of the base",
                   f"Fix {s} at {base[s]:.4g} of the atoms" if s in base else f"Free {s}, which is not in the base")
        for s, x in fixed.items()
        if abs(base.get(s, 0) - x) > SAME_COMPOSITION
    ]  # fmt: skip
    if problem.task == SUBSTITUTE and not errors:
        replaced = [site.element for site in problem.sites]
        loose = [s for s in base if s not in replaced and s not in fixed]
        names = " and ".join(replaced)
        rule = f"the substitution replaces only {names}"
        errors = [InputError("fixed", s, rule, f"Fix {s} as in the base") for s in loose]
        errors += [
            InputError("sites", site.element, "a random substitution replaces all atoms of an element by elements of "
                       "the same oxidation state", "Replace all atoms and keep the state, or use the gradient method")
            for site in problem.sites
            if site.replacement != site.state or site.atoms_in(base_atoms) < base_atoms[site.element]
        ]  # fmt: skip
    return errors
