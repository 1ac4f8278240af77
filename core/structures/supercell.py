"""Small ordered supercells in which dopants take some of the sites of their hosts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np

from core.chemistry.structure import Structure

MOST_SITES = 48
MOST_DEVIATION = 0.03  # of a dopant's share of the host's sites


def repeated(structure: Structure, factors: tuple[int, int, int]) -> Structure:
    """The supercell with this number of cells along each lattice vector; the images of an atom follow each other."""
    shifts = np.array(list(itertools.product(*map(range, factors))), dtype=float)
    positions = ((structure.positions[:, None] + shifts[None]) / factors).reshape(-1, 3)
    symbols = tuple(symbol for symbol in structure.symbols for _ in shifts)
    return Structure(structure.lattice * np.array(factors)[:, None], symbols, positions)


def doped_supercell(
    structure: Structure, hosts: Mapping[str, str], shares: Mapping[str, float], most_sites: int = MOST_SITES
) -> Structure | None:
    """The smallest supercell in which each dopant has its share of the host's sites, to MOST_DEVIATION.

    hosts : dopant -> host; shares : dopant -> share of the host's sites

    None if it would need more than `most_sites`. The sites of a dopant are as far from each other as possible: each
    next one is that with the greatest distance to those taken before.
    """
    if not hosts:
        return None
    for cells in range(1, most_sites // len(structure.symbols) + 1):
        counts = {d: round(shares[d] * structure.symbols.count(h) * cells) for d, h in hosts.items()}
        sites = {d: structure.symbols.count(h) * cells for d, h in hosts.items()}
        if all(counts[d] >= 1 and abs(counts[d] / sites[d] - shares[d]) <= MOST_DEVIATION for d in hosts):
            return _with_dopants(repeated(structure, _factors(structure, cells)), hosts, counts)
    return None


def _factors(structure: Structure, cells: int) -> tuple[int, int, int]:
    """The factors with this product whose supercell has the shortest longest lattice vector."""
    lengths = np.linalg.norm(structure.lattice, axis=1)
    possible = [
        (a, b, cells // a // b)
        for a in range(1, cells + 1)
        if cells % a == 0
        for b in range(1, cells // a + 1)
        if cells // a % b == 0
    ]
    return min(possible, key=lambda factors: (round(float((lengths * factors).max()), 6), factors))


def _with_dopants(cell: Structure, hosts: Mapping[str, str], counts: Mapping[str, int]) -> Structure:
    symbols = list(cell.symbols)
    for dopant, host in hosts.items():
        free = [i for i, symbol in enumerate(symbols) if symbol == host]
        taken: list[int] = []
        for _ in range(counts[dopant]):
            best = max(free, key=lambda site: (round(_nearest_A(cell, site, taken), 4), -site))
            free.remove(best)
            taken.append(best)
            symbols[best] = dopant
    return cell.with_symbols(symbols)


def _nearest_A(cell: Structure, site: int, others: list[int]) -> float:
    """Distance of a site to the nearest of the others, periodic images included, in Å; inf without others."""
    if not others:
        return math.inf
    differences = cell.positions[site] - cell.positions[others]
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    cartesian = ((differences - np.round(differences))[:, None] + images) @ cell.lattice
    return float(np.sqrt((cartesian**2).sum(-1)).min())
