"""Formula <-> composition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition

from core.chemistry import elements
from core.chemistry.composition import composition_vector, compositions, formula_of, formula_of_counts, whole_counts
from core.chemistry.exact_formula import _of_symbols_and_numbers, literal_amounts
from core.chemistry.formula_reader import parse_formula
from core.reference_data.references import load_references


def test_vector_is_normalised_and_in_element_order():
    vector = composition_vector({"O": 3, "La": 1})
    assert vector.sum() == pytest.approx(1, abs=1e-15)
    assert vector[7] == 0.75 and vector[56] == 0.25
    assert compositions(["LaO3", "Fe"]).shape == (2, 118)
    assert compositions([]).shape == (0, 118)


amounts = st.dictionaries(st.sampled_from(elements.symbols()[:103]), st.integers(1, 40), min_size=1, max_size=7)


@settings(deadline=None)
@given(amounts)
def test_round_trip_and_agreement_with_pymatgen(chosen):
    formula = formula_of(chosen)
    assert parse_formula(formula) == chosen
    assert Composition(formula).as_dict() == chosen


def test_formula_order_is_by_electronegativity():
    assert formula_of({"O": 1, "As": 1, "Fe": 1, "La": 1}) == "LaFeAsO"
    counts = np.zeros(118, dtype=int)
    counts[[55, 28, 7]] = [2, 1, 4]
    assert formula_of_counts(counts) == "Ba2CuO4"


@pytest.mark.parametrize(
    ("amounts", "counts"),
    [
        ({"La": 1.85, "Sr": 0.15, "Cu": 1, "O": 4}, {"La": 37, "Sr": 3, "Cu": 20, "O": 80}),
        ({"Y": 1, "Ba": 2, "Cu": 3, "O": 6.93}, {"Y": 100, "Ba": 200, "Cu": 300, "O": 693}),
        ({"Cu": 0.333333, "O": 0.666667}, {"Cu": 1, "O": 2}),
        ({"Ba": 0.5, "Fe": 1.0}, {"Ba": 1, "Fe": 2}),
        ({"La": 1e5, "O": 1.5e5}, {"La": 2, "O": 3}),
        ({"H": 1e5, "O": 1}, None),
        ({"H": 1.0, "O": 1e-9}, None),
        ({"H": 1e300, "O": 3}, None),
    ],
)
def test_whole_counts(amounts, counts):
    assert whole_counts(amounts) == counts


def test_formulas_of_symbols_and_numbers_are_read_as_the_grammar_reads_them(monkeypatch):
    tables = load_references()
    formulas = [*tables.known_formulas[::5], "MgB2", "Ba0.6K0.40Fe2As2", "CO", "Co", "O0.0H2", "HOH", "D2O", "(NH4)2S"]
    quick = [literal_amounts(formula) for formula in formulas]
    monkeypatch.setattr("core.chemistry.exact_formula._of_symbols_and_numbers", lambda formula: None)
    slow = [literal_amounts(formula) for formula in formulas]
    assert quick == slow and [list(a) for a in quick] == [list(a) for a in slow]


def test_only_formulas_of_distinct_symbols_and_positive_numbers_take_the_quick_way():
    assert _of_symbols_and_numbers("Ba0.6K0.4Fe2As2") == {"Ba": 0.6, "K": 0.4, "Fe": 2.0, "As": 2.0}
    for other in ("HOH", "O0H2", "D2O", "La2-xSrxCuO4", "C1/3", "Xx", "mgb2", "", "Mg B2", "Mg٢", None):
        assert _of_symbols_and_numbers(other) is None
