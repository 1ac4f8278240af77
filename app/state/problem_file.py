"""Design problems from JSON text of any origin. Pure functions."""

from __future__ import annotations

from core.errors import InputError
from core.generation.validation import check
from core.predictors.checkpoint import CheckpointError
from core.problem.problem import DesignProblem


def read_problem(text: str) -> DesignProblem:
    """A problem that can be run, from JSON text. Raises InputError for the first thing that is wrong."""
    problem = DesignProblem.from_json(text)
    try:
        errors = check(problem)
    except CheckpointError as error:
        raise InputError("problem", problem.base, str(error), "Choose installed models") from None
    except (AttributeError, TypeError):  # a list where an object is expected, and the like
        raise InputError("problem", text[:40], "a field has the wrong type", "Export the problem again") from None
    for error in errors:
        raise error
    return problem
