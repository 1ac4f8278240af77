"""The periodic table without a browser: the exchange with the browser, conflicts, and invalid states."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from app.components.periodic_table.component import layout
from app.components.periodic_table.exchange import Exchange, payload, resolve
from app.components.periodic_table.table_state import TableState
from core.errors import InputError

EMPTY = TableState(frozenset(), {}, frozenset())
IRON = TableState(frozenset({"Fe"}), {}, frozenset())
CUPRATE = TableState(frozenset({"Pb"}), {"Cu": 1.0, "O": 4.0}, frozenset({"La"}))


def value(state: TableState, revision: int, generation: int = 0) -> dict:
    """What the browser sends."""
    return payload(Exchange(None, state, generation, revision))


def test_without_an_action_the_given_state_is_returned():
    assert resolve(Exchange(), CUPRATE, None).returned == CUPRATE


def test_a_click_is_processed_once():
    first = resolve(Exchange(), EMPTY, None)
    clicked = resolve(first, EMPTY, value(IRON, 1))
    assert (clicked.returned, clicked.revision) == (IRON, 1)
    # The widget keeps its value: at the next run the same revision is no new action.
    again = resolve(clicked, IRON, value(IRON, 1))
    assert (again.returned, again.generation, again.revision) == (IRON, 0, 1)


def test_a_change_by_the_program_overrides_the_old_value_and_raises_the_generation():
    clicked = resolve(resolve(Exchange(), EMPTY, None), EMPTY, value(IRON, 1))
    preset = resolve(clicked, CUPRATE, value(IRON, 1))
    assert (preset.returned, preset.generation) == (CUPRATE, 1)
    kept = resolve(preset, CUPRATE, value(IRON, 1))
    assert (kept.returned, kept.generation) == (CUPRATE, 1)


def test_a_change_by_the_program_overrides_a_click_of_the_same_script_run():
    shown = resolve(resolve(Exchange(), EMPTY, None), EMPTY, value(IRON, 1))
    both = resolve(shown, CUPRATE, value(EMPTY, 2))
    assert (both.returned, both.generation) == (CUPRATE, 1)


def test_a_click_made_before_the_browser_saw_the_change_is_void_and_one_made_after_counts():
    preset = resolve(Exchange(EMPTY, EMPTY, 0, 3), CUPRATE, None)
    assert resolve(preset, CUPRATE, value(IRON, 4, generation=0)).returned == CUPRATE
    assert resolve(preset, CUPRATE, value(IRON, 4, generation=1)).returned == IRON


def test_undoing_the_only_click_by_the_program():
    clicked = resolve(resolve(Exchange(), EMPTY, None), EMPTY, value(IRON, 1))
    assert resolve(clicked, EMPTY, value(IRON, 1)).returned == EMPTY


def test_a_script_run_that_is_interrupted_before_its_result_is_stored_loses_no_click():
    clicked = resolve(resolve(Exchange(), EMPTY, None), EMPTY, value(IRON, 1))
    further = TableState(frozenset({"Fe", "Co"}), {}, frozenset())
    assert resolve(clicked, EMPTY, value(further, 2)).returned == further


@pytest.mark.parametrize(
    "unreadable",
    [
        "text",
        {},
        {**value(IRON, 1), "forbidden": ["Xx"]},
        {**value(IRON, 1), "forbidden": None},
        {**value(IRON, 1), "fixed": {"Fe": 1.0}},  # in two states
        {**value(IRON, 1), "fixed": {"Cu": -1}},
        {**value(IRON, 1), "fixed": {"Cu": "much"}},
        {**value(IRON, 1), "fixed": {"Cu": float("nan")}},
    ],
)
def test_an_unreadable_value_changes_nothing(unreadable):
    assert resolve(Exchange(), CUPRATE, unreadable).returned == CUPRATE


def test_amounts_are_exact_after_a_round_trip_through_the_browser():
    state = TableState(frozenset(), {"Sr": 0.15, "O": 0.1 + 0.2}, frozenset())
    assert resolve(Exchange(), EMPTY, json.loads(json.dumps(value(state, 1)))).returned == state


@pytest.mark.parametrize(
    "parts",
    [
        (frozenset({"Xx"}), {}, frozenset()),
        (frozenset({"Fe"}), {"Fe": 1.0}, frozenset()),
        (frozenset(), {"Fe": 1.0}, frozenset({"Fe"})),
        (frozenset(), {"Fe": 0.0}, frozenset()),
        (frozenset(), {"Fe": float("inf")}, frozenset()),
    ],
)
def test_a_contradictory_state_is_rejected(parts):
    with pytest.raises(InputError) as error:
        TableState(*parts)
    assert error.value.field == "table"


def test_the_layout_is_that_of_the_periodic_table():
    tiles = layout()
    place = {tile["symbol"]: (tile["row"], tile["column"]) for tile in tiles}
    assert len(tiles) == len(set(place.values())) == 118
    expected = {"H": (1, 1), "He": (1, 18), "B": (2, 13), "Sc": (4, 3), "Fe": (4, 8), "Og": (7, 18)}
    expected |= {"Lu": (6, 3), "Hf": (6, 4), "La": (8, 3), "Yb": (8, 16), "Ac": (9, 3), "No": (9, 16)}
    assert {symbol: place[symbol] for symbol in expected} == expected


def _page():
    import streamlit as st

    from app.components.periodic_table.component import periodic_table
    from app.components.periodic_table.table_state import TableState

    st.session_state.setdefault("kept", TableState(frozenset({"Pb"}), {"Cu": 1.0}, frozenset()))
    if st.button("Clear"):
        st.session_state.kept = TableState(frozenset(), {}, frozenset())
    st.session_state.kept = periodic_table(
        st.session_state.kept,
        counts={"Cu": 3120},
        unavailable={"Rn": "no data"},
        can_substitute={"Cu"},
        limits={"O": ("≥40%", "at least 0.4 of all atoms")},
        key="table",
    )


def test_on_a_page_the_value_of_the_browser_becomes_the_state_and_a_button_overrides_it():
    app = AppTest.from_function(_page).run()
    assert not app.exception
    assert app.session_state.kept == TableState(frozenset({"Pb"}), {"Cu": 1.0}, frozenset())
    app.session_state["table"] = {"table": value(IRON, 1)}
    app.run()
    assert not app.exception
    assert app.session_state.kept == IRON
    app.button[0].click().run()
    assert app.session_state.kept == EMPTY
    app.run()
    assert app.session_state.kept == EMPTY


def test_the_browser_gets_the_state_and_the_data_of_the_elements():
    app = AppTest.from_function(_page).run()
    sent = json.loads(app.get("bidi_component")[0].proto.json)
    assert len(sent["elements"]) == 118
    assert sent["counts"] == {"Cu": 3120}
    assert sent["unavailable"] == {"Rn": "no data"}
    assert sent["can_substitute"] == ["Cu"]
    assert sent["limits"] == {"O": ["≥40%", "at least 0.4 of all atoms"]}
    assert (sent["forbidden"], sent["fixed"], sent["substituted"]) == (["Pb"], {"Cu": 1.0}, [])
