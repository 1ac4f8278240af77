"""A minimal generator, registered for the duration of a test: everything that a new generator needs."""

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
from core.generation.method_settings import MethodSetting
from core.generation.registry import Registration
from core.generation.rounding import Rounded
from core.generation.schedule import Schedule, Stage


@dataclass(frozen=True)
class Grown:
    """State: number of boron atoms (batch,) per magnesium atom."""

    step: torch.Tensor
    boron: torch.Tensor


class GrowingGenerator:
    """A minimal generator: candidate k starts as MgB(k + 1) and gains `growth` boron atoms in each of three steps."""

    state_type = Grown

    def validate(self, problem, known):
        """Refuse every base but MgB2."""
        wrong = InputError("base", problem.base, "only MgB2 grows", "Take MgB2")
        return [] if problem.base == "MgB2" else [wrong]

    def effective_settings(self, problem):
        """The settings, unchanged."""
        return problem.settings

    def schedule(self, problem):
        """Three stages."""
        return Schedule(tuple(Stage(name, 1) for name in ("One", "Two", "Three")), problem.settings.candidates)

    def atom_counts(self, problem):
        """Every number in the range."""
        return tuple(range(problem.settings.n_unit[0], problem.settings.n_unit[1] + 1))

    def prepare(self, problem, predictors):
        """The number of candidates, the predictors, and how many atoms a step adds."""
        return problem.settings.candidates, predictors, registry.settings_of_method(problem)["growth"]

    def init(self, task):
        """One boron atom in the first candidate, two in the second, and so on."""
        return Grown(torch.tensor(0), torch.arange(1, task[0] + 1))

    def step(self, task, state):
        """Add boron to every candidate."""
        grown = Grown(state.step + 1, state.boron + task[2])
        x = torch.from_numpy(_counts(state) / _counts(state).sum(1, keepdims=True)).float()
        values = [torch.from_numpy(v).float() for v in task[1].predict(x.numpy())]
        return grown, Report(int(state.step), int(state.step) + 1, x, *values, torch.zeros(len(x)), 0)

    def candidates(self, problem, task, state):
        """The states as formulas; no rounding is needed."""
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
    own_settings=(
        MethodSetting("growth", "Boron atoms per step", "How many boron atoms each step adds.", 1, 1, 5),
        MethodSetting("pressure_GPa", "Pressure (GPa)", "Has no effect.", 0.0, 0.0, 300.0),
        MethodSetting("order", "Order", "Has no effect.", "up", choices=(("up", "upwards"), ("down", "downwards"))),
    ),
)


@contextmanager
def registered() -> Iterator[Registration]:
    """Register the generator for the duration of the context."""
    registry.register(REGISTRATION)
    try:
        yield REGISTRATION
    finally:
        registry.unregister(REGISTRATION.name)
