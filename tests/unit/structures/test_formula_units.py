"""The number of formula units in the cells of a formula."""

import pytest

from core.chemistry.formula_reader import parse_formula
from core.structures.formula_units import likeliest_units, units_of
from core.structures.prototypes import load_finder


@pytest.mark.parametrize(
    ("formula", "units"),
    [
        ("MgB2", 1),
        ("Nb3Sn", 2),
        ("LaFeAsO", 2),
        ("La2Fe2As2O2", 1),
        ("FeSe", 2),
        ("La1.85Sr0.15CuO4", 1),
        ("Mg0.5B", 1),
        ("Mg0.1B0.2", 1),
        ("HLiBeBCNOFNaMgAlSi", 1),
    ],
)
def test_the_cell_is_that_of_the_likeliest_structure(formula, units):
    assert likeliest_units(load_finder(), parse_formula(formula), 20) == units


def test_cells_are_listed_once_and_in_order_as_far_as_they_fit():
    proposals = load_finder().find({"Fe": 1, "Se": 1}, 10)
    found = units_of(proposals, {"Fe": 1, "Se": 1}, 20)
    assert found[0] == 2 and len(set(found)) == len(found) > 1
    assert units_of(proposals, {"Fe": 1, "Se": 1}, 2) == [1]
    assert units_of(proposals, {"Fe": 1, "S": 1}, 20) == []
