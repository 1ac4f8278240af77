"""The drafts before and after the present one, to undo and redo changes. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from app.state.draft import Draft

MOST = 100  # drafts that can be undone


@dataclass(frozen=True)
class DraftHistory:
    """The drafts before the present one, the last one newest, and those that were undone, the last one first to redo.

    The present draft itself is passed to every function.
    """

    past: tuple[Draft, ...] = ()
    future: tuple[Draft, ...] = ()

    def after_change(self, before: Draft, after: Draft) -> DraftHistory:
        """The history when a draft was changed; the same history if nothing changed."""
        if before == after:
            return self
        return DraftHistory((*self.past, before)[-MOST:])

    def undone(self, present: Draft) -> tuple[Draft, DraftHistory]:
        """The draft before the present one, and the history around it; the present draft if there is none."""
        if not self.past:
            return present, self
        return self.past[-1], DraftHistory(self.past[:-1], (*self.future, present))

    def redone(self, present: Draft) -> tuple[Draft, DraftHistory]:
        """The draft that was undone last, and the history around it; the present draft if there is none."""
        if not self.future:
            return present, self
        return self.future[-1], DraftHistory((*self.past, present)[-MOST:], self.future[:-1])
