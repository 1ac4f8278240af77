"""Known superconductors as starting materials of a problem."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from core.chemistry import elements
from core.chemistry.families import families
from core.errors import InputError
from core.problem.problem import DesignProblem
from core.problem.settings import ANY_FAMILY, INTERPOLATED, KNOWN, RAISE_TC
from core.reference_data.references import load_references

FROM_KNOWN = (KNOWN, INTERPOLATED)  # starts that need known superconductors


def starting_materials(problem: DesignProblem, known: Collection[str]) -> np.ndarray:
    """Compositions (m, 118) of the known superconductors that a problem may start from.

    These have the family and a Tc above the minimum of the settings, and no element that the problem excludes.

    known : symbols of the elements known to all predictors of the problem
    """
    references, settings = load_references(), problem.settings
    usable = {*problem.allowed_symbols(known), *problem.fixed_fractions()}
    excluded = np.array([symbol not in usable for symbol in elements.symbols()])
    chosen = (references.known_tc_K > settings.start_above_K) & ~references.known_compositions[:, excluded].any(1)
    if settings.start_family != ANY_FAMILY:
        chosen &= families(references.known_compositions) == settings.start_family
    return references.known_compositions[chosen]


def check_start(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """An error if the problem starts from known superconductors and none satisfies its conditions, otherwise empty."""
    settings = problem.settings
    if problem.task != RAISE_TC or settings.start not in FROM_KNOWN or len(starting_materials(problem, known)):
        return []
    family = "" if settings.start_family == ANY_FAMILY else f"{settings.start_family} "
    return [
        InputError("start_above_K", settings.start_above_K, f"no known {family}superconductor above this Tc consists "
                   "of allowed elements", "Lower the Tc, choose another family, or allow more elements")
    ]  # fmt: skip
