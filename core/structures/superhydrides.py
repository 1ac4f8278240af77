"""Structures of metal hydrides that are made under high pressure, in which hydrogen forms cages around the metal.

The library of prototypes is of compounds near ambient pressure and lacks them. Here they are as published, with rounded
coordinates; the cell is that of the example under its pressure, as the cage of hydrogen decides its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.chemistry.structure import Structure
from core.reference_data.prototypes import anonymous
from core.structures.from_space_group import from_space_group

VERSION = 1  # of this table: searches that used another one are made again


@dataclass(frozen=True)
class Superhydride:
    """One structure type.

    metals : of the example, that with the cage first; hydrogen : its atoms per metal of the first kind
    space_group : symbol and international number; wyckoff : occupied positions, as in the labels of the library
    lattice_A : a, and c for a hexagonal cell
    sites : for each metal, then for hydrogen: fractional coordinates of one atom of each orbit
    made : formulas that were made in this structure; superconductors : how many of them have a clear transition
    pressure_GPa : of the cell
    """

    metals: tuple[str, ...]
    hydrogen: int
    space_group: tuple[str, int]
    wyckoff: str
    lattice_A: tuple[float, ...]
    sites: tuple[tuple[tuple[float, float, float], ...], ...]
    made: tuple[str, ...]
    superconductors: int
    pressure_GPa: float

    @property
    def example(self) -> str:
        """The formula whose structure was published."""
        return CageStructure(self, self.metals).formula

    @property
    def label(self) -> str:
        """Stoichiometry, space group and Wyckoff positions."""
        counts = [1] * len(self.metals) + [self.hydrogen]
        return f"{anonymous(counts)} {self.space_group[1]} {self.wyckoff}"

    def structure(self, metals: tuple[str, ...]) -> Structure:
        """The primitive cell with these metals in place of those of the example."""
        from pymatgen.core import Lattice

        a, c = self.lattice_A[0], self.lattice_A[-1]
        lattice = Lattice.hexagonal(a, c) if len(self.lattice_A) == 2 else Lattice.cubic(a)
        symbols = [symbol for symbol, orbits in zip((*metals, "H"), self.sites, strict=True) for _ in orbits]
        coordinates = [site for orbits in self.sites for site in orbits]
        return from_space_group(self.space_group[0], lattice.matrix, symbols, coordinates)


SUPERHYDRIDES = (
    # H. Liu et al., PNAS 114, 6990 (2017), doi:10.1073/pnas.1704505114; the cell: A. P. Drozdov et al., Nature 569, 528
    # (2019), doi:10.1038/s41586-019-1201-8
    Superhydride(
        ("La",), 10, ("Fm-3m", 225), "4b|8c32f", (5.10,),
        (((0.5, 0.5, 0.5),), ((0.12, 0.12, 0.12), (0.25, 0.25, 0.25))), ("LaH10", "CeH10", "ThH10"), 3, 150.0,
    ),
    # H. Wang et al., PNAS 109, 6463 (2012), doi:10.1073/pnas.1118168109
    Superhydride(
        ("Ca",), 6, ("Im-3m", 229), "2a|12d", (3.50,),
        (((0.0, 0.0, 0.0),), ((0.25, 0.0, 0.5),)), ("CaH6", "YH6", "EuH6"), 2, 150.0,
    ),
    # N. P. Salke et al., Nature Communications 10, 4453 (2019), doi:10.1038/s41467-019-12326-y
    Superhydride(
        ("Ce",), 9, ("P6_3/mmc", 194), "2d|2b4f12k", (3.71, 5.54),
        (((1 / 3, 2 / 3, 0.75),), ((0.0, 0.0, 0.25), (1 / 3, 2 / 3, 0.149), (0.156, 0.312, 0.062))),
        ("YH9", "CeH9", "ThH9", "PrH9", "NdH9", "EuH9"), 3, 100.0,
    ),
    # Z. Zhang et al., Physical Review Letters 128, 047001 (2022), doi:10.1103/PhysRevLett.128.047001
    Superhydride(
        ("La", "Be"), 8, ("Fm-3m", 225), "4b|4a|32f", (5.20,),
        (((0.5, 0.5, 0.5),), ((0.0, 0.0, 0.0),), ((0.146, 0.146, 0.146),)), ("LaBeH8",), 1, 100.0,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class CageStructure:
    """A superhydride for a formula. metals : in the order of those of the example"""

    prototype: Superhydride
    metals: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the formula was made in this structure."""
        return self.formula in self.prototype.made

    @property
    def formula(self) -> str:
        """The formula as text."""
        return formula_of({**dict.fromkeys(self.metals, 1.0), "H": float(self.prototype.hydrogen)})

    @property
    def structure(self) -> Structure:
        """The primitive cell."""
        return self.prototype.structure(self.metals)


def superhydrides(counts: Mapping[str, int], radii_A: np.ndarray) -> list[CageStructure]:
    """The structures of this kind for a formula in lowest terms; empty for most formulas.

    radii_A : (118,) radius of each element; of two metals the larger one has the cage
    """
    metals = [symbol for symbol in counts if symbol != "H"]
    if not all(elements.element(symbol).metal and counts[symbol] == 1 for symbol in metals):
        return []
    by_size = sorted(metals, key=lambda symbol: -radii_A[elements.element(symbol).atomic_number - 1])
    fitting = [each for each in SUPERHYDRIDES if len(each.metals) == len(metals) and each.hydrogen == counts.get("H")]
    return [CageStructure(each, tuple(by_size)) for each in fitting]
