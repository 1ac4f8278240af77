"""A made-up generator, registered for the time of a test: what a further generator needs, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from core.chemistry import elements
from core.errors import InputError
from core.generation import registry
from core.generation.interface import Candidates, Report
from core.generation.registry import Registration
from core.generation.rounding import Rounded
from core.generation.schedule import Schedule, Stage


@dataclass(frozen=True)
class Grown:
    """Atoms of boron (batch,) beside one of magnesium."""

    step: torch.Tensor
    boron: torch.Tensor


class GrowingGenerator:
    """A made-up generator: candidate k is MgB(k + 1), and gains one atom of boron in each of three steps."""

    state_type = Grown

    def validate(self, problem, known):
        """Only MgB2 will do."""
        wrong = InputError("base", problem.base, "only MgB2 grows", "Take MgB2")
        return [] if problem.base == "MgB2" else [wrong]

    def effective_settings(self, problem):
        """As they are."""
        return problem.settings

    def schedule(self, problem):
        """Three stages."""
        return Schedule(tuple(Stage(name, 1) for name in ("One", "Two", "Three")), problem.settings.candidates)

    def atom_counts(self, problem):
        """Every number in the range."""
        return tuple(range(problem.settings.n_unit[0], problem.settings.n_unit[1] + 1))

    def prepare(self, problem, predictors):
        """Nothing but the number of candidates and the predictors."""
        return problem.settings.candidates, predictors

    def init(self, task):
        """MgB, MgB2, ..."""
        return Grown(torch.tensor(0), torch.arange(1, task[0] + 1))

    def step(self, task, state):
        """One atom more."""
        grown = Grown(state.step + 1, state.boron + 1)
        x = torch.from_numpy(_counts(state) / _counts(state).sum(1, keepdims=True)).float()
        values = [torch.from_numpy(v).float() for v in task[1].predict(x.numpy())]
        return grown, Report(int(state.step), int(state.step) + 1, x, *values, torch.zeros(len(x)), 0)

    def candidates(self, problem, task, state):
        """They are integer formulas already."""
        rounded = Rounded(_counts(state), _counts(state))
        tc, energy = task[1].predict(rounded.compositions)
        nothing, number = np.full(task[0], np.nan), np.arange(task[0])
        return Candidates(task[0], rounded, number, rounded.compositions, tc, energy, nothing, {}, 0, 0)


def _counts(state: Grown) -> np.ndarray:
    counts = np.zeros((len(state.boron), elements.N_ELEMENTS), dtype=np.int64)
    counts[:, elements.element("Mg").index] = 1
    counts[:, elements.element("B").index] = state.boron.numpy()
    return counts


GENERATOR = GrowingGenerator()
REGISTRATION = Registration(
    name="growing",
    label="Growing",
    summary="Adds boron to magnesium.",
    paper="none",
    implementation=f"{__name__}:GENERATOR",
    settings=frozenset({"candidates", "n_unit"}),
)


@contextmanager
def registered() -> Iterator[Registration]:
    """The generator is registered within this context."""
    registry.register(REGISTRATION)
    try:
        yield REGISTRATION
    finally:
        registry.unregister(REGISTRATION.name)
