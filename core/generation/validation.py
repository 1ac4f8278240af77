"""Validation of a whole problem: its fields, its models and its method. The same for page, command line and engine."""

from __future__ import annotations

from core.errors import InputError
from core.generation.registry import generator_of, registration
from core.predictors.registry import Models, check_models, known_elements
from core.problem import validation
from core.problem.problem import DesignProblem


def known_by(problem: DesignProblem) -> dict[str, frozenset[str]]:
    """Symbols of the elements that each predictor of a problem knows, by the predictor's name in messages."""
    return {
        "Tc model": known_elements(problem.tc_predictor),
        "formation-energy model": known_elements(problem.formation_energy_predictor),
    }


def check(problem: DesignProblem) -> list[InputError]:
    """Everything that is wrong with a problem; empty if it can run. Raises CheckpointError for a missing model."""
    unusable = check_models(Models(problem.tc_predictor, problem.formation_energy_predictor))
    if unusable:
        return unusable
    known = known_by(problem)
    wrong = _check_method(problem) + validation.check(problem, known)
    return wrong or generator_of(problem).validate(problem, frozenset.intersection(*known.values()))


def _check_method(problem: DesignProblem) -> list[InputError]:
    try:
        registration(problem.method)
    except InputError as error:
        return [error]
    return []
