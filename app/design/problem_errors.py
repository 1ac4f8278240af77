"""The errors of a problem, and the places on the page where they are shown. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.forms.constraint_rows import ConstraintRow, parse_rows
from core.errors import InputError
from core.generation.validation import check
from core.predictors.device import resolve_device
from core.problem.problem import DesignProblem

Errors = defaultdict[str, list[InputError]]  # field -> its errors

CONSTRAINTS = ("bounds", "groups", "ratios")
MINIMUM, BOUNDS, SETTINGS = "Minimum amounts", "Bounds, groups, ratios", "Settings"
_PLACES = {
    "base": "Base material",
    "sites": "Elements to replace",
    "fixed": "Periodic table",
    "forbidden": "Periodic table",
    "floors": MINIMUM,
    **dict.fromkeys(CONSTRAINTS, BOUNDS),
}
_COLLAPSIBLE = (MINIMUM, BOUNDS, SETTINGS)


def find_errors(problem: DesignProblem, rows: Sequence[ConstraintRow] = ()) -> Errors:
    """Everything that is wrong with the problem, the device, and the constraint rows as typed; empty if nothing is."""
    found = check(problem)
    try:
        resolve_device(problem.device)
    except InputError as error:
        found.append(error)
    errors: Errors = defaultdict(list)
    for error in (*found, *parse_rows(rows).errors):
        errors[error.field].append(error)
    return errors


def all_of(errors: Errors) -> list[InputError]:
    """All errors in one list."""
    return [error for found in errors.values() for error in found]


def place_of(error: InputError) -> str:
    """The part of the page where the error is shown."""
    return _PLACES.get(error.field, SETTINGS)


def may_be_hidden(error: InputError) -> bool:
    """Whether the error is shown in a part of the page that may be collapsed."""
    return place_of(error) in _COLLAPSIBLE


def expander_label(name: str, state: str, errors: Sequence[object]) -> str:
    """Label of a collapsible part: its state, or the number of errors in it."""
    return f"{name} · :red[{len(errors)} to correct]" if errors else f"{name} · {state}"
