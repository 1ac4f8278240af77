"""Callbacks that another change of the user interrupts."""

from __future__ import annotations

import pytest
from streamlit.runtime.scriptrunner import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from app.state.synced_widgets import uninterrupted


def test_an_interrupted_callback_is_completed_before_the_interruption_is_raised():
    requests = [RerunException(RerunData(page_name="first")), RerunException(RerunData(page_name="second"))]
    waiting, done = list(requests), []

    @uninterrupted
    def callback(value: int) -> None:
        if waiting:
            raise waiting.pop(0)
        done.append(value)

    with pytest.raises(RerunException) as passed_on:
        callback(40)
    assert done == [40]
    assert passed_on.value is requests[1]
    callback(41)
    assert done == [40, 41]


def test_other_errors_are_raised_at_once():
    @uninterrupted
    def callback() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        callback()
