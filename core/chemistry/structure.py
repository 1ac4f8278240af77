"""A crystal structure: a cell and its atoms, every site fully occupied by one element.

Lattice vectors are the rows of a matrix in Å; positions are fractions of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.chemistry.composition import formula_of
from core.chemistry.element_order import ordered


@dataclass(frozen=True)
class Structure:
    """A crystal structure of n atoms.

    lattice : (3, 3) lattice vectors as rows, in Å
    symbols : the element of each atom
    positions : (n, 3) fractional coordinates
    """

    lattice: np.ndarray
    symbols: tuple[str, ...]
    positions: np.ndarray

    def __post_init__(self):
        """Raises ValueError for wrong shapes, values that are not finite, and cells without a volume."""
        shapes = np.shape(self.lattice), np.shape(self.positions)
        if shapes != ((3, 3), (len(self.symbols), 3)) or not self.symbols:
            raise ValueError(f"a structure needs (3, 3) and (n, 3) numbers and n >= 1 symbols, not {shapes}")
        if not (np.isfinite(self.lattice).all() and np.isfinite(self.positions).all()):
            raise ValueError("the numbers of a structure must be finite")
        if self.volume_A3 <= 0:
            raise ValueError("the cell has no volume")

    @property
    def volume_A3(self) -> float:
        """Volume of the cell in Å3: the absolute value of the determinant of the lattice."""
        return abs(float(np.linalg.det(self.lattice)))

    @property
    def volume_A3_per_atom(self) -> float:
        """Volume of the cell divided by its number of atoms, in Å3."""
        return self.volume_A3 / len(self.symbols)

    @property
    def counts(self) -> dict[str, int]:
        """Element -> number of its atoms in the cell, in the order in which chemists write them."""
        return reduced_counts(Counter(self.symbols), divide=False)

    @property
    def lowest_terms(self) -> dict[str, int]:
        """Element -> amount in the formula in lowest terms, in the same order."""
        return reduced_counts(Counter(self.symbols))

    @property
    def formula(self) -> str:
        """The formula in lowest terms."""
        return formula_of({symbol: float(count) for symbol, count in self.lowest_terms.items()})

    def scaled_to(self, volume_A3_per_atom: float) -> Structure:
        """The same structure, enlarged or shrunk equally in all directions. Raises ValueError unless above 0."""
        if not volume_A3_per_atom > 0:
            raise ValueError("the volume must be above 0")
        factor = (volume_A3_per_atom / self.volume_A3_per_atom) ** (1 / 3)
        return Structure(self.lattice * factor, self.symbols, self.positions)

    def with_symbols(self, symbols: Sequence[str]) -> Structure:
        """The same sites with other elements. Raises ValueError for another number of atoms."""
        return Structure(self.lattice, tuple(symbols), self.positions)

    def shortest_distance_A(self) -> float:
        """Shortest distance between two atoms, periodic images included, in Å."""
        differences = self.positions[:, None] - self.positions[None]
        cartesian = ((differences - np.round(differences))[:, :, None] + _IMAGES) @ self.lattice
        distances = np.sqrt((cartesian**2).sum(-1))
        return float(distances[distances > _SAME_PLACE_A].min()) if not self._coincide(distances) else 0.0

    def _coincide(self, distances: np.ndarray) -> bool:
        """Whether two atoms are in one place: more zero distances than that of each atom to itself."""
        return bool((distances <= _SAME_PLACE_A).sum() > len(self.symbols))


_IMAGES = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), -1).reshape(-1, 3)
_SAME_PLACE_A = 1e-3


def lattice_matrix(parameters: Sequence[float]) -> np.ndarray:
    """Cell lengths a, b, c (Å) and angles alpha, beta, gamma (degrees) -> (3, 3) lattice vectors.

    a is along x, b in the plane of x and y. Raises ValueError for angles that no cell has.
    """
    a, b, c = parameters[:3]
    if not all(0 < angle < 180 for angle in parameters[3:]):
        raise ValueError(f"no cell has the angles {list(parameters[3:])}")
    cosines = [math.cos(math.radians(angle)) for angle in parameters[3:]]
    sine = math.sin(math.radians(parameters[5]))
    x, y = c * cosines[1], c * (cosines[0] - cosines[1] * cosines[2]) / sine
    height2 = c * c - x * x - y * y
    if height2 <= 0:
        raise ValueError(f"no cell has the angles {list(parameters[3:])}")
    return np.array([[a, 0.0, 0.0], [b * cosines[2], b * sine, 0.0], [x, y, math.sqrt(height2)]])


def lattice_parameters(lattice: np.ndarray) -> tuple[float, ...]:
    """The inverse of `lattice_matrix`, for any orientation: (a, b, c in Å, alpha, beta, gamma in degrees)."""
    lengths = np.linalg.norm(lattice, axis=1)
    pairs = ((1, 2), (0, 2), (0, 1))
    cosines = [float(lattice[i] @ lattice[j] / (lengths[i] * lengths[j])) for i, j in pairs]
    angles = [math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) for cosine in cosines]
    return (*map(float, lengths), *angles)


def reduced_counts(counts: dict[str, int], divide: bool = True) -> dict[str, int]:
    """Numbers of atoms in the order in which chemists write the elements, by default in lowest terms."""
    divisor = math.gcd(*counts.values()) if divide else 1
    return {symbol: counts[symbol] // divisor for symbol in ordered(counts)}
