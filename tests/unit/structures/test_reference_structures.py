"""The structures that make the hull of the potential: elements outside the library as measured."""

import pytest

from core.structures.environments import density_g_per_cm3
from core.structures.prototypes import StructureFinder, load_finder
from core.structures.reference_structures import elements_outside_the_library, reference_structures
from core.structures.symmetry import space_group_of
from tests import crystals


def test_the_elements_have_their_measured_structures():
    found = elements_outside_the_library()
    assert {symbol: space_group_of(made) for symbol, made in found.items()} == {"W": 229, "Ra": 229, "Po": 221, "P": 64}
    assert density_g_per_cm3(found["W"]) == pytest.approx(19.3, abs=0.1)
    assert found["P"].shortest_distance_A() == pytest.approx(2.224, abs=0.002)  # two bonds of each atom in the layer
    assert density_g_per_cm3(found["P"]) == pytest.approx(2.7, abs=0.05)


def test_they_are_references_beside_the_known_compounds():
    finder = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())
    formulas, structures = reference_structures(finder)
    magnesium_diboride = frozenset({("Mg", 1), ("B", 2)})
    assert formulas > finder.formulas and magnesium_diboride in formulas
    assert structures(magnesium_diboride)[0].formula == "MgB2"
    assert structures(frozenset({("W", 1)}))[0].symbols == ("W",)


@pytest.mark.parametrize("symbol, space_group", [("Si", 227), ("Sb", 166), ("C", 194), ("Ti", 194), ("Hg", 166)])
def test_the_structure_in_which_an_element_is_found_is_among_its_references(symbol, space_group):
    _, structures = reference_structures(load_finder())
    assert space_group in [space_group_of(each) for each in structures(frozenset({(symbol, 1)}))]
