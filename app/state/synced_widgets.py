"""Widgets that show the draft, and callbacks that are never lost.

The browser lags behind the server. With every change it sends the values of all its widgets again, including values
that the program has just replaced, and a change interrupts the script run or callback of the change before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

_GENERATIONS = "tc_studio.generations"  # of the session: name -> how often the widget was replaced by a new one
_Arguments = ParamSpec("_Arguments")


def synced_key(name: str, value: object) -> str:
    """Make a widget show this value when it is drawn next; return its key, which begins with the name.

    A widget whose value the program changes is drawn as a new widget: otherwise an old value that the browser sends
    again, before it has received the new one, would look like a choice of the user.

    Pass the value to the widget as its default too: if a click interrupts the script run that draws the widget for the
    first time, the browser never receives the value set here, and reports the default as if the user had chosen it.
    """
    key = current_key(name)
    if key in st.session_state and st.session_state[key] != value:
        key = replaced_key(name)
    if key not in st.session_state:
        st.session_state[key] = value
    return key


def current_key(name: str) -> str:
    """The key of the newest widget with this name."""
    generation = st.session_state.setdefault(_GENERATIONS, {}).get(name, 0)
    return f"{name}#{generation}" if generation else name


def replaced_key(name: str) -> str:
    """The key of a new widget with this name; changes of the old widget are ignored from now on."""
    generations = st.session_state.setdefault(_GENERATIONS, {})
    generations[name] = generations.get(name, 0) + 1
    return current_key(name)


def index_of(value: object, options: list) -> int | None:
    """Position of a value among the options; None if it is not one of them."""
    return options.index(value) if value in options else None


def uninterrupted(callback: Callable[_Arguments, None]) -> Callable[_Arguments, None]:
    """A callback that runs to its end even if the browser sends another change meanwhile.

    Streamlit interrupts a callback at its next access to the session once the browser has sent another change, and the
    effect of the callback is lost. Here the callback is repeated from its start, and the interruption is raised again
    afterwards. The callback must be idempotent; `runner.fastReruns` must be off, else it is interrupted every time.
    """

    @wraps(callback)
    def repeat_until_done(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        interruption = None
        while True:
            try:
                callback(*args, **kwargs)
                break
            except RerunException as request:
                interruption = request
        if interruption is not None:
            raise interruption

    return repeat_until_done


def widget_callback(
    callback: Callable[Concatenate[str, _Arguments], None],
) -> Callable[Concatenate[str, _Arguments], None]:
    """An uninterrupted callback whose first argument is the key of its widget; ignored if the widget was replaced."""

    @uninterrupted
    @wraps(callback)
    def unless_replaced(key: str, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        if key == current_key(key.split("#")[0]):
            callback(key, *args, **kwargs)

    return unless_replaced
