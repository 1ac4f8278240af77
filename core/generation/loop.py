"""The loop over the steps of a generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from core.generation.interface import Report

OnStep = Callable[[Any, Report], bool]  # (state after the step, report of the step) -> False to cancel


class Steps(Protocol):
    """The part of `Generator` that advances a state."""

    def init(self, task: Any) -> Any: ...

    def step(self, task: Any, state: Any) -> tuple[Any, Report]: ...


def run_steps(
    generator: Steps, task: Any, steps: int, state: Any = None, on_step: OnStep | None = None
) -> tuple[Any, str]:
    """Run a task until `steps` steps are completed, from `state` or from the initial state.

    on_step(state, report) is called after every step with the new state and the candidates before their update; it
    returns False to cancel. Returns the last state and "finished" or "cancelled".
    """
    state = generator.init(task) if state is None else state
    while int(state.step) < steps:
        state, report = generator.step(task, state)
        if on_step is not None and not on_step(state, report):
            return state, "cancelled"
    return state, "finished"
