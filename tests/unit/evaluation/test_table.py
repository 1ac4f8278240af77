"""The table of candidates: its columns, and CSV that comes back and that no spreadsheet runs."""

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest

from core.evaluation.table import BY_NAME, COLUMNS, SCREENS, DesignResult, Gain, gain, safe_cell, to_csv, typed
from core.evaluation.table import read as read_stored

NUMBER = {"tc_K": 39.12345, "tc_gain_K": -1.23456, "formation_energy_eV_per_atom": -0.123456, "integer_loss": 0.0123456}
LATER = ["tc_judge_K", "tc_std_K", "energy_above_hull_std_eV_per_atom", "extrapolating"]
TEXT = {"formula": "MgB2", "decomposition": "0.833 B4Mg + 0.167 Mg", "oxidation_states": "Mg 2+, B 1-"}


def row(**values: object) -> dict[str, object]:
    """A row with every column, of the right types."""
    empty = {"int64": 1, "float64": 0.5, "bool": True, "boolean": True, "str": ""}
    return {column.name: empty[column.dtype] for column in COLUMNS} | NUMBER | TEXT | values


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return typed(pd.DataFrame(list(rows) or [row()]))


def read(text: str) -> list[dict[str, str]]:
    """The cells as any other program gets them."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


# The columns.


def test_every_column_has_its_own_name_and_says_what_it_means():
    assert len(BY_NAME) == len(COLUMNS)
    assert len({column.label for column in COLUMNS}) == len(COLUMNS)
    assert all(column.meaning and column.label for column in COLUMNS)


@pytest.mark.parametrize(("shown", "ending"), [("(K)", "_K"), ("(eV/atom)", "_eV_per_atom")])
def test_units_are_in_the_names(shown, ending):
    """A column with a unit on the page has the same unit in the header of the file, and the other way round."""
    on_the_page = {column.name for column in COLUMNS if shown in column.label}
    on_the_page |= {"tc_gain_K"} if ending == "_K" else set()
    assert on_the_page == {column.name for column in COLUMNS if column.name.endswith(ending)} and on_the_page


def test_temperatures_and_energies_have_a_unit():
    for column in COLUMNS:
        if column.name.startswith(("tc_", "nearest_known_tc")):
            assert column.name.endswith("_K")
        if "energy" in column.name:
            assert column.name.endswith("_eV_per_atom")


def test_typed_orders_the_columns_and_gives_them_their_types():
    jumbled = pd.DataFrame([{**row(tc_K=39, rank=1.0), "stray": "x"}])[["stray", *sorted(BY_NAME)]]
    found = typed(jumbled)
    assert list(found.columns) == [column.name for column in COLUMNS]
    assert [str(dtype) for dtype in found.dtypes] == [column.dtype for column in COLUMNS]
    assert list(typed(jumbled.iloc[:0]).dtypes) == list(found.dtypes)


def test_a_missing_column_is_an_error():
    with pytest.raises(KeyError, match="reason"):
        typed(pd.DataFrame([row()]).drop(columns="reason"))


def test_passing_are_those_that_pass_by_rank():
    candidates = table(row(rank=1), row(rank=2, passes=False), row(rank=3))
    result = DesignResult(None, "finished", {}, candidates, (), 0, "cpu")
    assert result.passing["rank"].tolist() == [1, 3]


def test_every_screen_says_what_it_asks():
    assert list(SCREENS) == ["distinct", "elements", "charge_neutral", "pauling_ok", "formation_energy"]
    assert all(SCREENS.values())


# CSV.


def test_the_header_is_the_names_of_the_columns():
    assert to_csv(table()).split("\n")[0] == ",".join(column.name for column in COLUMNS)


def test_csv_comes_back():
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
    assert to_csv(typed(back)) == text  # and what came back is written the same


def test_missing_numbers_of_any_kind_are_empty_cells():
    seeds = pd.array([3, None], dtype="Int64")
    given = pd.DataFrame({"seeds": seeds, "gain_K": [1.5, math.nan], "base": ["Pb", None]})
    assert to_csv(given) == "seeds,gain_K,base\n3,1.5,Pb\n,,\n"


def test_numbers_have_their_digits():
    (cells,) = read(to_csv(table()))
    assert {name: cells[name] for name in NUMBER} == {
        "tc_K": "39.12",
        "tc_gain_K": "-1.23",  # negative numbers are numbers, not text to be made safe
        "formation_energy_eV_per_atom": "-0.1235",
        "integer_loss": "0.01235",
    }


def test_nothing_is_minus_zero():
    (cells,) = read(to_csv(table(row(tc_gain_K=-0.001, energy_above_hull_eV_per_atom=-1e-9))))
    assert cells["tc_gain_K"] == "0.00" and float(cells["energy_above_hull_eV_per_atom"]) == 0
    assert not cells["energy_above_hull_eV_per_atom"].startswith("-")


def test_missing_numbers_are_empty_cells():
    (cells,) = read(to_csv(table(row(energy_above_hull_eV_per_atom=math.nan, nearest_known_tc_K=math.nan))))
    assert cells["energy_above_hull_eV_per_atom"] == cells["nearest_known_tc_K"] == ""
    assert read(to_csv(pd.DataFrame({"charge_neutral": [None, True]}, dtype=object)))[0]["charge_neutral"] == ""


def test_line_ends_and_letters():
    text = to_csv(table(row(reason="Tc of 5 µm × 2"), row()))
    assert text.count("\n") == 3 and text.endswith("\n") and "\r" not in text
    assert read(text.encode().decode("utf-8"))[0]["reason"] == "Tc of 5 µm × 2"


def test_commas_quotes_and_line_breaks_stay_in_their_cell():
    awkward = 'two, "three"\nfour\n=5'
    (cells,) = read(to_csv(table(row(reason=awkward))))
    assert cells["reason"] == awkward and cells["decomposition"] == TEXT["decomposition"]


def test_an_empty_table_is_a_header():
    assert to_csv(table().iloc[:0]) == ",".join(BY_NAME) + "\n"


def test_columns_it_does_not_know_are_written_as_they_are():
    frame = pd.DataFrame({"formula": ["MgB2"], "error": ["=1+1"], "weight": [0.123456789]})
    assert to_csv(frame) == "formula,error,weight\nMgB2,'=1+1,0.123456789\n"


# Text that a spreadsheet would run.

DANGEROUS = ["=1+1", "=HYPERLINK(0)", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1+1", "\r=1+1", "=", "-"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_is_made_safe(text):
    assert safe_cell(text) == "'" + text.replace("\r", "\n")


@pytest.mark.parametrize("value", ["MgB2", "", "0.5 Fe + 0.5 O", "a=b", "nearest charge is -1", -1.5, -3, True, None])
def test_everything_else_is_left_alone(value):
    assert safe_cell(value) is value


@pytest.mark.parametrize("column", [column.name for column in COLUMNS if column.dtype == "str"])
@pytest.mark.parametrize("text", [text for text in DANGEROUS if "\r" not in text])  # for those see the next test
def test_no_cell_of_any_text_column_starts_a_formula(column, text):
    (cells,) = read(to_csv(table(row(**{column: text}))))
    assert cells[column] == "'" + text


@pytest.mark.parametrize("text", ["\r=1+1", "Xx\r=1+1"])
def test_a_carriage_return_opens_no_new_row(text):
    (cells,) = read(to_csv(pd.DataFrame({"formula": [text], "tc_K": [1.0]})))
    assert cells["tc_K"] == "1.00" and not cells["formula"].startswith(("=", "\r"))


# The judge.


def test_gain_of_the_best_by_hand():
    passing = table(*(row(tc_K=tc, tc_judge_K=judge) for tc, judge in ((60, 30), (50, 40), (10, 0))))
    base = {"tc_K": 15.0, "tc_judge_K": 20.0}
    assert gain(passing, base, most=2) == Gain(candidates=2, claimed_K=40.0, judged_K=15.0)
    assert gain(passing, base) == Gain(candidates=3, claimed_K=pytest.approx(25), judged_K=pytest.approx(10 / 3))
    assert gain(passing.head(0), base) is None
    assert gain(passing, {"tc_K": 15.0}) is None  # a run of before there was a judge


def test_a_table_of_an_older_version_has_missing_numbers_where_it_stored_none():
    older = table().drop(columns=LATER)
    again = read_stored(older)
    assert list(again.columns) == list(BY_NAME) and again[LATER].isna().all(axis=None)
    assert again["tc_K"].equals(older["tc_K"])
    with pytest.raises(KeyError):
        read_stored(older.drop(columns="formula"))
