"""Known compounds as templates of a formula: every prototype of its stoichiometry, with every assignment of elements.

A candidate is a prototype with the elements of the formula assigned to its slots; assignments that an exchange of
equivalent slots turns into each other are one candidate. Each compound of the prototype is a template of it, at a
distance: the sum over the slots of `element_distances` between the element there and the one that replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.chemistry import elements
from core.reference_data.prototypes import Prototypes, Stoichiometry
from core.structures.element_distance import element_distances, filled_radii_A, share_of_common_states
from core.structures.fingerprint import exchanges


@dataclass(frozen=True)
class ElementTables:
    """What replacing an element by another means, each (118, 118), from a library and the element table."""

    distances: np.ndarray
    substitutions: np.ndarray
    common_states: np.ndarray
    radius_changes: np.ndarray

    @classmethod
    def of(cls, library: Prototypes) -> ElementTables:
        """The tables of a library; `radius_changes` are absolute logarithms of the ratios of radii."""
        radii = np.log(filled_radii_A(library.radii_A))
        return cls(
            element_distances(library.radii_A), library.substitutions, share_of_common_states(),
            np.abs(radii[:, None] - radii[None]),
        )  # fmt: skip


@dataclass(frozen=True)
class Templates:
    """All candidates of a formula, and the distances of their templates, the pairs flat in the order of the candidates.

    prototypes : (c,) index of the prototype
    species : (c, k) index of the element at each slot
    starts : (c + 1,) first pair of each candidate, and the number of pairs
    rows : (pairs,) row of the compound in the library
    distances : (pairs,)
    columns : (pairs, k) index of the element of the compound that is replaced at each slot
    """

    prototypes: np.ndarray
    species: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    distances: np.ndarray
    columns: np.ndarray

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.prototypes)

    @cached_property
    def owner(self) -> np.ndarray:
        """(pairs,) candidate of each pair."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def templates(library: Prototypes, tables: ElementTables, counts: Mapping[str, int]) -> Templates:
    """The candidates of a formula, in a fixed order: those of prototypes with equivalent slots last.

    counts : atoms of each element, in lowest terms

    No candidates if no prototype has the stoichiometry.
    """
    symbols = sorted(counts, key=lambda symbol: (counts[symbol], elements.element(symbol).index))
    target = np.array([elements.element(symbol).index for symbol in symbols])
    sizes = [counts[symbol] for symbol in symbols]
    if tuple(sizes) not in library.by_stoichiometry:  # of many elements there are too many assignments to list
        return _joined([], len(sizes))
    orders = np.array(exchanges(sizes))
    assigned = target[orders]
    found = library.of_stoichiometry(tuple(sizes))
    parts = [_without_exchanges(tables, found, assigned)] if len(found.prototypes) else []
    parts += [_of_prototype(library, tables, prototype, assigned, orders) for prototype in found.with_exchanges]
    return _joined(parts, len(sizes))


def _without_exchanges(tables: ElementTables, found: Stoichiometry, assigned: np.ndarray) -> Templates:
    """Candidates of the prototypes none of whose slots are equivalent. assigned : (orders, k) elements at the slots"""
    apart = tables.distances[assigned[:, None], found.species[None]].sum(-1)  # (orders, compounds)
    count, orders = len(found.prototypes), len(assigned)
    return Templates(
        np.tile(found.prototypes, orders),
        np.repeat(assigned, count, axis=0),
        np.concatenate([[0], np.cumsum(np.tile(found.members, orders))]),
        np.tile(found.rows, orders),
        apart.ravel(),
        np.tile(found.species, (orders, 1)),
    )


def _of_prototype(
    library: Prototypes, tables: ElementTables, prototype: int, assigned: np.ndarray, orders: np.ndarray
) -> Templates:
    """Candidates of one prototype. assigned : (orders, k) elements at the slots"""
    known = library.species_of(prototype)
    count = len(known)
    apart = tables.distances[assigned[:, None], known[None]].sum(-1)  # (orders, members)
    place = {tuple(order): i for i, order in enumerate(orders.tolist())}
    equivalent = library.exchanges_of(prototype)
    done: set[int] = set()
    chosen, distances, columns = [], [], []
    for own in range(len(orders)):
        if own in done:
            continue
        same = [place.get(tuple(orders[own][exchange].tolist()), own) for exchange in equivalent]
        done.update(same)
        best = np.array(same)[np.argmin(apart[same], axis=0)]  # the exchange that fits each compound best
        chosen.append(own)
        distances.append(apart[best, np.arange(count)])
        columns.append(_aligned(known, assigned[own], assigned[best]))
    rows = library.rows_of(prototype)
    return Templates(
        np.full(len(chosen), prototype),
        assigned[chosen],
        np.arange(len(chosen) + 1) * count,
        np.tile(np.arange(rows.start, rows.stop), len(chosen)),
        np.concatenate(distances),
        np.concatenate(columns),
    )


def _aligned(known: np.ndarray, own: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Elements replaced at the slots (members, k) when compounds were compared in other, equivalent assignments.

    own : (k,) elements of the candidate; chosen : (members, k) the same elements in the order compared
    """
    place = np.argmax(own[:, None] == chosen[:, None, :], axis=2)  # (members, k): slot of own[i] in chosen
    return np.take_along_axis(known, place, axis=1)


def _joined(parts: Sequence[Templates], width: int) -> Templates:
    """The candidates of all parts."""
    none = np.zeros(0, dtype=np.int64)
    if not parts:
        return Templates(none, np.zeros((0, width), int), np.zeros(1, int), none, none, np.zeros((0, width), int))
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    return Templates(
        np.concatenate([part.prototypes for part in parts]),
        np.concatenate([part.species for part in parts]),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.columns for part in parts]),
    )
