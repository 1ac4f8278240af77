"""Stable compounds of 21 to 40 atoms in the primitive cell, beside the library of prototypes, which has smaller ones.

They are phases of hulls, and known structures of their formulas; no others are proposed after them. `python -m core
train large-cells` builds the table, which is stored as a checkpoint and verified when loaded.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.structure import Structure, lattice_matrix
from core.paths import CHECKPOINTS
from core.predictors import checkpoint

NAME = "large-cells"
ARCHITECTURE = "large-cells-v1"
POSITION_STEPS = 4080  # a position is stored as a multiple of 1 / 4080, which includes 1/3, 1/5, 1/16 and 1/17


@dataclass(frozen=True)
class LargeCells:
    """One structure for each of n formulas; ragged arrays are flat.

    ids : (n,) number of the entry in the Materials Project; sites : (n,) number of atoms
    lattices : (n, 6) a, b, c in Å and alpha, beta, gamma in degrees
    species : (sum of sites,) index of the element of each atom; positions : (sum of sites, 3) fractional coordinates
    """

    ids: np.ndarray
    sites: np.ndarray
    lattices: np.ndarray
    species: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.ids)

    def structure(self, place: int) -> Structure:
        """The structure at a place of the table."""
        end = int(self._ends[place])
        rows, names = slice(end - int(self.sites[place]), end), elements.symbols()
        symbols = tuple(names[e] for e in self.species[rows])
        return Structure(lattice_matrix(self.lattices[place]), symbols, self.positions[rows])

    def id_of(self, place: int) -> str:
        """The id in the Materials Project: "mp-9029"."""
        return f"mp-{self.ids[place]}"

    @cached_property
    def places(self) -> Mapping[frozenset[tuple[str, int]], int]:
        """Formula, as pairs of element and number of atoms in lowest terms -> place in the table."""
        return {frozenset(self.structure(place).lowest_terms.items()): place for place in range(len(self))}

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum(self.sites.astype(np.int64))


def pack(cells: LargeCells) -> dict[str, torch.Tensor]:
    """The table as the tensors of its checkpoint."""
    steps = np.round(cells.positions % 1.0 * POSITION_STEPS) % POSITION_STEPS
    return {
        "ids": torch.from_numpy(cells.ids.astype(np.int32)),
        "sites": torch.from_numpy(cells.sites.astype(np.uint8)),
        "lattices": torch.from_numpy(cells.lattices.astype(np.float32)),
        "species": _compressed(cells.species.astype(np.uint8)),
        "positions": _compressed(steps.astype("<u2")),
    }


def unpack(tensors: Mapping[str, torch.Tensor]) -> LargeCells:
    """The inverse of `pack`, up to the precision of the stored numbers."""
    species, steps = (zlib.decompress(tensors[name].numpy().tobytes()) for name in ("species", "positions"))
    return LargeCells(
        ids=tensors["ids"].numpy(),
        sites=tensors["sites"].numpy(),
        lattices=tensors["lattices"].numpy().astype(np.float64),
        species=np.frombuffer(species, np.uint8),
        positions=np.frombuffer(steps, "<u2").reshape(-1, 3) / POSITION_STEPS,
    )


def _compressed(values: np.ndarray) -> torch.Tensor:
    return torch.frombuffer(bytearray(zlib.compress(values.tobytes(), 9)), dtype=torch.uint8)


@cache
def load_large_cells(folder: Path = CHECKPOINTS) -> LargeCells:
    """The table, loaded once per process. Raises CheckpointError."""
    tensors = checkpoint.load(NAME, ARCHITECTURE, folder)[0]
    with checkpoint.refusing_what_does_not_fit(NAME):
        return unpack(tensors)
