"""Energy above hull of a relaxed structure, where all energies are those of one interatomic potential.

The reference phases of a chemical system are all compounds in the library of prototypes and in `large-cells` that are
made of its elements only, and the elements. Each has the lowest energy of its first known structures after relaxation.
These energies are computed when a system is asked for the first time, and kept in a folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.chemistry.composition import composition_vector, formula_of
from core.chemistry.element_order import ordered
from core.chemistry.structure import Structure
from core.files import read_json, write_json
from core.screening.convex_hull import Hull, HullDistance
from core.structures.at_once import mapped
from core.structures.relaxation import RELAXED, STEP_LIMIT, Relaxation

MOST_ATOMS = 40  # of a reference structure
VERSION = 2  # of the choice of structures: energies in a folder that were made by another one are made again
Formula = frozenset[tuple[str, int]]  # pairs of element and number of atoms, in lowest terms


class Stopped(Exception):
    """The computation of a reference energy was stopped; nothing of it is kept."""


@dataclass(frozen=True)
class PotentialHull:
    """The hull of a chemical system.

    elements_eV_per_atom : energy of each element
    hull : of the formation energies from these
    """

    elements_eV_per_atom: Mapping[str, float]
    hull: Hull

    def distance(self, structure: Structure, energy_eV_per_atom: float) -> HullDistance:
        """Distance of a structure of the system with an energy by the same potential. Raises KeyError outside it."""
        return self.hull.distance(composition_vector(_amounts(structure.counts)), self._formation(
            structure.counts, energy_eV_per_atom))  # fmt: skip

    def _formation(self, counts: Mapping[str, int], energy_eV_per_atom: float) -> float:
        return formation_energy(counts, energy_eV_per_atom, self.elements_eV_per_atom)


def formation_energy(
    counts: Mapping[str, int], energy_eV_per_atom: float, elements_eV_per_atom: Mapping[str, float]
) -> float:
    """Energy minus that of the elements, in eV/atom. Raises KeyError for an element without energy."""
    n = sum(counts.values())
    return energy_eV_per_atom - sum(elements_eV_per_atom[symbol] * m for symbol, m in counts.items()) / n


def hull_of(energies_eV_per_atom: Mapping[Formula, float]) -> PotentialHull:
    """The hull of phases with these energies. Raises KeyError if an element of a phase has no energy of its own."""
    pure = {symbol: energy for key, energy in energies_eV_per_atom.items() if len(key) == 1 for symbol, _ in key}
    keys = sorted(energies_eV_per_atom, key=sorted)
    formation = [formation_energy(dict(key), energies_eV_per_atom[key], pure) for key in keys]
    vectors = np.stack([composition_vector(_amounts(dict(key))) for key in keys])
    return PotentialHull(pure, Hull(vectors, np.array(formation), [formula_name(key) for key in keys]))


class ReferenceEnergies:
    """Energies of known compounds by one potential, computed when needed, one file each in a folder.

    structures : formula -> its known structures, the stablest first
    relax : relaxes a structure; may raise Stopped
    given : name of a formula -> energy that need not be computed, None where none of its structures could be relaxed
    at_once : compounds that are relaxed at the same time
    """

    def __init__(
        self,
        folder: Path,
        formulas: Iterable[Formula],
        structures: Callable[[Formula], list[Structure]],
        relax: Callable[[Structure], Relaxation],
        given: Mapping[str, float | None] | None = None,
        at_once: int = 1,
    ):
        """The folder is made if it is missing. Raises OSError if it cannot be written."""
        self._at_once = at_once
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._structures, self._relax, self._given = folder, structures, relax, given or {}
        self._formulas = list(formulas)

    def phases(self, system: Collection[str]) -> list[Formula]:
        """The known compounds of the elements of a system, the elements among them."""
        return sorted((key for key in self._formulas if {s for s, _ in key} <= set(system)), key=sorted)

    def hull(
        self, system: Collection[str], progress: Callable[[int, int], None] = lambda done, all_: None
    ) -> PotentialHull | None:
        """The hull of the elements of a system; None if one of them has no energy.

        progress : called with the finished and all reference phases

        Raises Stopped if `relax` does.
        """
        inside = self.phases(system)
        found = self.energies_eV_per_atom(inside, lambda done: progress(done, len(inside)))
        energies = {key: energy for key, energy in found.items() if energy is not None}
        if any(frozenset({(symbol, 1)}) not in energies for symbol in system):
            return None
        return hull_of(energies)

    def energies_eV_per_atom(
        self, keys: Sequence[Formula], told: Callable[[int], None] = lambda done: None
    ) -> dict[Formula, float | None]:
        """Energy of each of these formulas, see `energy_eV_per_atom`. told : called with the number of finished ones

        Raises Stopped if `relax` does.
        """
        return dict(zip(keys, mapped(self.energy_eV_per_atom, keys, self._at_once, told), strict=True))

    def stored_eV_per_atom(self) -> dict[str, float | None]:
        """The energies that the folder has: name of a formula -> energy."""
        names = {formula_name(key) for key in self._formulas}
        found = (read_json(path) for path in sorted(self._folder.glob("*.json")))
        return {
            each["formula"]: each["energy_eV_per_atom"]
            for each in found
            if each is not None and each.get("version") == VERSION and each["formula"] in names
        }

    def energy_eV_per_atom(self, key: Formula) -> float | None:
        """Energy of the stablest structure of a formula; None if none could be relaxed.

        Raises Stopped if `relax` does.
        """
        name = formula_name(key)
        if name in self._given:
            return self._given[name]
        path = self._folder / f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:6]}.json"
        stored = read_json(path)
        if stored is not None and stored.get("version") == VERSION:
            return stored["energy_eV_per_atom"]
        found = [self._relax(s) for s in self._structures(key) if len(s.symbols) <= MOST_ATOMS]
        energy = min((r.energy_eV_per_atom for r in found if r.verdict in (RELAXED, STEP_LIMIT)), default=None)
        write_json(path, {"formula": name, "energy_eV_per_atom": energy, "version": VERSION})
        return energy


def _amounts(counts: Mapping[str, int]) -> dict[str, float]:
    return {symbol: float(n) for symbol, n in counts.items()}


def formula_name(key: Formula) -> str:
    """The formula as text, in lowest terms."""
    counts = dict(key)
    return formula_of({symbol: float(counts[symbol]) for symbol in ordered(counts)})
