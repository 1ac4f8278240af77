"""What to expect of the error of an energy above hull: errors that neighbours share cancel in it.

A composition x and the phases j that compete with it, with fractions f_j of the atoms, are predicted by the same
models. Member k of an ensemble says that the distance is

    d_k = E_k(x) - sum_j f_j E_k(phase j),

with the elements at 0 eV/atom by definition. What all phases of a chemical system have in common, such as an energy
per oxygen atom that is off, changes E_k(x) and no d_k. So the error is taken from the spread of d_k over the members.
How far that can be relied on, beside the spread of E_k(x) alone, is on the card of the reference tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from core.chemistry import composition
from core.predictors.ensemble import Ensemble, SpreadScale
from core.predictors.interface import Predictor, predict_in_batches
from core.screening.convex_hull import Decomposition, Hull, HullDistance


def distances_with_std(
    hull: Hull, predictor: Predictor, scale: SpreadScale | None, compositions: np.ndarray, energies: np.ndarray
) -> tuple[list[HullDistance], np.ndarray]:
    """Distances of compositions (n, 118) of these energies (n,) to the hull, and the standard deviation (n,) to expect.

    hull, energies : of this predictor, eV/atom
    scale : for the spread of its distances; NaN is returned without one, and for a predictor that is no ensemble

    The error of a reference that is on the hull, where it competes with itself alone, is that of its distance to the
    others. The standard deviation is sqrt(2) times the mean absolute error, as in Laplace's distribution.
    """
    distances = hull.distances(compositions, energies)
    if scale is None or not isinstance(predictor, Ensemble):
        return distances, np.full(len(compositions), np.nan)
    decompositions = [found.decomposition for found in distances]
    alone = [i for i, phases in enumerate(decompositions) if len(phases) == 1]
    for i, found in zip(alone, hull.distances(compositions[alone], energies[alone], to_others=True), strict=True):
        decompositions[i] = found.decomposition
    spread = distances_by_member(predictor, compositions, decompositions).std(0, ddof=1)
    return distances, 2**0.5 * scale(spread)


def distances_by_member(
    ensemble: Ensemble, compositions: np.ndarray, decompositions: Sequence[Decomposition]
) -> np.ndarray:
    """d_k in eV/atom (members, n) of compositions (n, 118) with these competing phases.

    Each phase is predicted once, however many compositions it competes with.
    """
    phases = {formula: i for i, formula in enumerate(dict.fromkeys(f for found in decompositions for f, _ in found))}
    vectors = composition.compositions(phases)
    of_phases = members_energies(ensemble, vectors)
    of_phases[:, np.count_nonzero(vectors, axis=1) == 1] = 0.0
    distances = members_energies(ensemble, compositions)
    for i, found in enumerate(decompositions):
        fractions = np.array([fraction for _, fraction in found])
        distances[:, i] -= of_phases[:, [phases[formula] for formula, _ in found]] @ fractions
    return distances


def members_energies(ensemble: Ensemble, compositions: np.ndarray) -> np.ndarray:
    """What each member says (members, n) of compositions (n, 118)."""
    x = torch.from_numpy(compositions).float().to(ensemble.known_elements.device)
    return np.stack([predict_in_batches(member, x) for member in ensemble.members])
