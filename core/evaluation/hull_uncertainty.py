"""Expected error of an energy above hull, in which errors that competing phases share cancel.

An ensemble predicts a composition x and the phases j that compete with it, with fractions f_j of the atoms. The
distance to the hull predicted by member k is

    d_k = E_k(x) - sum_j f_j E_k(phase j),

with the elements at 0 eV/atom by definition; a phase with a calculated energy has that energy for all members. The
expected error follows from the spread of d_k over the members. The card of the reference tables compares its
reliability with that of the spread of E_k(x) alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from core.chemistry import composition
from core.predictors.ensemble import SpreadScale
from core.predictors.interface import Predictor, predict_in_batches
from core.screening.convex_hull import Hull, HullDistance


def distances_with_std(
    hull: Hull, predictor: Predictor, scale: SpreadScale | None, compositions: np.ndarray, energies: np.ndarray
) -> tuple[list[HullDistance], np.ndarray]:
    """Distances of compositions (n, 118) to the hull, and their expected standard deviations (n,), in eV/atom.

    hull : hull for energies of this predictor
    scale : spread of the distances -> mean absolute error; without a scale or an ensemble, the standard deviations are
        NaN
    energies : (n,) formation energies by this predictor, eV/atom

    A reference phase on the hull competes only with itself; its error is that of its distance to the other phases. The
    standard deviation is sqrt(2) times the mean absolute error, as in Laplace's distribution.
    """
    distances = hull.distances(compositions, energies)
    if scale is None or len(predictor.members()) == 1:
        return distances, np.full(len(compositions), np.nan)
    to_phases = list(distances)
    alone = [i for i, found in enumerate(distances) if len(found.decomposition) == 1]
    for i, found in zip(alone, hull.distances(compositions[alone], energies[alone], to_others=True), strict=True):
        to_phases[i] = found
    spread = distances_by_member(predictor, compositions, to_phases, hull.calculated_energies).std(0, ddof=1)
    return distances, 2**0.5 * scale(spread)


def distances_by_member(
    ensemble: Predictor, compositions: np.ndarray, placed: Sequence[HullDistance], calculated: Mapping[str, float]
) -> np.ndarray:
    """d_k in eV/atom, shape (members, n), of compositions (n, 118) with the competing phases of `placed` (n).

    calculated : formula -> energy in eV/atom of the phases that are not predicted; a composition that is such a phase
        has the same d_k for all members, up to the phases that compete with it

    Each phase is predicted once, even if it competes with several compositions.
    """
    names = dict.fromkeys(formula for found in placed for formula, _ in found.decomposition)
    phases = {formula: i for i, formula in enumerate(names)}
    vectors = composition.compositions(phases)
    of_phases = members_energies(ensemble, vectors)
    of_phases[:, np.count_nonzero(vectors, axis=1) == 1] = 0.0  # elements
    for formula, i in phases.items():
        of_phases[:, i] = calculated.get(formula, of_phases[:, i])
    distances = members_energies(ensemble, compositions)
    for i, found in enumerate(placed):
        fractions = np.array([fraction for _, fraction in found.decomposition])
        of_hull = of_phases[:, [phases[formula] for formula, _ in found.decomposition]] @ fractions
        if found.calculated:
            distances[:, i] = found.energy_above_hull_eV_per_atom + of_hull.mean()
        distances[:, i] -= of_hull
    return distances


def members_energies(ensemble: Predictor, compositions: np.ndarray) -> np.ndarray:
    """Formation energies in eV/atom by each member, shape (members, n), of compositions (n, 118)."""
    x = torch.from_numpy(compositions).float().to(ensemble.known_elements.device)
    return np.stack([predict_in_batches(member, x) for member in ensemble.members()])
