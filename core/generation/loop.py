"""The loop over the steps of a generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from core.generation.interface import Report

OnStep = Callable[[Any, Report], bool]  # (state after the step, report of the step) -> False to cancel

ONE_BY_ONE = "one step at a time"


class Steps(Protocol):
    """The part of `Generator` that advances a state."""

    def init(self, task: Any) -> Any: ...

    def step(self, task: Any, state: Any) -> tuple[Any, Report]: ...


@runtime_checkable
class SeveralSteps(Protocol):
    """A generator that may do several steps between two reads of the device."""

    def advance(self, task: Any, state: Any) -> tuple[Any, tuple[Report, ...]]:
        """One or more steps, not beyond the end of a stage: the state after them, and the report of each step."""
        ...

    def execution(self, task: Any) -> str:
        """How the steps of a task are executed, for the provenance of a run."""
        ...


def run_steps(
    generator: Steps, task: Any, steps: int, state: Any = None, on_step: OnStep | None = None
) -> tuple[Any, str]:
    """Run a task until `steps` steps are completed, from `state` or from the initial state.

    on_step(state, report) is called for every step with its report, which has the candidates before their update, and
    with the last state; after several steps at once (see `SeveralSteps`) that is the state after all of them. It
    returns False to cancel. Returns the last state and "finished" or "cancelled".
    """
    state = generator.init(task) if state is None else state
    while int(state.step) < steps:
        state, reports = _advance(generator, task, state)
        going_on = [on_step is None or on_step(state, report) for report in reports]
        if not all(going_on):
            return state, "cancelled"
    return state, "finished"


def execution(generator: Steps, task: Any) -> str:
    """How the steps of a task are executed, see `SeveralSteps.execution`."""
    return generator.execution(task) if isinstance(generator, SeveralSteps) else ONE_BY_ONE


def _advance(generator: Steps, task: Any, state: Any) -> tuple[Any, tuple[Report, ...]]:
    if isinstance(generator, SeveralSteps):
        return generator.advance(task, state)
    state, report = generator.step(task, state)
    return state, (report,)
