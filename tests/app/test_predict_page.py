"""The page Predict."""

from __future__ import annotations

import pandas as pd
import pytest

from app.predict.formula_card import disagreement, warnings
from app.results.candidate_card.card import TABS
from core.evaluation.user_formulas import screen
from tests.app.pages import button_labels, html_text, open_page, open_tab, page_text, without_exception

NO_DOUBT = {
    "hydrogen_rich": False, "distance_to_training": 0.5, "extrapolating": False, "tc_K": 30.0, "tc_std_K": 5.0,
    "tc_judge_K": 31.0, "caveat": "",
}  # fmt: skip


def test_without_formulas_the_page_says_what_it_gives():
    test = open_page("predict")
    assert "python -m core screen" in page_text(test) and not test.dataframe


def test_a_link_opens_formulas_with_the_numbers_of_the_command_line():
    test = open_page("predict", formula="LaFeAsO")
    (frame,) = test.dataframe
    expected = screen(["LaFeAsO"]).iloc[0]
    assert frame.value["tc_K"][0] == pytest.approx(expected["tc_K"], abs=0.05)
    assert frame.value["oxidation_states"][0] == expected["oxidation_states"]
    assert f"{expected['tc_K']:.1f} ± {expected['tc_std_K']:.1f}" in html_text(test)
    assert [tab.label for tab in test.tabs] == ["Overview", "Charges", "Stability", "Structures"]
    assert "eV/atom</b> above the hull" in html_text(open_tab(test, "Stability"))
    assert "Usual charges" in html_text(open_tab(test, "Charges"))


def test_a_proposal_is_one_click_away():
    test = open_page("predict")
    test.text_area[0].set_value("YBCO\nMgB2\n???").run()
    assert "this is a nickname" in html_text(test) and "???" in html_text(test)
    assert test.dataframe[0].value["suggestion"].iloc[0] == "YBa2Cu3O7"
    next(button for button in test.button if button.label == "Read as YBa2Cu3O7").click().run()
    without_exception(test)
    assert test.text_area[0].value == "YBa2Cu3O7\nMgB2\n???"
    assert test.query_params["formula"] == ["YBa2Cu3O7", "MgB2", "???"]
    assert test.dataframe[0].value["tc_K"][0] > 77 and "suggestion" not in test.dataframe[0].value


def test_all_first_proposals_can_be_accepted_at_once():
    test = open_page("predict")
    test.text_area[0].set_value("YBCO\nmgb2").run()
    next(button for button in test.button if button.label.startswith("Read all 2")).click().run()
    assert without_exception(test).text_area[0].value == "YBa2Cu3O7\nMgB2"


def test_a_series_has_a_row_for_each_member_and_a_chart():
    test = open_page("predict")
    test.text_area[0].set_value("La2-xSrxCuO4, x = 0..0.3 in 4 steps").run()
    without_exception(test)
    assert list(test.dataframe[0].value["read_as"]) == [
        "La₂CuO₄", "La1.9Sr0.1CuO4", "La1.8Sr0.2CuO4", "La1.7Sr0.3CuO4"
    ]  # fmt: skip
    assert "predict.doping_line.0" in [chart.key for chart in test.get("plotly_chart")]


def test_a_formula_of_five_elements_has_no_phase_diagram():
    test = open_page("predict", opened={TABS: "Stability"})
    test.text_area[0].set_value("LaFeAsO0.9F0.1").run()
    assert "drawn for 2 to 4 elements; this formula has 5" in page_text(without_exception(test))


def test_an_element_that_a_model_does_not_know_costs_only_its_columns():
    test = open_page("predict", opened={TABS: "Stability"})
    test.text_area[0].set_value("KrF2").run()
    without_exception(test)
    assert "the formation-energy model does not know Kr" in html_text(test)
    assert "Without a formation energy there is no distance to the hull" in page_text(test)
    row = test.dataframe[0].value.iloc[0]
    assert (
        row["tc_K"] >= 0 and pd.isna(row["formation_energy_eV_per_atom"]) and row["oxidation_states"] == "Kr 2+, F 1-"
    )


def test_a_formula_stands_beside_known_compounds_on_the_hull_without_a_base():
    test = open_page("predict", opened={TABS: "Stability"}, formula="HgBa2Ca2Cu3O8")  # five elements: no phase diagram
    text = page_text(test)
    assert "most like this formula" in text and "The base" not in text and "this formula has 5" in text


def test_amounts_that_are_no_whole_numbers_have_a_card():
    test = open_page("predict", opened={TABS: "Charges"})
    test.text_area[0].set_value("La1.41421356Sr0.57735027CuO3.14159265").run()
    without_exception(test)
    assert "Screen of the papers: not tested" in page_text(test)


def test_the_settings_change_the_table():
    test = open_page("predict")
    test.text_area[0].set_value("YBa2Cu3O7-d").run()
    test.toggle[0].set_value(True).run()
    assert list(test.dataframe[0].value["read_as"]) == ["YBa₂Cu₃O₇"]
    best = test.dataframe[0].value["tc_K"][0]
    test.selectbox[0].set_value("published").run()
    without_exception(test)
    assert test.dataframe[0].value["tc_K"][0] != best
    assert test.query_params["models"] == "published" and test.query_params["undetermined"] == "zero"


def test_the_formula_becomes_the_base_of_a_design():
    test = open_page("predict", formula="Nb3Sn")
    next(button for button in test.button if button.label == "Use as base of a design").click().run()
    assert without_exception(test).session_state["tc_studio.draft"].base == "Nb3Sn"
    assert "Run" in button_labels(test)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"hydrogen_rich": True}, ["not a Tc at ambient pressure"]),
        ({"distance_to_training": 0.0}, ["no test of the model"]),
        ({"extrapolating": True}, ["very uncertain"]),
        ({"caveat": "Si: a semiconductor"}, ["a semiconductor"]),
        ({"tc_judge_K": 36.0}, ["differs from the Tc model"]),
        ({"tc_K": float("nan"), "tc_std_K": float("nan"), "extrapolating": pd.NA}, []),
    ],
)
def test_warnings_are_given_where_they_apply(values, expected):
    row = pd.Series(NO_DOUBT | values, dtype=object)
    found = warnings(row)
    assert len(found) == len(expected) and all(part in text for part, text in zip(expected, found, strict=True))


def test_models_without_an_error_estimate_never_disagree_beyond_it():
    assert not disagreement(pd.Series(NO_DOUBT | {"tc_std_K": float("nan"), "tc_judge_K": 90.0}))


def test_the_reports_behind_a_known_tc_are_shown_with_their_references():
    test = open_page("predict", opened={"candidate.reports": True}, formula="Nb3Ge")
    shown = next(frame.value for frame in test.dataframe if "Reference" in frame.value)
    assert len(shown) > 10 and shown["Tc (K)"].is_monotonic_decreasing and shown["Reference"].str.len().min() > 0
