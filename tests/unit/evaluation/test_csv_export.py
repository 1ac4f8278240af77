"""CSV files: round trip, digits, and text that spreadsheets do not evaluate."""

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest

from core.evaluation.candidate_table import typed
from core.evaluation.columns import BY_NAME, COLUMNS
from core.evaluation.csv_export import to_csv
from core.spreadsheet import safe_cell
from tests.unit.evaluation.rows import NUMBER, TEXT, row, table


def read(text: str) -> list[dict[str, str]]:
    """The cells, as read by the csv module."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_header_has_the_names_of_the_columns():
    assert to_csv(table()).split("\n")[0] == ",".join(column.name for column in COLUMNS)


def test_csv_round_trip():
    given = table(row(), row(rank=2, formula="LaFeAsO", passes=False, known=False, distance_to_known=math.nan))
    text = to_csv(given)
    back = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values={"distance_to_known": [""]})
    assert list(back.columns) == list(given.columns) and len(back) == 2
    for column in COLUMNS:
        if column.dtype == "float64":
            close = 0.5000001 * 10.0**-column.digits
            assert np.allclose(back[column.name], given[column.name], rtol=0, atol=close, equal_nan=True)
        else:
            assert back[column.name].tolist() == given[column.name].tolist()
    assert to_csv(typed(back)) == text  # writing the parsed table gives the same text


def test_missing_numbers_of_any_kind_are_empty_cells():
    seeds = pd.array([3, None], dtype="Int64")
    given = pd.DataFrame({"seeds": seeds, "gain_K": [1.5, math.nan], "base": ["Pb", None]})
    assert to_csv(given) == "seeds,gain_K,base\n3,1.5,Pb\n,,\n"


def test_numbers_have_the_digits_of_their_column():
    (cells,) = read(to_csv(table()))
    assert {name: cells[name] for name in NUMBER} == {
        "tc_K": "39.12",
        "tc_gain_K": "-1.23",  # negative numbers are numbers, not text to be made safe
        "formation_energy_eV_per_atom": "-0.1235",
        "integer_loss": "0.01235",
    }


def test_negative_zero_is_written_without_a_sign():
    (cells,) = read(to_csv(table(row(tc_gain_K=-0.001, energy_above_hull_eV_per_atom=-1e-9))))
    assert cells["tc_gain_K"] == "0.00" and float(cells["energy_above_hull_eV_per_atom"]) == 0
    assert not cells["energy_above_hull_eV_per_atom"].startswith("-")


def test_missing_numbers_are_empty_cells():
    (cells,) = read(to_csv(table(row(energy_above_hull_eV_per_atom=math.nan, nearest_known_tc_K=math.nan))))
    assert cells["energy_above_hull_eV_per_atom"] == cells["nearest_known_tc_K"] == ""
    assert read(to_csv(pd.DataFrame({"charge_neutral": [None, True]}, dtype=object)))[0]["charge_neutral"] == ""


def test_line_ends_and_non_ascii_characters():
    text = to_csv(table(row(reason="Tc of 5 µm × 2"), row()))
    assert text.count("\n") == 3 and text.endswith("\n") and "\r" not in text
    assert read(text.encode().decode("utf-8"))[0]["reason"] == "Tc of 5 µm × 2"


def test_commas_quotes_and_line_breaks_stay_in_their_cell():
    awkward = 'two, "three"\nfour\n=5'
    (cells,) = read(to_csv(table(row(reason=awkward))))
    assert cells["reason"] == awkward and cells["decomposition"] == TEXT["decomposition"]


def test_an_empty_table_gives_only_the_header():
    assert to_csv(table().iloc[:0]) == ",".join(BY_NAME) + "\n"


def test_other_columns_are_written_unrounded():
    frame = pd.DataFrame({"formula": ["MgB2"], "error": ["=1+1"], "weight": [0.123456789]})
    assert to_csv(frame) == "formula,error,weight\nMgB2,'=1+1,0.123456789\n"


# Text that a spreadsheet would evaluate.

DANGEROUS = ["=1+1", "=HYPERLINK(0)", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1+1", "\r=1+1", "=", "-"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_starts_a_formula_is_quoted(text):
    assert safe_cell(text) == "'" + text.replace("\r", "\n")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦"])
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u200b", "\u3000", "\ufeff ", " \t", "\v", "\u2028", "\0"])
def test_a_sign_behind_blanks_or_in_full_width_is_quoted(before, sign):
    assert safe_cell(f"{before}{sign}1+1") == f"'{before}{sign}1+1"


@pytest.mark.parametrize("value", ["MgB2", "", "0.5 Fe + 0.5 O", "a=b", "nearest charge is -1", -1.5, -3, True, None])
def test_other_values_are_unchanged(value):
    assert safe_cell(value) is value


@pytest.mark.parametrize("column", [column.name for column in COLUMNS if column.dtype == "str"])
@pytest.mark.parametrize("text", [text for text in DANGEROUS if "\r" not in text])  # see the next test
def test_formulas_are_quoted_in_every_text_column(column, text):
    (cells,) = read(to_csv(table(row(**{column: text}))))
    assert cells[column] == "'" + text


@pytest.mark.parametrize("text", ["\r=1+1", "Xx\r=1+1"])
def test_a_carriage_return_does_not_start_a_row(text):
    (cells,) = read(to_csv(pd.DataFrame({"formula": [text], "tc_K": [1.0]})))
    assert cells["tc_K"] == "1.00" and not cells["formula"].startswith(("=", "\r"))
