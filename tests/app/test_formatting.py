"""Numbers, durations, formulas and errors as text and HTML."""

from __future__ import annotations

import pytest

from app.text.formatting import (
    change_text,
    deviation_text,
    duration,
    formula_text,
    largest_amounts,
    ordinal,
    signed_number,
    times,
)
from app.text.html import error_html, formula_html, table_html
from core.errors import InputError


def test_amounts_are_subscripts_and_text_is_escaped():
    assert "Cu<sub>0.5</sub>O<sub>4</sub>" in formula_html("Cu0.5O4")
    assert "La<sub>2/3</sub>Ca<sub>1/3</sub>" in formula_html("La2/3Ca1/3MnO3")
    assert "<script" not in formula_html("<script>")
    assert formula_text("Ba(FeAs)2") == "Ba(FeAs)₂" and formula_text("Sr0.5O") == "Sr0.5O"


def test_an_error_marks_the_character_at_fault_and_escapes_the_rest():
    shown = error_html(InputError("base", "La<b>", "no", "Change it", position=2))
    assert "<code>La<mark>&lt;</mark>b&gt;</code>" in shown and "<b>" not in shown


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(3, 0, "+3"), (-2, 0, "−2"), (0, 0, "0"), (-0.0004, 3, "0.000"), (1.5, 1, "1.5"), (-1.26, 1, "−1.3")],
)
def test_signed_numbers(value, digits, text):
    assert signed_number(value, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (8.4, "8 s"), (60, "1 min"), (80, "1 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_numbers_are_written_as_text():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 21, 112)] == ["1st", "2nd", "3rd", "4th", "11th", "21st", "112th"]
    assert [times(n) for n in (1, 2, 1500)] == ["once", "twice", "1,500 times"]
    assert (change_text(3.21), change_text(-1.0)) == ("a gain of 3.2 K", "a loss of 1.0 K")
    assert change_text(-0.04) == "no change"
    assert (deviation_text(12.34, 1), deviation_text(float("nan"), 1)) == (" ± 12.3", "")


def test_of_many_elements_the_largest_amounts_are_shown():
    assert largest_amounts("La1.85Sr0.15CuO4", 4) == "La1.85Sr0.15CuO4"
    assert largest_amounts("La1.85Sr0.15CuO4", 2) == "La1.85O4…"
    assert largest_amounts("O120.5Cu", 1) == "O120.5…" and largest_amounts("no formula?", 2) == "no formula?"


def test_a_table_has_a_foot_only_if_there_is_one():
    assert table_html(("a",), [("1",)]) == (
        '<table class="plain"><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>'
    )
    assert "<tfoot><tr><td>2</td></tr></tfoot></table>" in table_html(("a",), [("1",)], ("2",), css="last")
