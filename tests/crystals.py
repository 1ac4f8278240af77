"""Crystal structures with textbook cells, and a small library made of them."""

from __future__ import annotations

from functools import cache

from core.chemistry.structure import Structure
from core.reference_data.prototypes import Prototypes
from core.structures.from_space_group import from_space_group
from core.structures.symmetry import symmetric
from core.training.prototypes import library_of
from core.training.structure_data import Entry


def crystal(group: str, cell: tuple[float, ...], sites: dict[str, list[tuple[float, float, float]]]) -> Structure:
    """A structure from its space group. cell : a; a and c; or all six; sites : element -> one position of each orbit"""
    from pymatgen.core import Lattice

    if len(cell) == 1:
        lattice = Lattice.cubic(cell[0])
    elif len(cell) == 2:
        lattice = Lattice.hexagonal(*cell) if group.startswith("P6") else Lattice.tetragonal(*cell)
    else:
        lattice = Lattice.from_parameters(*cell)
    pairs = [(symbol, position) for symbol, positions in sites.items() for position in positions]
    species, positions = zip(*pairs, strict=True)
    return from_space_group(group, lattice.matrix, species, positions)


def rock_salt(cation: str, anion: str, a: float) -> Structure:
    return crystal("Fm-3m", (a,), {cation: [(0, 0, 0)], anion: [(0.5, 0.5, 0.5)]})


def caesium_chloride(cation: str, anion: str, a: float) -> Structure:
    return crystal("Pm-3m", (a,), {cation: [(0, 0, 0)], anion: [(0.5, 0.5, 0.5)]})


def diboride(metal: str, a: float, c: float) -> Structure:
    return crystal("P6/mmm", (a, c), {metal: [(0, 0, 0)], "B": [(1 / 3, 2 / 3, 0.5)]})


def a15(majority: str, minority: str, a: float) -> Structure:
    return crystal("Pm-3n", (a,), {minority: [(0, 0, 0)], majority: [(0.25, 0, 0.5)]})


def pnictide_oxide(rare_earth: str, a: float, c: float) -> Structure:
    """ZrCuSiAs type, as LaFeAsO; first choice of the origin."""
    return crystal(
        "P4/nmm", (a, c),
        {rare_earth: [(0, 0.5, 0.1415)], "Fe": [(0, 0, 0.5)], "As": [(0, 0.5, 0.6512)], "O": [(0, 0, 0)]},
    )  # fmt: skip


def layered_cuprate(metal: str, a: float, c: float) -> Structure:
    """K2NiF4 type, as La2CuO4 at high temperature."""
    return crystal("I4/mmm", (a, c), {metal: [(0, 0, 0.361)], "Cu": [(0, 0, 0)], "O": [(0, 0.5, 0), (0, 0, 0.182)]})


# Cells in Å. Facts of the lists of superconductors and energies above hull are those of the compounds, rounded.
CRYSTALS = (
    ("NaCl", rock_salt("Na", "Cl", 5.64), {"e_hull": 0.0}),
    ("NaF", rock_salt("Na", "F", 4.63), {}),
    ("KBr", rock_salt("K", "Br", 6.60), {}),
    ("MgO", rock_salt("Mg", "O", 4.21), {}),
    ("CsCl", caesium_chloride("Cs", "Cl", 4.12), {}),
    ("NiAl", caesium_chloride("Ni", "Al", 2.89), {}),
    ("AlB2", diboride("Al", 3.00, 3.25), {}),
    ("MgB2", diboride("Mg", 3.09, 3.52), {"tc_k": 39.0}),
    ("V3Si", a15("V", "Si", 4.72), {"tc_k": 17.0}),
    ("Nb3Ge", a15("Nb", "Ge", 5.14), {"tc_k": 23.0}),
    ("CeFeAsO", pnictide_oxide("Ce", 4.00, 8.65), {"tc_doped_max_k": 41.0}),
    ("NdFeAsO", pnictide_oxide("Nd", 3.97, 8.58), {}),
    ("La2CuO4", layered_cuprate("La", 3.78, 13.2), {"tc_doped_max_k": 38.0}),
    ("Nd2CuO4", layered_cuprate("Nd", 3.94, 12.2), {}),
)


def entries(without: tuple[str, ...] = ()) -> list[Entry]:
    """The crystals as entries of raw data."""
    found = []
    for number, (name, structure, facts) in enumerate(CRYSTALS):
        made = symmetric(structure)
        assert made is not None, name
        if name not in without:
            found.append(Entry(f"mp-{number + 1}", "MP", made, facts))
    return found


@cache
def prototype_library(without: tuple[str, ...] = ()) -> Prototypes:
    """A library of the crystals, without some of them."""
    return library_of(entries(without))


class NearestFirst:
    """A ranking by distance alone."""

    def scores(self, features):
        return -features[:, 0].astype(float)
