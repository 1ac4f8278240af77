"""Validation of a problem with its predictors and its method, shared by pages, command line and engine."""

from __future__ import annotations

from core.errors import InputError
from core.generation.method_settings import check_method_settings
from core.generation.registry import generator_of, registration
from core.predictors.registry import Models, check_models, known_elements
from core.problem import validation
from core.problem.problem import DesignProblem


def known_by(problem: DesignProblem) -> dict[str, frozenset[str]]:
    """Name of each predictor in messages -> symbols of the elements that the predictor knows."""
    return {
        "Tc model": known_elements(problem.tc_predictor),
        "formation-energy model": known_elements(problem.formation_energy_predictor),
    }


def check(problem: DesignProblem) -> list[InputError]:
    """Errors of a problem; empty if the problem can run. Raises CheckpointError for a missing checkpoint."""
    unusable = check_models(Models(problem.tc_predictor, problem.formation_energy_predictor))
    if unusable:
        return unusable
    known = known_by(problem)
    errors = _check_method(problem) + validation.check(problem, known)
    return errors or generator_of(problem).validate(problem, frozenset.intersection(*known.values()))


def first_stored_error(problem: DesignProblem) -> InputError | None:
    """The first error of a stored problem that does not depend on the installed models; None if there is none.

    A page can show a problem without such an error, whoever wrote its file.
    """
    errors = _check_method(problem) or validation.check(problem, {})
    return errors[0] if errors else None


def _check_method(problem: DesignProblem) -> list[InputError]:
    try:
        own_settings = registration(problem.method).own_settings
    except InputError as error:
        return [error]
    return check_method_settings(problem.method_settings, own_settings)
