"""A lattice as six numbers that do not depend on its orientation: S = ln(L L^T) / 2, for the rows L of lattice vectors.

The polar decomposition is L = exp(S) Q with a rotation or reflection Q. Each symmetric S is the lattice of a cell with
a volume, exp(tr S); a 3 x 3 matrix with noise, as in DiffCSP (arXiv:2309.04475), can lose its volume or its handedness,
and three of its nine numbers say only how it is turned. The six numbers are those of DiffCSP++ (arXiv:2402.03992)
without its choice of a basis by space group. Cells are reduced by Niggli's rules, so that a crystal has one lattice.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch

from core.chemistry.structure import Structure, lattice_matrix, lattice_parameters

N_NUMBERS = 6
ROWS, COLUMNS = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)  # the place of each number in S: xx, yy, zz, yz, xz, xy
_DIAGONAL = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
_HALVINGS, _TERMS = 7, 7  # exp(A) = exp(A / 2^7)^(2^7), by 7 terms of the series: |A| < 8 is exact to 1e-7


@dataclass(frozen=True)
class LatticeScale:
    """The mean and standard deviation by which the numbers are made standard; lengths grow as the cube root of n atoms.

    mean, deviation : six each, of the numbers of a cell of one atom
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @staticmethod
    def of(numbers: np.ndarray, atoms: np.ndarray) -> LatticeScale:
        """From the numbers (n, 6) of cells with `atoms` (n,) atoms. Raises ValueError if a number never changes."""
        of_one = numbers - _growth(atoms)
        deviation = of_one.std(0)
        if not (deviation > 0).all():
            raise ValueError("the scale of lattices needs lattices that differ in all six numbers")
        return LatticeScale(tuple(map(float, of_one.mean(0))), tuple(map(float, deviation)))

    def standard(self, numbers: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        """Numbers (n, 6) of cells with `atoms` (n,) atoms, in units of the deviation from the mean."""
        return (numbers - _growth(atoms) - np.array(self.mean)) / np.array(self.deviation)

    def numbers(self, standard: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        """The inverse of `standard`."""
        return standard * np.array(self.deviation) + np.array(self.mean) + _growth(atoms)


def _growth(atoms: np.ndarray) -> np.ndarray:
    """What n atoms add to the numbers of a cell of one: ln(n) / 3 on the diagonal."""
    return np.log(atoms)[:, None] / 3 * _DIAGONAL


def niggli(structure: Structure) -> Structure:
    """The same crystal in its Niggli-reduced cell, with the same number of atoms; positions are in [0, 1).

    Raises ValueError if spglib cannot reduce the cell.
    """
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a change in a later version of spglib
        reduced = spglib.niggli_reduce(structure.lattice)
    if reduced is None:
        raise ValueError("the cell cannot be reduced")
    positions = structure.positions @ structure.lattice @ np.linalg.inv(reduced) % 1.0
    return Structure(np.array(reduced), structure.symbols, positions % 1.0)  # -1e-17 % 1 is 1


def numbers_of(lattice: np.ndarray) -> np.ndarray:
    """Lattices (..., 3, 3), rows in Å -> S as six numbers (...): logarithms of lengths in Å."""
    values, vectors = np.linalg.eigh(lattice @ np.swapaxes(lattice, -1, -2))
    log = (vectors * (0.5 * np.log(values))[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return log[..., ROWS, COLUMNS]


def lattice_of(numbers: np.ndarray) -> np.ndarray:
    """The inverse of `numbers_of`, (..., 3, 3) in Å: a along x, b in the plane of x and y, right-handed."""
    flat = np.asarray(numbers, dtype=np.float64).reshape(-1, N_NUMBERS)
    values, vectors = np.linalg.eigh(_symmetric(flat))
    made = (vectors * np.exp(values)[:, None, :]) @ np.swapaxes(vectors, -1, -2)
    turned = [lattice_matrix(lattice_parameters(each)) for each in made]
    return np.array(turned).reshape(*np.shape(numbers)[:-1], 3, 3)


def _symmetric(numbers: np.ndarray) -> np.ndarray:
    found = np.zeros((*numbers.shape[:-1], 3, 3))
    found[..., ROWS, COLUMNS] = numbers
    found[..., COLUMNS, ROWS] = numbers
    return found


def metric(numbers: torch.Tensor) -> torch.Tensor:
    """L L^T = exp(2 S) in Å2 (b, 3, 3) of six numbers (b, 6), without waiting for a device.

    By scaling and squaring with fixed numbers of terms; torch's matrix exponential chooses them by the values.
    """
    xx, yy, zz, yz, xz, xy = numbers.unbind(-1)
    rows = (torch.stack(row, -1) for row in ((xx, xy, xz), (xy, yy, yz), (xz, yz, zz)))
    small = torch.stack(tuple(rows), -2) * (2.0 / 2**_HALVINGS)
    term = found = torch.eye(3, device=numbers.device, dtype=numbers.dtype).expand_as(small)
    for order in range(1, _TERMS + 1):
        term = term @ small / order
        found = found + term
    for _ in range(_HALVINGS):
        found = found @ found
    return found
