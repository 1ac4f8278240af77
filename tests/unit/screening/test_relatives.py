"""Known superconductors that are most like a composition."""

import numpy as np

from core.chemistry.composition import composition_vector, compositions
from core.chemistry.formula_reader import parse_formula
from core.reference_data.references import load_references
from core.screening.relatives import relatives

KNOWN = (
    "LaFeAsO0.95F0.05",
    "LaFeAsO0.9F0.1",
    "LaFeAsO0.8F0.2",
    "NdFeAsO",
    "BaFe2As2",
    "La2CuO4",
    "LaFeAsO",
    "MgB2",
    "Pb",
)
REPORTS = np.array([2, 3, 9, 1, 5, 99, 50, 99, 99])


def found(formula: str, most: int = 9, usable: np.ndarray | None = None) -> list[str]:
    usable = np.ones(len(KNOWN), bool) if usable is None else usable
    rows = relatives(composition_vector(parse_formula(formula)), compositions(KNOWN), REPORTS, usable, most)
    return [KNOWN[row] for row in rows]


def test_each_set_of_main_elements_has_one_relative_and_the_composition_itself_none():
    # O and F: 0.05 of the atoms, one place on the scale. La and Nd: a quarter of the atoms, three places.
    assert found("LaFeAsO") == ["LaFeAsO0.9F0.1", "LaFeAsO0.8F0.2", "NdFeAsO", "BaFe2As2"]
    assert found("LaFeAsO", most=1) == ["LaFeAsO0.9F0.1"]


def test_compounds_without_a_family_are_compared_with_those_that_share_an_element():
    assert found("AlB2") == ["MgB2"]
    assert found("YBa2Cu3O7") == ["La2CuO4"]


def test_unusable_compounds_are_left_out():
    usable = np.array([name != "NdFeAsO" for name in KNOWN])
    assert "NdFeAsO" not in found("LaFeAsO", usable=usable)


def test_the_relatives_of_known_compounds_are_known_to_chemists():
    tables = load_references()
    usable = np.ones(len(tables.known_formulas), bool)
    rows = relatives(
        composition_vector(parse_formula("LaFeAsO")), tables.known_compositions, tables.known_reports, usable, 25
    )
    assert len(rows) == 25 and all("Fe" in tables.known_formulas[row] for row in rows)
