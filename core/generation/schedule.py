"""The stages of a run. Imports nothing heavy, so that a waiting worker or a list of runs stays small."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Stage:
    """A part of a run with its own name: its label on pages, and its number of steps."""

    label: str
    steps: int


@dataclass(frozen=True)
class Schedule:
    """The stages of a run, in order, and the number of candidates that it works on at once."""

    stages: tuple[Stage, ...]
    candidates: int

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    @property
    def ends(self) -> tuple[int, ...]:
        """For each stage, the steps done when it ends."""
        return tuple(accumulate(stage.steps for stage in self.stages))

    def stage_at(self, step: int) -> int:
        """Number, from 1, of the stage that a step (from 0) belongs to; after the last step, that of the last step."""
        last = min(step, self.steps - 1)
        return next(number for number, end in enumerate(self.ends, 1) if last < end)
