"""The menu that keeps the base, what defines its family, or the family."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.state import session
from app.state.draft import Draft
from app.state.kept_parts import defining_elements, family_of_base, with_fixed, with_nothing_fixed, within_family
from app.state.synced_widgets import current_key, widget_callback
from app.text.formatting import formula_text

_NAME = "design.keep"


def keep_menu(draft: Draft) -> None:
    """Fix all of the base, or what defines its family; stay in the family; fix nothing."""
    key = current_key(_NAME)
    st.menu_button(
        "Keep", list(choices(draft)), key=key, on_click=kept, args=(key,), type="tertiary",
        help="Fix elements at their amounts in the base, or stay in its family",
    )  # fmt: skip


def choices(draft: Draft) -> dict[str, Callable[[Draft], Draft]]:
    """Label -> change of the draft, of everything that can be kept of this base."""
    defining, everything = defining_elements(draft), list(draft.amounts)
    found: dict[str, Callable[[Draft], Draft]] = {
        f"Fix all of {formula_text(draft.base)}": lambda before: with_fixed(before, everything)
    }
    if defining:
        found[f"Fix {' and '.join(defining)}"] = lambda before: with_fixed(before, defining)
        found[f"Stay {family_of_base(draft)}: least amounts"] = within_family
    if draft.table.fixed:
        found["Fix nothing"] = with_nothing_fixed
    return found


@widget_callback
def kept(key: str) -> None:
    """Callback of the menu. The menu is replaced, so that the same entry can be chosen again."""
    chosen = choices(session.draft()).get(st.session_state[key])
    if chosen is not None:
        session.change(chosen)
