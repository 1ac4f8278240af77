"""Series of formulas: a formula with variables, and their values."""

import pytest

from core.chemistry.composition_series import is_series, read_series
from core.chemistry.formula_reader import parse_formula, read_members
from core.errors import InputError


def formulas(text: str) -> list[str]:
    return [member.reading.read_as for member in read_series(text).members]


def test_a_range_expands_to_its_steps_with_both_ends():
    series = read_series("La2-xSrxCuO4, x = 0..0.3 in 7 steps")
    assert series.formula == "La2-xSrxCuO4" and series.variables == ("x",)
    assert [m.values["x"] for m in series.members] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3])
    assert [m.reading.read_as for m in series.members][::3] == ["La2CuO4", "La1.85Sr0.15CuO4", "La1.7Sr0.3CuO4"]
    assert series.members[3].reading.amounts == pytest.approx({"La": 1.85, "Sr": 0.15, "Cu": 1, "O": 4})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ba1-xKxFe2As2; x = 0, 0.4, 1", ["BaFe2As2", "Ba0.6K0.4Fe2As2", "KFe2As2"]),
        ("Ba(Fe1-xCox)2As2, x=0.08", ["Ba(Fe0.92Co0.08)2As2"]),
        ("YBa2Cu3O7−δ, δ = 0.1", ["YBa2Cu3O6.9"]),
        ("YBa2Cu3O7-d, d = 0 to 1 in 2 steps", ["YBa2Cu3O7", "YBa2Cu3O6"]),
        ("LaFe1-xCoxAsO1-yFy, x = 0.1, y = 0..0.2 in 2 steps", ["LaFe0.9Co0.1AsO", "LaFe0.9Co0.1AsO0.8F0.2"]),
        ("Bi2Sr2Can-1CunO2n+4, n = 1..3 in 3 steps", ["Bi2Sr2CuO6", "Bi2Sr2CaCu2O8", "Bi2Sr2Ca2Cu3O10"]),
    ],
)
def test_values_are_put_in_place_of_variables(text, expected):
    assert formulas(text) == expected


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("La2-xSrxCuO4, y = 0.1", "does not contain y"),
        ("La2-xSrxCuO4, x = 0..3 in 4 steps", "negative at x = 3"),
        ("LaFe1-xCoxAsO1-yFy, x = 0.1", "y has no value"),
        ("La2-xSrxCuO4, x = 0..0.3 in 2000 steps", "2 to 1,000 steps"),
        ("LaFe1-xCoxAsO1-yFy, x = 0..1 in 40 steps, y = 0..1 in 40 steps", "1,600 formulas"),
        ("La2-xSrxCuO4, x = much", "neither a range nor a list"),
        ("La2-xSrxCuO4, x = 0.1, x = 0.2", "two ranges"),
        ("La2-xSrxQuO4, x = 0.1", "not an element"),
    ],
)
def test_wrong_series_are_refused(text, rule):
    with pytest.raises(InputError, match=rule):
        read_series(text)


def test_a_formula_without_values_is_one_member():
    (member,) = read_members("MgB2")
    assert member.values == {} and member.reading.read_as == "MgB2"
    assert not is_series("MgB2") and not is_series("MgB2, Nb3Sn")


def test_one_value_makes_a_formula_and_several_do_not():
    assert parse_formula("YBa2Cu3O7-d, d = 0.1") == pytest.approx({"Y": 1, "Ba": 2, "Cu": 3, "O": 6.9})
    with pytest.raises(InputError, match="7 formulas"):
        parse_formula("La2-xSrxCuO4, x = 0..0.3 in 7 steps")


def test_variables_without_a_value_are_zero_on_request():
    (member,) = read_series("LaFe1-xCoxAsO1-yFy, x = 0.1", undetermined_as_zero=True).members
    assert member.reading.read_as == "LaFe0.9Co0.1AsO"
