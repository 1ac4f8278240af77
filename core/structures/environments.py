"""The surroundings of the atoms in a structure: neighbours, bond lengths, effective coordination numbers.

A neighbour at distance d counts as w = exp(1 - (d / d_mean)^6), where d_mean is the mean of the distances with these
weights; the sum of the weights of an atom is its effective coordination number (R. Hoppe, Z. Kristallogr. 150, 23
(1979), doi:10.1524/zkri.1979.150.14.23). In rock salt it is 6.1, in face-centred cubic metals 12.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure

REACH_A = 8.0  # of the search for neighbours; an atom farther from all others has none
SAME_PLACE_A = 0.1  # shorter distances are those of an atom to itself, or errors of a file
_STEPS = 6  # of the iteration for the mean distance, which converges in four
_U_PER_A3_IN_G_PER_CM3 = 1.66053906660


@dataclass(frozen=True)
class Environments:
    """All pairs of n atoms and their neighbours within REACH_A, each pair in both directions.

    centers, others : (m,) indices of atoms
    distances_A, weights : (m,)
    coordination : (n,) effective coordination numbers, 0 for an atom without neighbours
    nearest_A, mean_A : (n,) distance of the nearest neighbour, and the weighted mean; NaN without neighbours
    """

    centers: np.ndarray
    others: np.ndarray
    distances_A: np.ndarray
    weights: np.ndarray
    coordination: np.ndarray
    nearest_A: np.ndarray
    mean_A: np.ndarray


def environments(structure: Structure, reach_A: float = REACH_A) -> Environments:
    """The neighbours of all atoms."""
    from pymatgen.optimization.neighbors import find_points_in_spheres

    n = len(structure.symbols)
    lattice = np.ascontiguousarray(structure.lattice, dtype=float)
    points = np.ascontiguousarray((structure.positions % 1.0) @ lattice)
    centers, others, _, distances = find_points_in_spheres(
        points, points, r=reach_A, pbc=np.ones(3, dtype=np.int64), lattice=lattice, tol=1e-8
    )
    apart = distances > SAME_PLACE_A
    centers, others, distances = centers[apart], others[apart], distances[apart]
    nearest = np.full(n, np.inf)
    np.minimum.at(nearest, centers, distances)
    mean = nearest.copy()
    for _ in range(_STEPS):
        weights = np.exp(1 - (distances / mean[centers]) ** 6)
        total = np.bincount(centers, weights, n)
        with np.errstate(invalid="ignore"):  # 0 / 0 for an atom without neighbours
            mean = np.bincount(centers, weights * distances, n) / total
    nearest[np.isinf(nearest)] = np.nan
    return Environments(centers, others, distances, weights, total, nearest, mean)


def density_g_per_cm3(structure: Structure) -> float:
    """Mass of the atoms divided by the volume of the cell."""
    mass_u = sum(elements.element(symbol).mass_u for symbol in structure.symbols)
    return _U_PER_A3_IN_G_PER_CM3 * mass_u / structure.volume_A3


def coordination_numbers(structure: Structure) -> Mapping[str, float]:
    """Element -> mean effective coordination number of its atoms, in the order in which chemists write them."""
    found = environments(structure).coordination
    symbols = np.array(structure.symbols)
    return {symbol: float(found[symbols == symbol].mean()) for symbol in structure.counts}


def coordination_text(structure: Structure) -> str:
    """The coordination numbers as text: "La 4.1, Fe 7.2, As 4.6, O 5.8"."""
    return ", ".join(f"{symbol} {number:.1f}" for symbol, number in coordination_numbers(structure).items())
