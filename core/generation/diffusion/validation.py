"""Problems that SuperDiff cannot solve, each as an InputError: a diffusion model holds no amount exactly."""

from __future__ import annotations

from core.chemistry.elements import element
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.generation.diffusion.network import N_POSITIONS
from core.problem import validation
from core.problem.problem import DesignProblem
from core.problem.settings import RAISE_TC


def check(problem: DesignProblem, conditioned: bool) -> list[InputError]:
    """Errors of a valid problem; empty if it can run.

    conditioned : whether samples are conditioned on the base
    """
    errors = []
    if problem.task != RAISE_TC:
        errors.append(
            InputError("task", problem.task, "a diffusion model changes every element, and keeps no part of the base",
                       "Choose the task of raising Tc, or another method")
        )  # fmt: skip
    errors += [
        InputError("fixed", symbol, "a diffusion model holds no amount exactly", "Free the element, or choose another "
                   "method")
        for symbol in problem.fixed or {}
    ]  # fmt: skip
    if conditioned:
        errors += [
            InputError("base", symbol, "SuperDiff has the elements from H to Cm only", "Choose another base")
            for symbol in parse_formula(problem.base)
            if element(symbol).index >= N_POSITIONS
        ]
    return errors or validation.check_atom_counts(problem)
