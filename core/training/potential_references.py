"""Build `potential-references`: energies of known compounds by the interatomic potential.

They are those of all known compounds in the chemical systems of known superconductors, the systems with most reports
first: some 14,000 compounds, each relaxed in its first structures, on all cores, which takes several core hours.
Every energy is kept in the folder of resume points, and the checkpoint is written again after every few systems, with
all energies of the folder, so that an interrupted build has all that were computed; it can be continued elsewhere
(`train_on`).
"""

from __future__ import annotations

import datetime
import math
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.chemistry import elements
from core.predictors import checkpoint
from core.reference_data.large_cells import NAME as LARGE_CELLS
from core.reference_data.prototypes import NAME as LIBRARY
from core.reference_data.references import References, load_references
from core.structures.interatomic import CHGNET
from core.structures.potential_hull import MOST_ATOMS, VERSION, ReferenceEnergies, formula_name
from core.structures.potential_references import ARCHITECTURE, NAME, load_potential_references
from core.structures.prototypes import StructureFinder, load_finder
from core.structures.relaxing_processes import RelaxingProcesses
from core.structures.search_work import reference_energies
from core.training.structure_data import ATTRIBUTION


@dataclass(frozen=True)
class PotentialReferenceSettings:
    """How much is computed.

    systems : number of chemical systems; None: all
    written_every : systems between two writes of the checkpoint
    """

    systems: int | None = None
    written_every: int = 20


def train(folder: Path, out: Path, seed: int, build: Path, settings: PotentialReferenceSettings | None = None) -> dict:
    """Compute the energies and write the checkpoint; returns its card. Raw data and seed are not used.

    Raises CheckpointError if the library or the reference tables are missing.
    """
    return _built({}, out, build, settings or PotentialReferenceSettings())


def train_on(
    folder: Path, out: Path, seed: int, build: Path, settings: PotentialReferenceSettings | None = None
) -> dict:
    """The same, but energies that are in the checkpoint in `out` are not computed again.

    Raises CheckpointError if the checkpoint, the library or the reference tables are missing, or if the checkpoint was
    built from another library.
    """
    if checkpoint.read_card(NAME, out).get("structures_sha256") != structures_sha256():
        raise checkpoint.CheckpointError(f"{NAME} was built from other structures. Build it without --continue.")
    return _built(load_potential_references(out), out, build, settings or PotentialReferenceSettings())


def _built(known: Mapping[str, float | None], out: Path, build: Path, settings: PotentialReferenceSettings) -> dict:
    systems = systems_of(load_references())[: settings.systems]
    finder, found = load_finder(), dict(known)
    card: dict = {}
    with RelaxingProcesses() as processes:
        energies = references(finder, build, processes)
        found |= energies.stored_eV_per_atom()
        for first in range(0, len(systems), settings.written_every):
            some = systems[first : first + settings.written_every]
            keys = dict.fromkeys(key for system in some for key in energies.phases(system))
            new = [key for key in keys if formula_name(key) not in found]
            found |= {formula_name(key): energy for key, energy in energies.energies_eV_per_atom(new).items()}
            done = first + len(some)
            if new or first == 0 or done == len(systems):
                card = write(found, done, out)
                print(f"{done} of {len(systems)} chemical systems, {len(found)} compounds", flush=True)
    load_potential_references.cache_clear()
    return card


def systems_of(tables: References) -> list[frozenset[str]]:
    """The chemical systems of the known superconductors, those with most of them first, then in alphabetical order."""
    symbols = elements.symbols()
    found = Counter(
        frozenset(symbols[i] for i in np.flatnonzero(row)) for row in tables.known_compositions[tables.known_tc_K > 0]
    )
    return sorted(found, key=lambda system: (-found[system], sorted(system)))


def references(finder: StructureFinder, build: Path, processes: RelaxingProcesses) -> ReferenceEnergies:
    """The energies, kept one by one in the folder of resume points; none is taken from an earlier checkpoint."""
    return reference_energies(finder, build / NAME, processes=processes, given={})


def write(energies_eV_per_atom: Mapping[str, float | None], systems: int, out: Path) -> dict:
    """Write energies as the checkpoint; returns its card. systems : number of chemical systems that are complete"""
    names = sorted(energies_eV_per_atom)
    values = [energies_eV_per_atom[name] for name in names]
    tensors = {
        "formulas": _text(names),
        "energies_eV_per_atom": torch.tensor([math.nan if v is None else v for v in values], dtype=torch.float32),
    }
    known = sum(value is not None for value in values)
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "what": "Energies of known compounds by the interatomic potential, for hulls of that potential",
        "potential": CHGNET,
        "papers": ["CHGNet, B. Deng et al. 2023: doi:10.1038/s42256-023-00716-3"],
        "data": {"mp": ATTRIBUTION["mp"], "3dsc": ATTRIBUTION["3dsc"]},
        "licence": "CC BY 4.0, as the data",
        "structures_sha256": structures_sha256(),
        "settings": {"most_atoms": MOST_ATOMS, "version": VERSION},
        "metrics_held_out": {"systems": systems, "compounds": len(names), "compounds_with_energy": known},
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(NAME, tensors, card, out)
    return card


def structures_sha256() -> dict[str, str]:
    """Table of structures -> its checksum. Raises CheckpointError."""
    return {name: checkpoint.read_card(name)["sha256"] for name in (LIBRARY, LARGE_CELLS)}


def _text(names: Sequence[str]) -> torch.Tensor:
    content = zlib.compress("\n".join(names).encode(), 9)
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)
