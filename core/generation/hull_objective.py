"""The convex hull of a problem whose objective has the energy above hull, and whether there is one."""

from __future__ import annotations

from core.errors import InputError
from core.problem.problem import DesignProblem
from core.problem.settings import HULL
from core.reference_data.references import load_references
from core.screening.convex_hull import Hull


def hull_of(problem: DesignProblem) -> Hull | None:
    """The hull with the energies of the problem's predictor; None if the objective has the formation energy."""
    return load_references().hull(problem.formation_energy_predictor) if problem.settings.stability == HULL else None


def check_hull(problem: DesignProblem) -> list[InputError]:
    """An error if the objective needs a hull and the reference phases have no energies of the problem's predictor."""
    settings, energies = problem.settings, load_references().phase_energies
    if settings.stability != HULL or problem.formation_energy_predictor in energies:
        return []
    return [
        InputError("stability", settings.stability, "the reference phases have no energies of this energy model",
                   f"Choose the formation energy, or one of the models {', '.join(energies)}")
    ]  # fmt: skip
