"""Build `prototypes`, the library of crystal structures, from the structures of the raw data."""

from __future__ import annotations

import datetime
import math
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from core.chemistry import elements
from core.predictors import checkpoint
from core.reference_data import prototypes
from core.reference_data.prototypes import Prototypes
from core.training import structure_data
from core.training.prototype_groups import SAME, Group, Slotted, grouped, wyckoff_occupation
from core.training.structure_data import Entry

MOST_SLOTS, MOST_SITES, MOST_COUNT = 8, 80, 120
_PRIOR = 0.5  # pairs of elements: added to the numbers observed and expected
_RANK = {"3DSC": 0, "MP": 1, "JARVIS-DFT": 2}


@dataclass(frozen=True)
class Compound:
    """All structures of one formula on the same slots of a prototype, as one.

    species : (k) elements at the slots
    volume_A3_per_atom, tc_K, above_hull_eV_per_atom : as in `Prototypes`
    id : of the first structure
    """

    species: tuple[str, ...]
    volume_A3_per_atom: float
    tc_K: float
    above_hull_eV_per_atom: float
    id: str


def train(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """Build the library; returns the card. `seed` is not used: nothing is drawn at random.

    Raises InputError if the raw data are missing.
    """
    entries, counts = structure_data.read_entries(folder, build / "prototypes", log=print)
    library = library_of(entries)
    card = {
        "name": prototypes.NAME,
        "architecture": prototypes.ARCHITECTURE,
        "what": "Prototypes of crystal structures, and the compounds known for each",
        "data": structure_data.ATTRIBUTION,
        "licence": "CC BY 4.0, as the data",
        "symmetry": "spglib, symprec 0.1 Å; positions made symmetric, primitive standard cells",
        "largest_distance_within_a_prototype": SAME,
        "counts": {**counts, **figures(library)},
        "metrics_held_out": {},
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(prototypes.NAME, prototypes.pack(library), card, out)
    return card


def figures(library: Prototypes) -> dict[str, int]:
    """Counts for the card."""
    return {
        "prototypes": len(library),
        "prototypes of one compound": int((library.members == 1).sum()),
        "compounds": int(library.members.sum()),
        "compounds with a measured Tc above 0, or doped compositions with one": int((library.tc_K > 0).sum()),
        "stoichiometries": len(library.by_stoichiometry),
    }


def library_of(entries: Iterable[Entry]) -> Prototypes:
    """The library of some structures, in an order that does not depend on theirs.

    Left out: structures with more than 8 elements, 80 atoms in the primitive cell or 120 atoms of one element per
    formula unit.
    """
    fitting = [entry for entry in entries if _fits(entry)]
    fitting.sort(key=lambda entry: (_RANK[entry.source], _number(entry.id), entry.id))
    groups = grouped(fitting)
    return _packed(groups, [_compounds(group) for group in groups])


def _number(entry_id: str) -> int:
    """The number of an id: 149 of "mp-149", 1180019 of "mp-1180019:Pb1O2" and of "mp-1180019#2"."""
    return int(re.findall(r"\d+", entry_id)[0])


def _fits(entry: Entry) -> bool:
    count = Counter(entry.symmetric.structure.symbols)
    per_unit = max(count.values()) // math.gcd(*count.values())
    return len(count) <= MOST_SLOTS and sum(count.values()) <= MOST_SITES and per_unit <= MOST_COUNT


def _compounds(group: Group) -> list[Compound]:
    """The compounds of a prototype: that of the geometry first, equal ones merged."""
    by_species: dict[tuple[str, ...], list[Slotted]] = defaultdict(list)
    for place, member in enumerate(group.members):
        species = group.species(place)
        equal = min(tuple(species[i] for i in exchange) for exchange in group.equivalent)
        by_species[equal].append(member)
    first = min(tuple(group.species(0)[i] for i in exchange) for exchange in group.equivalent)
    by_species = {first: by_species.pop(first), **by_species}
    return [_compound(species, members) for species, members in by_species.items()]


def _compound(species: tuple[str, ...], members: Sequence[Slotted]) -> Compound:
    entries = sorted((member.entry for member in members), key=lambda entry: entry.source != "MP")  # ids of MP first
    volumes = [entry.symmetric.structure.volume_A3_per_atom for entry in entries]
    tc = [entry.facts.get(name) for entry in entries for name in ("tc_k", "tc_doped_max_k")]
    hull = [entry.facts.get("e_hull") for entry in entries]
    return Compound(species, float(np.median(volumes)), _most(tc, max), _most(hull, min), entries[0].id)


def _most(values: Iterable[float | None], choose) -> float:
    known = [value for value in values if value is not None]
    return float(choose(known)) if known else math.nan


def _packed(groups: Sequence[Group], compounds: Sequence[Sequence[Compound]]) -> Prototypes:
    heads = [group.members[0] for group in groups]
    cells = [head.entry.symmetric for head in heads]
    slots = [_slots_of(group) for group in groups]
    flat = [compound for row in compounds for compound in row]
    index = {symbol: place for place, symbol in enumerate(elements.symbols())}
    species = [np.array([[index[s] for s in compound.species] for compound in row]) for row in compounds]
    volumes = np.array([compound.volume_A3_per_atom for compound in flat])
    counts = [np.array(head.counts) for head in heads]
    return Prototypes(
        space_group=np.array([cell.space_group for cell in cells]),
        slots=np.array([len(head.species) for head in heads]),
        sites=np.array([len(cell.structure.symbols) for cell in cells]),
        counts=np.concatenate(counts),
        lattices=np.array([structure_data.lattice_parameters(cell.structure.lattice) for cell in cells]),
        positions=np.concatenate([cell.structure.positions for cell in cells]),
        slot_of_site=np.concatenate(slots),
        wyckoff=tuple(wyckoff_occupation(cell, slot) for cell, slot in zip(cells, slots, strict=True)),
        equivalents=np.array([len(group.equivalent) for group in groups]),
        exchanges=np.concatenate([np.array(group.equivalent).ravel() for group in groups]),
        members=np.array([len(row) for row in compounds]),
        species=np.concatenate([rows.ravel() for rows in species]),
        volumes_A3_per_atom=volumes,
        tc_K=np.array([compound.tc_K for compound in flat]),
        above_hull_eV_per_atom=np.array([compound.above_hull_eV_per_atom for compound in flat]),
        ids=np.array([_number(compound.id) for compound in flat]),
        source_of_id=np.array([prototypes.SOURCES.index(compound.id.split("-")[0]) for compound in flat]),
        radii_A=atomic_radii_A(),
        atomic_volumes_A3=atomic_volumes_A3(species, counts, volumes),
        substitutions=substitutions(species),
    )


def _slots_of(group: Group) -> np.ndarray:
    """Slot of each site of the geometry, in the slots of the prototype."""
    place_of = {int(own): place for place, own in enumerate(group.orders[0])}
    return np.array([place_of[int(slot)] for slot in group.members[0].slots])


def atomic_radii_A() -> np.ndarray:
    """Atomic radii (118,) by Slater, calculated ones where he gives none, as pymatgen lists them; NaN: neither."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of each element without a calculated radius
        radii = [(Element(s).atomic_radius or Element(s).atomic_radius_calculated) for s in elements.symbols()]
    return np.array([math.nan if radius is None else float(radius) for radius in radii])


def atomic_volumes_A3(species: Sequence[np.ndarray], counts: Sequence[np.ndarray], volumes: np.ndarray) -> np.ndarray:
    """Volumes (118,) v_e >= 0 that minimise sum (sum_e x_e v_e / V - 1)^2 over the compounds, V per atom.

    species : for each prototype (members, k) elements at the slots; counts : (k,) atoms of each slot
    volumes : of all compounds, in Å3 per atom

    NaN for an element of fewer than 3 compounds.
    """
    shares = np.zeros((len(volumes), elements.N_ELEMENTS))
    row = 0
    for rows, count in zip(species, counts, strict=True):
        for slot, share in enumerate(count / count.sum()):
            shares[np.arange(row, row + len(rows)), rows[:, slot]] += share
        row += len(rows)
    scaled = shares / volumes[:, None]
    found, _ = nnls(scaled.T @ scaled, scaled.sum(0), maxiter=10_000)  # the normal equations, which are small
    return np.where((shares > 0).sum(0) >= 3, found, math.nan)


def substitutions(species: Sequence[np.ndarray]) -> np.ndarray:
    """Log of how much more often than by chance two elements take the same slot of the same prototype: (118, 118).

    observed(a, b) = sum over prototypes of m compounds and their slots of n_a n_b / m, where n counts the compounds
    with an element at the slot; expected from the totals of the elements; PRIOR is added to both. After the
    substitution statistics of Glawe et al. 2016, doi:10.1088/1367-2630/18/9/093011.
    """
    observed = np.zeros((elements.N_ELEMENTS, elements.N_ELEMENTS))
    for rows in species:
        if len(rows) < 2:
            continue
        for column in rows.T:
            kinds, counts = np.unique(column, return_counts=True)
            pairs = np.outer(counts, counts).astype(float)
            np.fill_diagonal(pairs, counts * (counts - 1))
            observed[np.ix_(kinds, kinds)] += pairs / (len(rows) - 1)
    totals = observed.sum(1)
    expected = np.outer(totals, totals) / max(totals.sum(), 1.0)
    return np.log((observed + _PRIOR) / (expected + _PRIOR))
