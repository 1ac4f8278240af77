"""Groups structures into prototypes: same stoichiometry, space group and Wyckoff occupation, and similar distances."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.chemistry import elements
from core.structures import fingerprint
from core.structures.symmetry import SymmetricStructure
from core.training.structure_data import Entry

SAME = 0.12  # largest distance of the fingerprints of one prototype from that of its first structure
AUTOMORPHIC = 0.02  # smaller distances after an exchange of slots: the slots are equivalent

SlotLabel = tuple[int, tuple[str, ...]]


@dataclass(frozen=True)
class Slotted:
    """An entry with its elements in slots: in order of number, site symmetries and Mendeleev number.

    species : (k) element of each slot
    labels : (k) number of atoms in lowest terms, and multiplicities with site symmetries, of each slot
    """

    entry: Entry
    species: tuple[str, ...]
    labels: tuple[SlotLabel, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Atoms in each slot, in lowest terms, ascending."""
        return tuple(label[0] for label in self.labels)

    @property
    def key(self) -> tuple:
        """Equal for structures that can have the same prototype."""
        return self.entry.symmetric.space_group, self.labels

    @cached_property
    def slots(self) -> np.ndarray:
        """(n,) slot of each atom."""
        return np.array([self.species.index(symbol) for symbol in self.entry.symmetric.structure.symbols])

    @cached_property
    def fingerprint(self) -> np.ndarray:
        """(k, k, 16) partial radial distributions."""
        return fingerprint.fingerprint(self.entry.symmetric.structure, self.slots)


@dataclass(frozen=True)
class Group:
    """The structures of one prototype.

    members : the structures, that which is nearest the mean first
    orders : (m, k) slot of each member that is at slot i of the prototype
    equivalent : exchanges of slots that leave the prototype as it is, the identity first
    """

    members: tuple[Slotted, ...]
    orders: np.ndarray
    equivalent: tuple[tuple[int, ...], ...]

    def species(self, member: int) -> tuple[str, ...]:
        """Elements (k) of a member at the slots of the prototype."""
        return tuple(self.members[member].species[i] for i in self.orders[member])


def slotted(entry: Entry) -> Slotted:
    """The entry with its elements in slots."""
    found = entry.symmetric
    counts = Counter(found.structure.symbols)
    divisor = math.gcd(*counts.values())
    orbits = Counter(found.orbits.tolist())
    sites: dict[str, list[str]] = defaultdict(list)
    for first, multiplicity in orbits.items():
        sites[found.structure.symbols[first]].append(f"{multiplicity}:{_unoriented(found.site_symmetries[first])}")
    rows = sorted(
        ((count // divisor, tuple(sorted(sites[symbol]))), elements.element(symbol).mendeleev_number or 0, symbol)
        for symbol, count in counts.items()
    )
    return Slotted(entry, tuple(row[2] for row in rows), tuple(row[0] for row in rows))


def _unoriented(site_symmetry: str) -> str:
    """A site symmetry without its orientation: 2mm., m2m. and .m.m are written with sorted letters."""
    return "".join(sorted(site_symmetry.replace(".", "")))


def wyckoff_occupation(found: SymmetricStructure, slots: np.ndarray) -> str:
    """The Wyckoff positions of each slot, as "4a|4b|8c4d": multiplicities in the primitive cell, and letters."""
    count = Counter(found.orbits.tolist())
    words: dict[int, list[str]] = defaultdict(list)
    for first, multiplicity in count.items():
        words[int(slots[first])].append(f"{multiplicity}{found.wyckoffs[first]}")
    return "|".join("".join(sorted(words[slot], key=lambda word: word[-1])) for slot in sorted(words))


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """All prototypes, in a fixed order; the entries that come first found the prototypes."""
    by_key: dict[tuple, list[Slotted]] = defaultdict(list)
    for entry in entries:
        each = slotted(entry)
        by_key[each.key].append(each)
    return [group for key in sorted(by_key, key=repr) for group in _clusters(by_key[key])]


def _clusters(members: Sequence[Slotted]) -> list[Group]:
    """Each structure joins the nearest founder within SAME, or founds a prototype."""
    orders = fingerprint.exchanges(members[0].labels)
    shares = np.array(members[0].counts) / sum(members[0].counts)
    founders = np.empty((0, *members[0].fingerprint.shape), dtype=np.float32)
    clusters: list[list[tuple[Slotted, tuple[int, ...]]]] = []
    for member in members:
        own = [fingerprint.permuted(member.fingerprint, order) for order in orders]
        apart = np.stack([fingerprint.distances(each, founders, shares) for each in own])  # (orders, founders)
        place = int(np.argmin(apart.min(0))) if len(founders) else -1
        if len(founders) and apart[:, place].min() <= SAME:
            choice = int(np.argmin(np.round(apart[:, place], 3)))  # equivalent orders: the first, by Mendeleev number
            clusters[place].append((member, orders[choice]))
        else:
            founders = np.concatenate([founders, own[0][None]])
            clusters.append([(member, orders[0])])
    return [_group(cluster, orders, shares) for cluster in clusters]


def _group(cluster: list[tuple[Slotted, tuple[int, ...]]], orders: list[tuple[int, ...]], shares: np.ndarray) -> Group:
    prints = np.stack([fingerprint.permuted(member.fingerprint, order) for member, order in cluster])
    middle = int(np.argmin(fingerprint.distances(prints.mean(0), prints, shares)))
    order = [middle, *(i for i in range(len(cluster)) if i != middle)]
    exchanged = np.stack([fingerprint.permuted(prints[middle], each) for each in orders])
    apart = fingerprint.distances(prints[middle], exchanged, shares)
    equivalent = tuple(each for each, distance in zip(orders, apart, strict=True) if distance <= AUTOMORPHIC)
    return Group(tuple(cluster[i][0] for i in order), np.array([cluster[i][1] for i in order]), equivalent)
