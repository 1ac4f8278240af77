"""Ordered formulas that a doped formula stands near: La2CuO4 for La1.85Sr0.15CuO4.

A parent has a stoichiometry of the library. Its elements are those of the formula without up to three dopants; each
dopant is on the site of the most similar host that is no rarer, a metal on that of a metal. The amounts of the sites,
hosts with their dopants, are rounded to n atoms; the parent has the least

    cost = sum over dopants of share (0.5 + 0.25 distance to the host) + 2 rounded share + 0.005 n,

less 0.05 if a compound of the parent's formula is known.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.reference_data.prototypes import Prototypes

MOST_DOPANTS, MOST_ATOMS = 3, 24
MOST_ROUNDED = 0.06  # share of the atoms that may be missing or in excess
MOST_REPLACED = 1 / 3  # share of the atoms that may be dopants
LEAST_HOST = 0.5  # share of a site that its host keeps
_COST_OF_REPLACING, _COST_OF_DISTANCE, _COST_OF_ROUNDING, _COST_OF_AN_ATOM, _KNOWN = 0.5, 0.25, 2.0, 0.005, 0.05


@dataclass(frozen=True)
class Parent:
    """An ordered formula.

    counts : atoms of each element, in lowest terms
    hosts : dopant -> element that it replaces
    shares : dopant -> share of the host's sites that it takes
    rounded : share of the atoms that are missing or in excess in the formula
    cost : see above
    """

    counts: Mapping[str, int]
    hosts: Mapping[str, str]
    shares: Mapping[str, float]
    rounded: float
    cost: float


def parents(library: Prototypes, distances: np.ndarray, amounts: Mapping[str, float]) -> list[Parent]:
    """The parents of a formula, the nearest first; empty if there are none.

    distances : (118, 118) `core.structures.element_distance.element_distances`
    amounts : of each element, above 0
    """
    symbols = sorted(amounts, key=lambda symbol: (-amounts[symbol], symbol))
    found: dict[tuple, Parent] = {}
    for size in range(min(MOST_DOPANTS, len(symbols) - 1) + 1):
        for dopants in itertools.combinations(symbols, size):
            hosts = _hosts(dopants, symbols, amounts, distances)
            if hosts is None:
                continue
            for parent in _rounded(library, distances, amounts, hosts):
                key = tuple(sorted(parent.counts.items()))
                if key not in found or parent.cost < found[key].cost:
                    found[key] = parent
    return sorted(found.values(), key=lambda parent: (parent.cost, sorted(parent.counts.items())))


def _hosts(
    dopants: tuple[str, ...], symbols: list[str], amounts: Mapping[str, float], distances: np.ndarray
) -> dict[str, str] | None:
    """Dopant -> host; None if a dopant has none."""
    hosts = {}
    for dopant in dopants:
        own = elements.element(dopant)
        possible = [
            symbol
            for symbol in symbols
            if symbol not in dopants
            and amounts[symbol] >= amounts[dopant]
            and elements.element(symbol).metal == own.metal
        ]
        if not possible:
            return None
        hosts[dopant] = min(possible, key=lambda symbol: (distances[own.index, elements.element(symbol).index], symbol))
    return hosts


def _rounded(
    library: Prototypes, distances: np.ndarray, amounts: Mapping[str, float], hosts: Mapping[str, str]
) -> list[Parent]:
    """The parents with these hosts, one for each number of atoms."""
    total = math.fsum(amounts.values())
    sites = {symbol: amount for symbol, amount in amounts.items() if symbol not in hosts}
    for dopant, host in hosts.items():
        sites[host] += amounts[dopant]
    if math.fsum(amounts[dopant] for dopant in hosts) > MOST_REPLACED * total:
        return []
    if any(amounts[host] < LEAST_HOST * sites[host] for host in hosts.values()):
        return []
    shares = np.array(list(sites.values())) / total
    replaced = math.fsum(
        amounts[d] / total * (_COST_OF_REPLACING + _COST_OF_DISTANCE * _distance(distances, d, h))
        for d, h in hosts.items()
    )
    found = []
    for n in range(len(sites), MOST_ATOMS + 1):
        counts = np.round(shares * n).astype(int)
        if counts.min() < 1 or np.gcd.reduce(counts) > 1 or tuple(sorted(counts)) not in library.by_stoichiometry:
            continue
        rounded = float(np.abs(counts / counts.sum() - shares).sum() / 2)
        if rounded > MOST_ROUNDED:
            continue
        own = dict(zip(sites, counts.tolist(), strict=True))
        cost = replaced + _COST_OF_ROUNDING * rounded + _COST_OF_AN_ATOM * n
        cost -= _KNOWN * (frozenset(own.items()) in library.formulas)
        taken = {dopant: amounts[dopant] / sites[host] for dopant, host in hosts.items()}
        found.append(Parent(own, dict(hosts), taken, rounded, cost))
    return found


def _distance(distances: np.ndarray, one: str, other: str) -> float:
    return float(distances[elements.element(one).index, elements.element(other).index])
