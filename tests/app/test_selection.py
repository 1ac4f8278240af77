"""The selected candidate, without a page."""

from __future__ import annotations

import pandas as pd
import pytest

from app.results import selection
from app.results.selection import (
    SCATTER,
    TABLE,
    neighbour,
    row_clicked,
    scatter_clicked,
    select,
    selected_row,
    view_key,
)


@pytest.fixture(autouse=True)
def session(monkeypatch) -> dict:
    """A session."""
    state: dict = {}
    monkeypatch.setattr(selection.st, "session_state", state)
    return state


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame({"candidate": [7, 3, 5]})


def click(session: dict, callback, view: str, **selected: list) -> None:
    key = view_key(view)
    session[key] = {"selection": selected}
    callback(key)


def test_the_first_shown_row_is_selected_at_first(table):
    assert selected_row("run", table, table.tail(2), table.tail(2))["candidate"] == 3
    assert selected_row("other run", table, table.head(0), table.head(0))["candidate"] == 7


def test_a_click_selects_for_both_views_and_resets_the_other(table, session):
    selected_row("run", table, table, table)
    keys = {view: view_key(view) for view in (SCATTER, TABLE)}
    click(session, scatter_clicked, SCATTER, points=[{"customdata": [5, "MgB2"]}])
    assert selected_row("run", table, table, table)["candidate"] == 5
    assert view_key(SCATTER) == keys[SCATTER] and view_key(TABLE) != keys[TABLE]
    click(session, row_clicked, TABLE, rows=[1])
    assert selected_row("run", table, table, table)["candidate"] == 3
    assert view_key(SCATTER) != keys[SCATTER]


def test_a_click_that_deselects_keeps_the_candidate_and_resets_its_own_view(table, session):
    selected_row("run", table, table, table)
    click(session, row_clicked, TABLE, rows=[2])
    keys = {view: view_key(view) for view in (SCATTER, TABLE)}
    click(session, row_clicked, TABLE, rows=[])
    assert selected_row("run", table, table, table)["candidate"] == 5
    assert view_key(TABLE) != keys[TABLE] and view_key(SCATTER) == keys[SCATTER]


def test_a_candidate_that_the_filters_exclude_leaves_and_row_numbers_follow_the_filters(table, session):
    selected_row("run", table, table, table)
    click(session, row_clicked, TABLE, rows=[0])
    before = view_key(TABLE)
    shown = table.tail(2)
    assert selected_row("run", table, shown, shown)["candidate"] == 3
    assert view_key(TABLE) != before
    click(session, row_clicked, TABLE, rows=[1])
    assert selected_row("run", table, shown, shown)["candidate"] == 5
    assert selected_row("run", table, shown.head(1), shown)["candidate"] == 5  # another row stands for it


def test_the_candidate_of_a_link_stays_until_the_filters_change(table):
    shown = table.tail(2)
    for _ in range(2):
        assert selected_row("run", table, shown, shown, linked=7)["candidate"] == 7
    assert selected_row("run", table, shown.tail(1), shown.tail(1), linked=7)["candidate"] == 5
    assert selected_row("other run", table, shown, shown, linked=99)["candidate"] == 3


def test_steps_walk_the_rows_that_are_shown(table):
    selected_row("run", table, table, table)
    assert (neighbour(-1), neighbour(1)) == (None, 3)
    key = view_key(TABLE)
    select(5)
    assert selected_row("run", table, table, table)["candidate"] == 5 and view_key(TABLE) != key
    assert (neighbour(-1), neighbour(1)) == (3, None)
    selected_row("run", table, table.head(2), table)
    assert neighbour(1) == 7  # not among the rows: the first one


def test_another_run_starts_with_its_own_first_row(table, session):
    selected_row("run", table, table, table)
    click(session, row_clicked, TABLE, rows=[2])
    assert selected_row("other run", table, table, table)["candidate"] == 7
