"""Expected error of an energy above hull, in which errors that competing phases share cancel.

The same ensemble predicts a composition x and the phases j that compete with it, with fractions f_j of the atoms. The
distance to the hull predicted by member k is

    d_k = E_k(x) - sum_j f_j E_k(phase j),

with the elements at 0 eV/atom by definition. An error that all phases of a chemical system share, such as a wrong
energy per oxygen atom, changes E_k(x) but no d_k. The expected error therefore follows from the spread of d_k over the
members. The card of the reference tables compares its reliability with that of the spread of E_k(x) alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from core.chemistry import composition
from core.predictors.ensemble import SpreadScale
from core.predictors.interface import Predictor, predict_in_batches
from core.screening.convex_hull import Decomposition, Hull, HullDistance


def distances_with_std(
    hull: Hull, predictor: Predictor, scale: SpreadScale | None, compositions: np.ndarray, energies: np.ndarray
) -> tuple[list[HullDistance], np.ndarray]:
    """Distances of compositions (n, 118) to the hull, and their expected standard deviations (n,), in eV/atom.

    hull : hull with energies of this predictor
    scale : spread of the distances -> mean absolute error; without a scale or an ensemble, the standard deviations are
        NaN
    energies : (n,) formation energies by this predictor, eV/atom

    A reference phase on the hull competes only with itself; its error is that of its distance to the other phases. The
    standard deviation is sqrt(2) times the mean absolute error, as in Laplace's distribution.
    """
    distances = hull.distances(compositions, energies)
    if scale is None or len(predictor.members()) == 1:
        return distances, np.full(len(compositions), np.nan)
    decompositions = [found.decomposition for found in distances]
    alone = [i for i, phases in enumerate(decompositions) if len(phases) == 1]
    for i, found in zip(alone, hull.distances(compositions[alone], energies[alone], to_others=True), strict=True):
        decompositions[i] = found.decomposition
    spread = distances_by_member(predictor, compositions, decompositions).std(0, ddof=1)
    return distances, 2**0.5 * scale(spread)


def distances_by_member(
    ensemble: Predictor, compositions: np.ndarray, decompositions: Sequence[Decomposition]
) -> np.ndarray:
    """d_k in eV/atom, shape (members, n), of compositions (n, 118) with these competing phases.

    Each phase is predicted once, even if it competes with several compositions.
    """
    phases = {formula: i for i, formula in enumerate(dict.fromkeys(f for found in decompositions for f, _ in found))}
    vectors = composition.compositions(phases)
    of_phases = members_energies(ensemble, vectors)
    of_phases[:, np.count_nonzero(vectors, axis=1) == 1] = 0.0  # elements
    distances = members_energies(ensemble, compositions)
    for i, found in enumerate(decompositions):
        fractions = np.array([fraction for _, fraction in found])
        distances[:, i] -= of_phases[:, [phases[formula] for formula, _ in found]] @ fractions
    return distances


def members_energies(ensemble: Predictor, compositions: np.ndarray) -> np.ndarray:
    """Formation energies in eV/atom by each member, shape (members, n), of compositions (n, 118)."""
    x = torch.from_numpy(compositions).float().to(ensemble.known_elements.device)
    return np.stack([predict_in_batches(member, x) for member in ensemble.members()])
