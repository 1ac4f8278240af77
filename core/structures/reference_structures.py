"""The structures whose energies make the hull of the potential: known compounds, and elements that the library lacks.

The library has no structure of a few elements, without which no compound of theirs has a hull. Theirs are here, as
measured, for the hull only: they are never proposed for a formula. Astatine, radon and
francium are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from core.chemistry.structure import Structure
from core.structures.potential_hull import Formula

MOST_POLYMORPHS = 2  # known structures of a compound that are relaxed, the stablest first
MOST_OF_ELEMENT = 8  # of an element: their order says less, as the library has no energies of most
_CENTRED_CUBIC = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2
# Element -> lattice constant in Å, body-centred: R. W. G. Wyckoff, Crystal Structures (1963).
_CUBIC_A = {"W": 3.165, "Ra": 5.148}
_SIMPLE_CUBIC_A = {"Po": 3.359}
# Black phosphorus, Cmce, P on 8f: A. Brown, S. Rundqvist, Acta Cryst. 19, 684 (1965), doi:10.1107/S0365110X65004140.
_PHOSPHORUS_A, _PHOSPHORUS_YZ = (3.3136, 10.478, 4.3763), (0.10168, 0.08056)


class Library(Protocol):
    """Known structures: `core.structures.prototypes.StructureFinder`."""

    @property
    def formulas(self) -> frozenset[Formula]:
        """The formulas of the known compounds."""
        ...

    def known(self, counts: Mapping[str, int], most: int | None = None) -> list[Structure]:
        """The first known structures of a formula, or all."""
        ...


def elements_outside_the_library() -> dict[str, Structure]:
    """Element -> its structure."""
    atom = np.zeros((1, 3))
    made = {symbol: Structure(_CENTRED_CUBIC * a, (symbol,), atom) for symbol, a in _CUBIC_A.items()}
    made |= {symbol: Structure(np.eye(3) * a, (symbol,), atom) for symbol, a in _SIMPLE_CUBIC_A.items()}
    return made | {"P": _black_phosphorus()}


def _black_phosphorus() -> Structure:
    """The cell of four atoms, half of the conventional one."""
    (a, b, c), (y, z) = _PHOSPHORUS_A, _PHOSPHORUS_YZ
    lattice = np.array([[a / 2, b / 2, 0], [a / 2, -b / 2, 0], [0, 0, c]])
    conventional = np.array([[0, y, z], [0, 0.5 - y, z + 0.5], [0, y + 0.5, 0.5 - z], [0, -y, -z]]) * (a, b, c)
    return Structure(lattice, ("P",) * 4, (conventional @ np.linalg.inv(lattice)) % 1.0)


def reference_structures(library: Library) -> tuple[frozenset[Formula], Callable[[Formula], list[Structure]]]:
    """All formulas of references, and the function that gives the structures of each."""
    added = {frozenset({(symbol, 1)}): made for symbol, made in elements_outside_the_library().items()}
    added = {key: made for key, made in added.items() if key not in library.formulas}

    def structures(key: Formula) -> list[Structure]:
        if key in added:
            return [added[key]]
        return library.known(dict(key), MOST_OF_ELEMENT if len(key) == 1 else MOST_POLYMORPHS)

    return library.formulas | added.keys(), structures
