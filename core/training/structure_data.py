"""Reads the crystal structures among the raw data, and finds the symmetry of each, which resumes if interrupted."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from core.chemistry.structure import Structure, lattice_matrix, lattice_parameters
from core.errors import InputError
from core.files import read_json, write_atomically
from core.structures.symmetry import SymmetricStructure, symmetric

ATTRIBUTION = {
    "3dsc": "3DSC, T. Sommer et al. 2023, doi:10.1038/s41597-023-02721-y, CC BY 4.0",
    "mp": "Materials Project, A. Jain et al. 2013, doi:10.1063/1.4812323, CC BY 4.0; collection of F.-X. Coudert "
    "et al. 2024, doi:10.26434/chemrxiv-2024-gsk41, CC BY; MEGNet, MP-20 and MPTS-52 sets for energies above hull",
    "jarvis": "JARVIS-DFT, NIST, K. Choudhary and K. Garrity 2022, doi:10.1038/s41524-022-00933-1, public domain",
}
FILES = ("structures_3dsc", "structures_jarvis_supercon", "structures_general_mp20")
CHUNK = 1000  # structures between two resume points
UNREADABLE = "no symmetry found, or a cell without volume"


@dataclass(frozen=True)
class Entry:
    """One structure of the raw data in its primitive standard cell.

    id, source : as in the data
    facts : the other fields of the row: kind, tc_k, tc_doped_max_k, tc_dft_k, e_hull, gap_pbe
    """

    id: str
    source: str
    symmetric: SymmetricStructure
    facts: dict[str, Any]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of structures. Raises InputError if it is missing."""
    if not path.exists():
        raise InputError("data", path, "there is no such file", "Name the folder of the raw data with --data")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def structure_of(row: dict[str, Any]) -> Structure:
    """The structure of a row, as given. Raises ValueError for a cell without volume."""
    return Structure(lattice_matrix(row["lattice"]), tuple(row["species"]), np.array(row["frac_coords"], dtype=float))


def read_entries(folder: Path, build: Path, log=None) -> tuple[list[Entry], Counter]:
    """All structures with their symmetry, and the number of rows of each file and of the rows left out.

    build : folder of the resume points; a structure takes about 10 ms, so all of them take half an hour the first time
    log : called with a line of text after each chunk

    Raises InputError if a file is missing.
    """
    entries, counts = [], Counter()
    for name in FILES:
        rows = read_rows(folder / f"{name}.jsonl.gz")
        for number, chunk in enumerate(iter(lambda rows=rows: list(islice(rows, CHUNK)), [])):
            found = _symmetries(chunk, build / "symmetry" / f"{name}-{number:03d}.json")
            if log:
                log(f"{name}: {number * CHUNK + len(chunk)} structures")
            counts[f"rows of {name}"] += len(chunk)
            counts[UNREADABLE] += sum(each is None for each in found)
            pairs = zip(chunk, found, strict=True)
            entries += [Entry(row["id"], row["source"], each, _facts(row)) for row, each in pairs if each is not None]
    return entries, counts


def known_structures(folder: Path, ids: set[str]) -> dict[str, list[Structure]]:
    """The structures with these ids as the files give them: id -> all of them. Raises InputError if a file is missing.

    Cells without volume are left out.
    """
    found: dict[str, list[Structure]] = {}
    for name in FILES:
        for row in read_rows(folder / f"{name}.jsonl.gz"):
            if row["id"] in ids:
                with contextlib.suppress(ValueError):
                    given = structure_of(row)
                    found.setdefault(row["id"], []).append(given)
    return found


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    wanted = ("kind", "tc_k", "tc_doped_max_k", "tc_dft_k", "e_hull", "gap_pbe")
    return {name: row[name] for name in wanted if row.get(name) is not None}


def _symmetries(rows: list[dict[str, Any]], path: Path) -> list[SymmetricStructure | None]:
    """The symmetries of some rows, read from the resume point if it is of the same rows."""
    ids = [row["id"] for row in rows]
    stored = read_json(path)
    if stored is None or stored["ids"] != ids:
        stored = {"ids": ids, "found": [_packed(row) for row in rows]}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(stored, separators=(",", ":")))
    return [None if each is None else _unpacked(each) for each in stored["found"]]


def _packed(row: dict[str, Any]) -> list | None:
    try:
        found = symmetric(structure_of(row))
    except ValueError:
        return None
    if found is None:
        return None
    made = found.structure
    return [
        [round(value, 5) for value in lattice_parameters(made.lattice)],
        list(made.symbols),
        np.round(made.positions, 5).tolist(),
        found.space_group,
        found.orbits.tolist(),
        "".join(found.wyckoffs),
        list(found.site_symmetries),
    ]


def _unpacked(content: list) -> SymmetricStructure:
    parameters, symbols, positions, space_group, orbits, wyckoffs, site_symmetries = content
    made = Structure(lattice_matrix(parameters), tuple(symbols), np.array(positions))
    return SymmetricStructure(made, space_group, np.array(orbits), tuple(wyckoffs), tuple(site_symmetries))
