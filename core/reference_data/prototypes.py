"""The library of prototypes: the kinds of crystal structures, and the known compounds of each.

A prototype is a stoichiometry with a space group, an occupation of Wyckoff positions and the geometry of one compound.
Its sites are in slots, one for each element. `python -m core train prototypes` builds the library, which is stored as a
checkpoint, `checkpoints/prototypes.safetensors` and its card, and verified when loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.chemistry.structure import Structure, lattice_matrix
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.reference_data.references import pack_text, unpack_text

NAME = "prototypes"
ARCHITECTURE = "prototype-library-v1"
POSITION_STEPS = 65520  # a position is stored as a multiple of 1 / 65520, which includes 1/3, 1/7, 1/8 and 1/13
SOURCES = ("mp", "mvc", "JVASP")  # ids are "mp-149", "mvc-2000" and "JVASP-1002"


@dataclass(frozen=True)
class Stoichiometry:
    """The prototypes of a stoichiometry, with their compounds in one array.

    prototypes : (p,) those without equivalent slots; members : (p,) number of compounds of each
    species : (sum of members, k) index of the element at each slot; rows : (sum of members,) row of each compound
    with_exchanges : the other prototypes
    """

    prototypes: np.ndarray
    members: np.ndarray
    species: np.ndarray
    rows: np.ndarray
    with_exchanges: tuple[int, ...]


@dataclass(frozen=True)
class Prototypes:
    """p prototypes and m compounds, in the order of the prototypes; ragged arrays are flat.

    space_group, slots, sites : (p,) international number, number of elements, number of atoms in the primitive cell
    counts : atoms of each slot in lowest terms, flat over the slots
    lattices : (p, 6) a, b, c in Å and alpha, beta, gamma in degrees
    positions : (sum of sites, 3) fractional coordinates
    slot_of_site : (sum of sites,) slot of each atom
    wyckoff : Wyckoff occupation of each prototype, "4a|4b"
    equivalents : (p,) number of exchanges of slots that leave the prototype as it is; exchanges : these, flat
    members : (p,) number of compounds of each prototype, the compound of the geometry first
    species : index of the element at each slot, flat over compounds and slots
    volumes_A3_per_atom : (m,)
    tc_K : (m,) highest measured Tc of the compound or of compositions doped from it; 0: none reported; NaN: not in
        the lists of superconductors
    above_hull_eV_per_atom : (m,) calculated; NaN: unknown
    ids : (m,) number of the entry, source_of_id : (m,) its source, an index of SOURCES
    radii_A, atomic_volumes_A3 : (118,) atomic radius, and the volume that an atom adds to a compound; NaN: unknown
    substitutions : (118, 118) log of how much more often than by chance two elements replace each other
    """

    space_group: np.ndarray
    slots: np.ndarray
    sites: np.ndarray
    counts: np.ndarray
    lattices: np.ndarray
    positions: np.ndarray
    slot_of_site: np.ndarray
    wyckoff: tuple[str, ...]
    equivalents: np.ndarray
    exchanges: np.ndarray
    members: np.ndarray
    species: np.ndarray
    volumes_A3_per_atom: np.ndarray
    tc_K: np.ndarray
    above_hull_eV_per_atom: np.ndarray
    ids: np.ndarray
    source_of_id: np.ndarray
    radii_A: np.ndarray
    atomic_volumes_A3: np.ndarray
    substitutions: np.ndarray

    def __len__(self) -> int:
        """Number of prototypes."""
        return len(self.space_group)

    @cached_property
    def by_stoichiometry(self) -> Mapping[tuple[int, ...], np.ndarray]:
        """Atoms in each slot in lowest terms, ascending -> indices of the prototypes."""
        found: dict[tuple[int, ...], list[int]] = {}
        for place in range(len(self)):
            found.setdefault(self.counts_of(place), []).append(place)
        return {key: np.array(places) for key, places in found.items()}

    def of_stoichiometry(self, counts: tuple[int, ...]) -> Stoichiometry:
        """The prototypes with these numbers of atoms, in lowest terms, ascending; gathered once for each."""
        if counts not in self._stoichiometries:
            places = [int(place) for place in self.by_stoichiometry.get(counts, ())]
            plain = [place for place in places if self.equivalents[place] == 1]
            rows = [np.arange(self.rows_of(place).start, self.rows_of(place).stop) for place in plain]
            self._stoichiometries[counts] = Stoichiometry(
                np.array(plain, dtype=np.int64),
                self.members[plain] if plain else np.zeros(0, dtype=np.int64),
                np.concatenate([np.zeros((0, len(counts)), np.uint8), *(self.species_of(place) for place in plain)]),
                np.concatenate([np.zeros(0, dtype=np.int64), *rows]),
                tuple(place for place in places if self.equivalents[place] > 1),
            )
        return self._stoichiometries[counts]

    @cached_property
    def _stoichiometries(self) -> dict[tuple[int, ...], Stoichiometry]:
        return {}

    def counts_of(self, prototype: int) -> tuple[int, ...]:
        """Atoms in each slot in lowest terms, ascending."""
        start = self._first_slot[prototype]
        return tuple(self.counts[start : start + self.slots[prototype]].tolist())

    def rows_of(self, prototype: int) -> slice:
        """The compounds of a prototype, as a slice of the arrays of compounds."""
        return slice(int(self._first_member[prototype]), int(self._first_member[prototype] + self.members[prototype]))

    def species_of(self, prototype: int) -> np.ndarray:
        """(members, k) index of the element at each slot."""
        start, width = int(self._first_species[prototype]), int(self.slots[prototype])
        count = int(self.members[prototype])
        return self.species[start : start + count * width].reshape(count, width)

    def exchanges_of(self, prototype: int) -> np.ndarray:
        """(e, k) exchanges of slots that leave the prototype as it is, the identity first."""
        start, width = int(self._first_exchange[prototype]), int(self.slots[prototype])
        count = int(self.equivalents[prototype])
        return self.exchanges[start : start + count * width].reshape(count, width)

    def structure(self, prototype: int, species: Sequence[str]) -> Structure:
        """The geometry with these elements at the slots; the volume is that of the prototype's first compound."""
        start = int(self._first_site[prototype])
        end = start + int(self.sites[prototype])
        symbols = tuple(species[slot] for slot in self.slot_of_site[start:end])
        return Structure(lattice_matrix(self.lattices[prototype]), symbols, self.positions[start:end])

    def formula_of_member(self, prototype: int, member: int) -> str:
        """The formula of a compound of the prototype."""
        names = elements.symbols()
        species = self.species_of(prototype)[member]
        return formula_of({names[e]: float(n) for e, n in zip(species, self.counts_of(prototype), strict=True)})

    def label(self, prototype: int) -> str:
        """Stoichiometry, space group and Wyckoff positions of the primitive cell: "AB2 191 1a|2d"."""
        return f"{anonymous(self.counts_of(prototype))} {self.space_group[prototype]} {self.wyckoff[prototype]}"

    def id_of(self, row: int) -> str:
        """The id of a compound in its source: "mp-149"."""
        return f"{SOURCES[self.source_of_id[row]]}-{self.ids[row]}"

    @cached_property
    def formulas(self) -> frozenset[frozenset[tuple[str, int]]]:
        """The formulas of all compounds, each as pairs of element and number of atoms in lowest terms."""
        names = elements.symbols()
        return frozenset(
            frozenset((names[e], n) for e, n in zip(row, self.counts_of(place), strict=True))
            for place in range(len(self))
            for row in self.species_of(place).tolist()
        )

    @cached_property
    def _first_slot(self) -> np.ndarray:
        return _starts(self.slots)

    @cached_property
    def _first_site(self) -> np.ndarray:
        return _starts(self.sites)

    @cached_property
    def _first_member(self) -> np.ndarray:
        return _starts(self.members)

    @cached_property
    def _first_species(self) -> np.ndarray:
        return _starts(self.members.astype(np.int64) * self.slots)

    @cached_property
    def _first_exchange(self) -> np.ndarray:
        return _starts(self.equivalents.astype(np.int64) * self.slots)


