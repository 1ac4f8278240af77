"""The distances between the sites of a structure as numbers that can be compared: partial radial distributions.

The sites are in slots, one for each element. At unit volume per atom, rho_ij(r) is the mean density of the sites of
slot j at distance r from a site of slot i, smoothed by a Gaussian:

    rho_ij(r) = 1 / n_i sum_{a in i, b in j} g(r - r_ab) / (4 pi r_ab^2).

Structures that differ by a rotation, a choice of the cell, its volume or the elements have the same fingerprint.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from core.chemistry.structure import Structure

GRID = np.linspace(0.5, 2.3, 16)  # in units of the cube root of the volume per atom
WIDTH = 0.16  # of the Gaussian: compounds of one type, as LaFeAsO and CeFeAsO, differ by 4% in their distances
_REACH = float(GRID[-1] + 3 * WIDTH)
_FINE = 0.01  # width of the bins of distances before they are smoothed, each distance shared by the two nearest bins
_BINS = np.arange(0.0, _REACH + 2 * _FINE, _FINE)
_SMOOTHING = np.exp(-(((GRID - _BINS[:, None]) / WIDTH) ** 2) / 2) / (WIDTH * math.sqrt(2 * math.pi))


def fingerprint(structure: Structure, slots: np.ndarray) -> np.ndarray:
    """rho_ij on GRID: (k, k, 16) float32.

    slots : (n,) slot 0..k-1 of each site
    """
    from pymatgen.optimization.neighbors import find_points_in_spheres

    scaled = structure.scaled_to(1.0)
    lattice = np.ascontiguousarray(scaled.lattice)
    points = np.ascontiguousarray(scaled.positions @ lattice)
    centers, others, _, distances = find_points_in_spheres(
        points, points, r=_REACH, pbc=np.ones(3, dtype=np.int64), lattice=lattice, tol=1e-8
    )
    apart = distances > 1e-3
    r = distances[apart]
    count = int(slots.max()) + 1
    pair = slots[centers[apart]] * count + slots[others[apart]]
    weights = 1 / (4 * math.pi * np.maximum(r, GRID[0]) ** 2)
    below = (r / _FINE).astype(np.int64)
    upper = weights * (r / _FINE - below)
    place, size = pair * len(_BINS) + below, count * count * len(_BINS)
    binned = np.bincount(place, weights - upper, size) + np.bincount(place + 1, upper, size)
    sites = np.bincount(slots, minlength=count)
    return (binned.reshape(count, count, -1) @ _SMOOTHING / sites[:, None, None]).astype(np.float32)


def permuted(values: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """The fingerprint after slot order[i] has become slot i."""
    return values[..., order, :, :][..., :, order, :]


def distances(one: np.ndarray, others: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Distances of fingerprints (m, k, k, 16) from one (k, k, 16): (m,), 0 for equal ones.

    The mean over the grid of the absolute differences, summed over j and averaged over the sites of i.

    shares : (k,) share of each slot in the atoms
    """
    return np.abs(others - one).sum(axis=(-2, -1)) @ shares / len(GRID)


def exchanges(labels: Sequence[object]) -> list[tuple[int, ...]]:
    """The orders of slots that exchange only slots with equal labels, the unchanged order first.

    At most 720: beyond, only the unchanged order.
    """
    groups: dict[object, list[int]] = {}
    for place, label in enumerate(labels):
        groups.setdefault(label, []).append(place)
    if math.prod(math.factorial(len(group)) for group in groups.values()) > 720:
        return [tuple(range(len(labels)))]
    found = []
    for orders in itertools.product(*(itertools.permutations(group) for group in groups.values())):
        order = list(range(len(labels)))
        for group, new in zip(groups.values(), orders, strict=True):
            for place, source in zip(group, new, strict=True):
                order[place] = source
        found.append(tuple(order))
    return found
