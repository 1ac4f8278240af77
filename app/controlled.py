"""Widgets that show what the draft says, and callbacks that lose nothing.

Streamlit's browser side answers late: it repeats what all its widgets show with every change, also the values that the
program has just replaced, and a change cuts off whatever the program is doing for the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

_GENERATIONS = "tc_studio.generations"  # of the session: name -> how often the widget was replaced by a new one
_Arguments = ParamSpec("_Arguments")


def shown(name: str, value: object) -> str:
    """Make a widget show this value when it is drawn next; returns its key, which begins with the name.

    A widget whose value the program changes is drawn as a new one: an old value that the browser repeats, because it
    has not heard of the new one, would look like a choice of the user's.

    Give the widget the value as its default too: if a click cuts off the run that draws the widget for the first time,
    the browser never hears of the value set here, and reports the default as if the user had chosen it.
    """
    key = latest(name)
    if key in st.session_state and st.session_state[key] != value:
        key = renewed(name)
    if key not in st.session_state:
        st.session_state[key] = value
    return key


def latest(name: str) -> str:
    """The key of the newest widget of this name."""
    generation = st.session_state.setdefault(_GENERATIONS, {}).get(name, 0)
    return f"{name}#{generation}" if generation else name


def renewed(name: str) -> str:
    """The key of a new widget of this name: the browser draws it anew, and the one before is not heard any more."""
    generations = st.session_state.setdefault(_GENERATIONS, {})
    generations[name] = generations.get(name, 0) + 1
    return latest(name)


def place(value: object, options: list) -> int | None:
    """Where a value stands among the options; None if it is not there."""
    return options.index(value) if value in options else None


def whole(callback: Callable[_Arguments, None]) -> Callable[_Arguments, None]:
    """A callback that is done to its end although the user has gone on to something else meanwhile.

    Streamlit cuts off a callback at its next look into the session when the browser has sent another change, and what
    it was to carry out is lost. So it is done again, from its start, and only then the cut is passed on. The callback
    must bear being repeated; with `runner.fastReruns` it would be cut off again and again, so that must be off.
    """

    @wraps(callback)
    def to_the_end(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        cut = None
        while True:
            try:
                callback(*args, **kwargs)
                break
            except RerunException as request:
                cut = request
        if cut is not None:
            raise cut

    return to_the_end


def of_latest(
    callback: Callable[Concatenate[str, _Arguments], None],
) -> Callable[Concatenate[str, _Arguments], None]:
    """A whole callback of the widget whose key is its first argument, not called for a widget that was renewed."""

    @whole
    @wraps(callback)
    def unless_renewed(key: str, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        if key == latest(key.split("#")[0]):
            callback(key, *args, **kwargs)

    return unless_renewed
