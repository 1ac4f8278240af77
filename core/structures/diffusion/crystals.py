"""Crystals as tensors: some of them padded to the same number of atoms, with the lattice as real numbers.

Crystals of similar size are in one group, so that every operation is dense: all pairs of atoms are a square, without a
list of edges, scattered sums or shapes that depend on values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

N_TYPES = 100  # elements H to Fm, in the order of the atomic number


@dataclass(frozen=True)
class Crystals:
    """b crystals of at most s atoms, with or without noise.

    types : (b, s, 100) 1 at the element of the atom and 0 elsewhere; 0 everywhere where the type is hidden
    positions : (b, s, 3) fractional coordinates
    lattice : (b, 6) standard numbers, see `lattice_numbers`
    atoms : (b,) int64, number of atoms; places from this on are padding, which changes nothing
    """

    types: torch.Tensor
    positions: torch.Tensor
    lattice: torch.Tensor
    atoms: torch.Tensor

    def __post_init__(self):
        """Raises ValueError for shapes that do not fit together."""
        b, s = self.positions.shape[:2]
        shapes = {"types": (b, s, N_TYPES), "positions": (b, s, 3), "lattice": (b, 6), "atoms": (b,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has the shape {tuple(getattr(self, name).shape)}, not {shape}")

    def __len__(self) -> int:
        """The number of crystals."""
        return len(self.atoms)

    @property
    def real(self) -> torch.Tensor:
        """(b, s) 1 for an atom, 0 for padding."""
        places = torch.arange(self.positions.shape[1], device=self.atoms.device)
        return (places < self.atoms[:, None]).to(self.positions.dtype)

    def part(self, rows: slice, size: int) -> Crystals:
        """Some crystals, padded to `size` atoms instead, which must hold them."""
        return Crystals(self.types[rows, :size], self.positions[rows, :size], self.lattice[rows], self.atoms[rows])


def one_hot(elements: torch.Tensor) -> torch.Tensor:
    """Indices of elements (...) -> types (..., 100), without waiting for a device."""
    table = torch.eye(N_TYPES, device=elements.device)
    return table.index_select(0, elements.flatten().long()).view(*elements.shape, N_TYPES)


def centred(values: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Vectors (b, s, 3) minus their mean over the atoms of each crystal; 0 at padding."""
    kept = values * real[..., None]
    return (kept - kept.sum(1, keepdim=True) / real.sum(1)[:, None, None]) * real[..., None]


@dataclass(frozen=True)
class Groups:
    """A division of consecutive rows into groups padded alike: (number of rows, largest number of atoms) of each."""

    shapes: tuple[tuple[int, int], ...]

    @staticmethod
    def of(sizes: Sequence[int], rows: int) -> Groups:
        """Groups of at most `rows` rows, for numbers of atoms in ascending order. Raises ValueError for another one."""
        if list(sizes) != sorted(sizes):
            raise ValueError("the crystals of groups must be in the order of their size")
        parts = [sizes[i : i + rows] for i in range(0, len(sizes), rows)]
        return Groups(tuple((len(part), part[-1]) for part in parts))

    def split(self, crystals: Crystals) -> list[Crystals]:
        """The crystals of each group."""
        found, start = [], 0
        for rows, size in self.shapes:
            found.append(crystals.part(slice(start, start + rows), size))
            start += rows
        return found

    def split_rows(self, values: torch.Tensor) -> list[torch.Tensor]:
        """Values (b, ...) of each group."""
        return list(values.split([rows for rows, _ in self.shapes]))


def moved(crystals: Crystals, device: torch.device) -> Crystals:
    """The same crystals on a device."""
    return Crystals(*(getattr(crystals, each.name).to(device) for each in fields(crystals)))
