"""Formulas as typed: what is read, what is refused, where the error points, and what is proposed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition

from core.chemistry import elements
from core.chemistry.composition_series import is_series, read_series
from core.chemistry.exact_formula import literal_amounts
from core.chemistry.formula_reader import parse_formula, read_formula
from core.errors import InputError

HARD = Path(__file__).parents[2] / "data" / "hard_formulas.csv"


def hard_formulas() -> list[tuple[str, str, str]]:
    """(text, "read", formula as understood), (text, "propose", proposals) or (text, "refuse", "")."""
    with HARD.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["outcome"], row["formula"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("text", "outcome", "formula"), hard_formulas())
def test_hard_formulas(text, outcome, formula):
    if outcome == "read":
        assert read_formula(text).read_as == formula
        assert parse_formula(text) == parse_formula(formula)
        return
    with pytest.raises(InputError) as caught:
        read_formula(text)
    assert " | ".join(caught.value.suggestions) == formula


def test_there_are_200_hard_formulas():
    rows = hard_formulas()
    assert len({text for text, _, _ in rows}) == len(rows) >= 200


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
        ("La1,85Sr0,15CuO4", {"La": 1.85, "Sr": 0.15, "Cu": 1, "O": 4}),
        ("La2/3Ca1/3MnO3", {"La": 2 / 3, "Ca": 1 / 3, "Mn": 1, "O": 3}),
        ("FeSe1e-3", {"Fe": 1, "Se": 0.001}),
        ("CuSO4·5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("Ba(Fe 0.9 Co 0.1 ) 2 As 2", {"Ba": 1, "Fe": 1.8, "Co": 0.2, "As": 2}),
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
        ("Y2O3+BaCuO2", 4, "one compound"),
        ("LnFeAsO", 0, "several elements"),
        ("MgB2, Nb3Sn", 4, "separates"),
    ],
)
def test_errors_give_the_position_of_the_invalid_character(formula, position, word):
    with pytest.raises(InputError) as caught:
        parse_formula(formula)
    assert caught.value.position == position
    assert word in caught.value.message
    assert caught.value.pointer() == f"{formula}\n{' ' * position}^"


def test_the_position_is_that_in_the_text_as_typed():
    with pytest.raises(InputError) as caught:
        parse_formula("La$_{2}$Qu$_{4}$")
    assert caught.value.position == "La$_{2}$Qu$_{4}$".index("Q")


@pytest.mark.parametrize("formula", ["", "   ", "La0", "La" + "9" * 400, "La1/0"])
def test_empty_formulas_and_infinite_amounts_are_rejected(formula):
    with pytest.raises(InputError):
        parse_formula(formula)


def test_undetermined_amounts_are_zero_only_on_request_and_only_if_no_element_vanishes():
    assert read_formula("YBa2Cu3O7-d", undetermined_as_zero=True).read_as == "YBa2Cu3O7"
    assert read_formula("La2-xSrxCuO4", undetermined_as_zero=True).read_as == "La2CuO4"
    for formula in ("YBa2Cu3Oy", "KxFe2-ySe2"):
        with pytest.raises(InputError, match="would vanish"):
            read_formula(formula, undetermined_as_zero=True)


@pytest.mark.parametrize("formula", ["YBCO", "H6SN", "BHF4", "Ba(FeCo)2As2", "Y123"])
def test_formulas_that_the_program_wrote_are_read_to_the_letter(formula):
    assert literal_amounts(formula) == pytest.approx(Composition(formula).as_dict())
    with pytest.raises(InputError):
        parse_formula(formula)


plain_amount = st.one_of(st.just(""), st.integers(2, 60).map(str), st.decimals("0.01", "9.99", places=2).map(str))
plain_part = st.tuples(st.sampled_from(elements.symbols()[:103]), plain_amount).map("".join)


@settings(deadline=None, max_examples=300)
@given(st.lists(plain_part, min_size=1, max_size=6).map("".join))
def test_plain_formulas_are_read_as_pymatgen_reads_them_or_refused(formula):
    try:
        amounts = read_formula(formula).amounts
    except InputError as error:  # a nickname such as B1S1CCO, or letters in capitals
        assert error.suggestions or "zero" in error.rule
        return
    assert amounts == pytest.approx(Composition(formula).as_dict(), abs=1e-9)


@settings(deadline=None, max_examples=300)
@given(st.text("LaBCuOFesxyzδ0123456789.,-+()[] /·'", max_size=20))
def test_any_text_is_read_or_refused_with_proposals_that_can_be_read(text):
    try:
        assert sum(read_formula(text).amounts.values()) > 0
    except InputError as error:
        for suggestion in error.suggestions:
            assert read_series(suggestion).members if is_series(suggestion) else parse_formula(suggestion)
