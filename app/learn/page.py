"""The teaching page: one step of the lesson at a time, on a screen or, in large type, before a class."""

from __future__ import annotations

import streamlit as st

from app.blocks import guarded
from app.learn.show import PRESENT, presenting
from app.learn.steps import STEPS, Step, place_of
from app.state.synced_widgets import synced_key, widget_callback
from core.paths import ASSETS

STEP, LIST = "step", "learn.steps"  # query parameter; key of the list of steps


def page() -> None:
    """The bar of steps, the present step, and the way to the next one."""
    place = place_of(st.query_params.get(STEP))
    if presenting():
        st.html(ASSETS / "presentation.css")
        presentation_bar(place)
    else:
        step_list(place)
    step = STEPS[place]
    st.header(step.heading, anchor=False)
    with st.container(key=f"learn_step_{step.name}"):
        body(step)
    if not presenting():
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            move_button(place, -1)
            move_button(place, 1)


def body(step: Step) -> None:
    """The step; what is changed in it draws it alone again."""
    st.fragment(guarded(step.draw))()


def step_list(place: int) -> None:
    """The names of all steps, and the way to the presentation."""
    name = STEPS[place].name
    key = synced_key(LIST, name)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.pills(
            "Steps of the lesson", [step.name for step in STEPS], key=key, default=name, required=True,
            on_change=chosen, args=(key,), label_visibility="collapsed", width="content",
            format_func=lambda name: f"{place_of(name) + 1} {STEPS[place_of(name)].label}",
        )  # fmt: skip
        st.button("Present", icon=":material/slideshow:", key="learn_present", on_click=set_presenting, args=(True,),
                  help="One step per screen in large type; the arrow keys move")  # fmt: skip


def presentation_bar(place: int) -> None:
    """Back and next, where the lesson stands, and the way out."""
    with st.container(key="learn_bar", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        move_button(place, -1, "Left")
        st.html(f'<span class="quiet">Step {place + 1} of {len(STEPS)}: {STEPS[place].label}</span>', width="content")
        with st.container(horizontal=True, width="content"):
            st.button("Leave", key="learn_leave", on_click=set_presenting, args=(False,), type="tertiary",
                      icon=":material/close:", help="Back to the page")  # fmt: skip
            move_button(place, 1, "Right")


def move_button(place: int, by: int, shortcut: str | None = None) -> None:
    """The button to the step before or after this one; disabled at the ends."""
    there = 0 <= place + by < len(STEPS)
    forward = by > 0
    # With a shortcut Streamlit shows the arrow of the key.
    icon = None if shortcut else ":material/arrow_forward:" if forward else ":material/arrow_back:"
    label = STEPS[place + by].label if there else ("Last step" if forward else "First step")
    st.button(
        label, icon=icon, disabled=not there,
        icon_position="right" if forward else "left", key="learn_next" if forward else "learn_back",
        on_click=go_to, args=(place + by,), shortcut=shortcut, type="primary" if forward and there else "secondary",
    )  # fmt: skip


@widget_callback
def chosen(key: str) -> None:
    """Callback: the step chosen in the list."""
    go_to(place_of(st.session_state[key]))


def go_to(place: int) -> None:
    """Callback: another step."""
    st.query_params[STEP] = STEPS[place].name


def set_presenting(on: bool) -> None:
    """Callback: enter or leave the presentation."""
    if on:
        st.query_params[PRESENT] = "1"
    else:
        st.query_params.pop(PRESENT, None)
