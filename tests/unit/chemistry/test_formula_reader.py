"""Parsing of formulas as typed, and errors with the position of the invalid character."""

import pytest

from core.chemistry.formula_reader import parse_formula
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
def test_valid_formulas(formula, amounts):
    assert parse_formula(formula) == pytest.approx(amounts)


@pytest.mark.parametrize(
    ("formula", "position", "word"),
    [
        ("Xx2", 0, "Xx"),
        ("LaFeaAsO", 4, "a"),
        ("YBa2Cu3O7-z", 9, "undetermined"),
        ("YBa2Cu3O7-0.2", 9, "negative"),
        ("YBa2Cu3Oz", 8, "undetermined"),
        ("La2)", 3, "never opened"),
        ("(La", 0, "never closed"),
        ("(La]2", 3, "closes"),
        ("Ba()2", 3, "are empty"),
        ("2La", 0, "must follow"),
        ("lafeaso", 0, "la"),
        ("La-2", 2, "negative"),
    ],
)
def test_errors_give_the_position_of_the_invalid_character(formula, position, word):
    with pytest.raises(InputError) as caught:
        parse_formula(formula)
    assert caught.value.position == position
    assert word in caught.value.message
    assert caught.value.pointer() == f"{formula}\n{' ' * position}^"


@pytest.mark.parametrize("formula", ["", "   ", "La0", "La" + "9" * 400])
def test_empty_formulas_and_infinite_amounts_are_rejected(formula):
    with pytest.raises(InputError):
        parse_formula(formula)
