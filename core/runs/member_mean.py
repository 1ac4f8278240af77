"""Tc and formation energy of each candidate as the mean over the members of the ensembles.

An optimiser step predicts with one member of each ensemble, and members differ by tens of K. The mean over the steps in
which every member is used once is close to the prediction of the whole ensemble, which the candidate table has. In
these steps the candidate moves, less and less towards the end of a run; after a restart its earlier values count too.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import torch

from core.generation.interface import Report
from core.generation.registry import registration
from core.predictors import registry

AVERAGED = ("tc_K", "formation_energy_eV_per_atom")  # fields of a report


def steps_per_cycle(method: str, tc: str, formation_energy: str) -> int:
    """The number of steps in which a method uses every ensemble member of both models once.

    1 for a method that uses all members in every step. Raises CheckpointError if a model is not installed.
    """
    if not registration(method).one_member_per_step:
        return 1
    return math.lcm(*(registry.member_count(name) for name in (tc, formation_energy)))


class MemberMean:
    """The mean of the last `steps` reports, kept through an interruption of the run."""

    def __init__(self, steps: int, stored: Mapping[str, torch.Tensor] | None = None):
        """stored : `tensors` of an earlier process, on the device of the run; None or empty for none"""
        self.steps = steps
        self._recent: deque[tuple[torch.Tensor, ...]] = deque(maxlen=steps)
        if stored:
            self._recent.extend(zip(*(stored[name] for name in AVERAGED), strict=True))

    def __call__(self, report: Report) -> None:
        """Add the report of the next step."""
        if self.steps > 1:
            self._recent.append(tuple(getattr(report, name) for name in AVERAGED))

    def of(self, report: Report) -> Report:
        """The last report, with the means (batch,) over it and those before it; NaN after a NaN among them."""
        if self.steps == 1:
            return report
        columns = zip(*self._recent, strict=True)
        return replace(report, **{n: torch.stack(each).mean(0) for n, each in zip(AVERAGED, columns, strict=True)})

    def tensors(self) -> dict[str, torch.Tensor]:
        """The values of the last reports, each (reports, batch); empty if none are needed."""
        columns = zip(*self._recent, strict=True)
        return {name: torch.stack(each) for name, each in zip(AVERAGED, columns, strict=False)}