def anonymous(counts: Sequence[int]) -> str:
    """Numbers of atoms in lowest terms, ascending -> the stoichiometry with letters for the elements: "AB2"."""
    return "".join(f"{chr(ord('A') + i)}{'' if n == 1 else n}" for i, n in enumerate(counts))


def _starts(lengths: np.ndarray) -> np.ndarray:
    """Index of the first entry of each ragged row."""
    return np.concatenate([[0], np.cumsum(lengths.astype(np.int64))[:-1]])


_STORED = {
    "space_group": np.uint8, "slots": np.uint8, "sites": np.uint8, "counts": np.uint8, "lattices": np.float32,
    "slot_of_site": np.uint8, "equivalents": np.int16, "exchanges": np.uint8, "members": np.int32, "species": np.uint8,
    "volumes_A3_per_atom": np.float16, "tc_K": np.float16, "above_hull_eV_per_atom": np.float16, "ids": np.int32,
    "source_of_id": np.uint8, "radii_A": np.float32, "atomic_volumes_A3": np.float32, "substitutions": np.float16,
}  # fmt: skip


def pack(library: Prototypes) -> dict[str, torch.Tensor]:
    """The library as the tensors of its checkpoint."""
    tensors = {name: torch.from_numpy(getattr(library, name).astype(kind)) for name, kind in _STORED.items()}
    steps = np.round(library.positions % 1.0 * POSITION_STEPS) % POSITION_STEPS
    tensors["positions"] = torch.from_numpy(steps.astype(np.uint16))
    tensors["wyckoff"] = pack_text(library.wyckoff)
    return tensors


def unpack(tensors: Mapping[str, torch.Tensor]) -> Prototypes:
    """The inverse of `pack`, up to the precision of the stored numbers."""
    arrays = {name: tensors[name].numpy() for name in _STORED}
    wide = {name: value.astype(np.float64) for name, value in arrays.items() if value.dtype.kind == "f"}
    positions = tensors["positions"].numpy().astype(np.float64) / POSITION_STEPS
    return Prototypes(**(arrays | wide), positions=positions, wyckoff=unpack_text(tensors["wyckoff"]))


@cache
def load_prototypes(folder: Path = CHECKPOINTS) -> Prototypes:
    """The library, loaded once per process. Raises CheckpointError."""
    return unpack(checkpoint.load(NAME, ARCHITECTURE, folder)[0])
