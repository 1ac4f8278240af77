"""Undo and redo of changes of a draft."""

from __future__ import annotations

from app.state.draft import first_draft
from app.state.draft_changes import with_base, with_field
from app.state.draft_history import MOST, DraftHistory

FIRST = first_draft()
SECOND = with_base(FIRST, "MgB2")
THIRD = with_field(SECOND, "seed", 7)


def test_changes_are_undone_and_redone_in_order():
    history = DraftHistory().after_change(FIRST, SECOND).after_change(SECOND, THIRD)
    undone, history = history.undone(THIRD)
    assert undone == SECOND
    undone, history = history.undone(undone)
    assert undone == FIRST and history.past == ()
    redone, history = history.redone(undone)
    assert redone == SECOND
    redone, history = history.redone(redone)
    assert redone == THIRD and history.future == ()


def test_nothing_is_undone_or_redone_without_a_change():
    empty = DraftHistory()
    assert empty.after_change(FIRST, FIRST) == empty
    assert empty.undone(FIRST) == (FIRST, empty) and empty.redone(FIRST) == (FIRST, empty)


def test_a_new_change_forgets_what_was_undone():
    undone, history = DraftHistory().after_change(FIRST, SECOND).undone(SECOND)
    assert history.future == (SECOND,)
    assert history.after_change(undone, THIRD).future == ()


def test_the_number_of_drafts_is_limited():
    history = DraftHistory()
    for seed in range(MOST + 5):
        history = history.after_change(with_field(FIRST, "seed", seed), with_field(FIRST, "seed", seed + 1))
    assert [draft.seed for draft in history.past] == list(range(5, MOST + 5))
