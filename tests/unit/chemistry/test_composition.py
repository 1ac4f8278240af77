"""Formula <-> composition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition

from core.chemistry import elements
from core.chemistry.composition import (
    composition_vector,
    compositions,
    formula_of,
    formula_of_counts,
    parse_formula,
)
from core.errors import InputError


@pytest.mark.parametrize(
    ("formula", "amounts"),
    [
        ("LaFeAsO", {"La": 1, "Fe": 1, "As": 1, "O": 1}),
        ("La1.85Sr0.15CuO4", {"La": 1.85, "Sr": 0.15, "Cu": 1, "O": 4}),
        ("Ba(Fe0.9Co0.1)2As2", {"Ba": 1, "Fe": 1.8, "Co": 0.2, "As": 2}),
        ("[Fe(CN)6]2", {"Fe": 2, "C": 12, "N": 12}),
        ("KFe₂Se₂", {"K": 1, "Fe": 2, "Se": 2}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
        ("Dy2O3", {"Dy": 2, "O": 3}),
        ("D3S", {"H": 3, "S": 1}),
        (" Y Ba2 Cu3 O6.95 ", {"Y": 1, "Ba": 2, "Cu": 3, "O": 6.95}),
        ("FeAsFe", {"Fe": 2, "As": 1}),
        ("La1K0", {"La": 1}),
    ],
)
def test_formulas_that_can_be_read(formula, amounts):
    assert parse_formula(formula) == pytest.approx(amounts)


@pytest.mark.parametrize(
    ("formula", "position", "word"),
    [
        ("Xx2", 0, "Xx"),
        ("LaFeaAsO", 2, "Fe"),
        ("YBa2Cu3O7-z", 9, "undetermined"),
        ("YBa2Cu3O7-0.2", 9, "negative"),
        ("YBa2Cu3Oz", 8, "undetermined"),
        ("La2)", 3, "never opened"),
        ("(La", 0, "never closed"),
        ("(La]2", 3, "closes"),
        ("Ba()2", 3, "nothing between"),
        ("2La", 0, "must follow"),
        ("lafeaso", 0, "la"),
        ("La-2", 2, "negative"),
    ],
)
def test_bad_formulas_point_at_the_place(formula, position, word):
    if formula == "LaFeaAsO":
        position, word = 4, "a"
    with pytest.raises(InputError) as caught:
        parse_formula(formula)
    assert caught.value.position == position
    assert word in caught.value.message
    assert caught.value.pointer() == f"{formula}\n{' ' * position}^"


@pytest.mark.parametrize("formula", ["", "   ", "La0", "La" + "9" * 400])
def test_formulas_of_nothing_or_too_much(formula):
    with pytest.raises(InputError):
        parse_formula(formula)


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
