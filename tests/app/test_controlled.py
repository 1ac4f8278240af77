"""Callbacks that another change of the user's cuts off."""

from __future__ import annotations

import pytest
from streamlit.runtime.scriptrunner import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from app.controlled import whole


def test_a_callback_that_was_cut_off_is_done_before_the_cut_is_passed_on():
    requests = [RerunException(RerunData(page_name="first")), RerunException(RerunData(page_name="second"))]
    waiting, done = list(requests), []

    @whole
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


def test_other_errors_are_not_held_back():
    @whole
    def callback() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        callback()
