"""The stages of a run. Has no heavy imports, because idle workers and lists of runs use this module."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Stage:
    """A stage of a run: label on pages, and number of steps."""

    label: str
    steps: int


@dataclass(frozen=True)
class Schedule:
    """The stages of a run, in order, and its number of candidates."""

    stages: tuple[Stage, ...]
    candidates: int

    @property
    def steps(self) -> int:
        """Total number of steps."""
        return sum(stage.steps for stage in self.stages)

    @property
    def ends(self) -> tuple[int, ...]:
        """Number of completed steps at the end of each stage."""
        return tuple(accumulate(stage.steps for stage in self.stages))

    def stage_at(self, step: int) -> int:
        """Number (from 1) of the stage of a step (from 0); after the last step, the stage of the last step."""
        last = min(step, self.steps - 1)
        return next(number for number, end in enumerate(self.ends, 1) if last < end)
