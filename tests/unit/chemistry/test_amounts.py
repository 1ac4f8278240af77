"""Amounts in formulas."""

import pytest

from core.chemistry.amounts import amount_at


@pytest.mark.parametrize(
    ("text", "constant", "terms"),
    [
        ("2", 2, {}),
        ("0,5", 0.5, {}),
        (".5", 0.5, {}),
        ("1e-3", 0.001, {}),
        ("2/3", 2 / 3, {}),
        ("x", 0, {"x": 1}),
        ("2-x", 2, {"x": -1}),
        ("(2-x)", 2, {"x": -1}),
        ("1-x-2y", 1, {"x": -1, "y": -2}),
        ("2n+4+x", 4, {"n": 2, "x": 1}),
        ("7-", 7, {"δ": -1}),
        (" -x 1", 1, {"x": -1}),
        ("δ + 6", 6, {"δ": 1}),
    ],
)
def test_constant_and_coefficients(text, constant, terms):
    amount = amount_at(text, 0)
    assert amount.constant == pytest.approx(constant) and amount.terms == terms and amount.end == len(text)
    assert amount.value({"x": 0.1, "y": 0.2}) == pytest.approx(
        constant + 0.1 * terms.get("x", 0) + 0.2 * terms.get("y", 0)
    )


@pytest.mark.parametrize("text", ["", "As", " (111)", "film", "-Ag"])
def test_other_text_is_no_amount(text):
    assert amount_at(text, 0) is None
