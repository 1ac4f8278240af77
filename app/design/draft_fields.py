"""Form fields that show a value of the draft and change the draft.

In all of them: `name` identifies the field; the changed draft is step(draft, *args, value of the field), a function of
`app.state.draft_changes`; `options_of_widget` are passed to Streamlit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from app.state.draft import Draft
from app.state.session import change_from_widget
from app.state.synced_widgets import index_of, synced_key

Step = Callable[..., Draft]


def select(
    label: str, name: str, value: object, options: Iterable, step: Step, *args: object, **options_of_widget
) -> None:
    """A list to choose one option from."""
    key = synced_key(f"design.{name}", value)
    options = list(options)
    st.selectbox(label, options, index=index_of(value, options), key=key, on_change=change_from_widget,
                 args=(key, step, *args), **options_of_widget)  # fmt: skip


def number(
    label: str, name: str, value: float, increment: float | None, step: Step, *args: object, **options_of_widget
) -> None:
    """A number. increment : of its buttons"""
    key = synced_key(f"design.{name}", value)
    st.number_input(label, value=value, step=increment, key=key, on_change=change_from_widget,
                    args=(key, step, *args), **options_of_widget)  # fmt: skip


def segments(
    label: str, name: str, value: object, options: Iterable, step: Step, *args: object, **options_of_widget
) -> None:
    """A row of segments, of which one is chosen."""
    key = synced_key(f"design.{name}", value)
    st.segmented_control(label, list(options), key=key, default=value, on_change=change_from_widget,
                         args=(key, step, *args), **options_of_widget)  # fmt: skip


def checkbox(label: str, name: str, value: bool, step: Step, *args: object, **options_of_widget) -> None:
    """A box to check."""
    key = synced_key(f"design.{name}", value)
    st.checkbox(label, value=value, key=key, on_change=change_from_widget, args=(key, step, *args),
                **options_of_widget)  # fmt: skip


def pills(
    label: str, name: str, value: list, options: Iterable, step: Step, *args: object, **options_of_widget
) -> None:
    """Pills, of which several may be chosen."""
    key = synced_key(f"design.{name}", value)
    st.pills(label, list(options), selection_mode="multi", key=key, default=value, on_change=change_from_widget,
             args=(key, step, *args), **options_of_widget)  # fmt: skip


def multiselect(
    label: str, name: str, value: list, options: Iterable, step: Step, *args: object, **options_of_widget
) -> None:
    """A list to choose several options from."""
    key = synced_key(f"design.{name}", value)
    st.multiselect(label, list(options), key=key, default=value, on_change=change_from_widget,
                   args=(key, step, *args), **options_of_widget)  # fmt: skip
