"""The interface of a generator: a way to propose compositions for a design problem.

A generator validates a problem, prepares a task (all that stays the same during a run), and moves a state from step to
step. Its candidates are integer formulas, whatever it moved before, so that evaluation, runs, command line and pages
treat every generator alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from core.chemistry import elements
from core.errors import InputError
from core.generation.rounding import Rounded
from core.generation.schedule import Schedule
from core.predictors.interface import Predictor, predict_in_batches
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings


@dataclass(frozen=True)
class PropertyPredictors:
    """The predictors of a problem on the device of the run.

    tc : critical temperature, K
    formation_energy : formation energy, eV/atom
    """

    tc: Predictor
    formation_energy: Predictor
    device: torch.device

    def known_symbols(self) -> frozenset[str]:
        """Symbols of the elements that both predictors know."""
        both = self.tc.known_elements.cpu() & self.formation_energy.known_elements.cpu()
        return frozenset(symbol for symbol, known in zip(elements.symbols(), both.tolist(), strict=True) if known)

    def predict(self, compositions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compositions (n, 118) -> Tc in K and formation energy in eV/atom, (n,) each."""
        x = torch.from_numpy(compositions).float().to(self.device)
        return predict_in_batches(self.tc, x), predict_in_batches(self.formation_energy, x)


@dataclass(frozen=True)
class Report:
    """The candidates that a step evaluated, before it moved them.

    step : number of the step, from 0
    stage : number of its stage, from 1
    composition : (batch, 118) fractions
    tc_K, formation_energy_eV_per_atom, integer_loss : (batch,)
    restarts : candidates that died and were restarted, since the start of the run
    """

    step: int
    stage: int
    composition: torch.Tensor
    tc_K: torch.Tensor
    formation_energy_eV_per_atom: torch.Tensor
    integer_loss: torch.Tensor
    restarts: int


@dataclass(frozen=True)
class Candidates:
    """The result of every generator: integer formulas, and what they were before rounding.

    total : number of compositions that the run moved or drew
    rounded : formulas (n, 118) of the compositions that have one
    number : (n,) which of the `total` compositions each formula comes from, ascending
    composition : (n, 118) fractions before rounding
    tc_K, formation_energy_eV_per_atom, integer_loss : (n,) before rounding; NaN where a generator has no such value
    lost : reason -> how many compositions have no formula
    exchanged : how many formulas are a neutral neighbour instead of the nearest integer formula
    restarts : compositions that died and were restarted, over the run
    """

    total: int
    rounded: Rounded
    number: np.ndarray
    composition: np.ndarray
    tc_K: np.ndarray
    formation_energy_eV_per_atom: np.ndarray
    integer_loss: np.ndarray
    lost: Mapping[str, int]
    exchanged: int
    restarts: int


class State(Protocol):
    """State of a run: a frozen dataclass of tensors, so that it can be stored and resumed exactly.

    step : () int64, steps done over all stages
    """

    @property
    def step(self) -> torch.Tensor: ...


class Generator(Protocol):
    """A way to propose compositions.

    state_type : dataclass of the states, for reading a resume point
    """

    state_type: type[Any]

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """What this generator cannot do in a problem that is valid in itself; empty if it can run.

        known : symbols of the elements that all predictors of the problem know
        """
        ...

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """The settings as this generator carries them out."""
        ...

    def schedule(self, problem: DesignProblem) -> Schedule:
        """The stages of a run, and how many candidates it works on."""
        ...

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """Numbers of atoms per formula unit, ascending, that candidates can have; empty if there is none."""
        ...

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> Any:
        """The task of a valid problem: all that stays the same during a run."""
        ...

    def init(self, task: Any) -> Any:
        """The state before the first step."""
        ...

    def step(self, task: Any, state: Any) -> tuple[Any, Report]:
        """One step: the next state, and the candidates as they were before the move. Deterministic in the state."""
        ...

    def candidates(self, problem: DesignProblem, task: Any, state: Any) -> Candidates:
        """The integer formulas of a state, usually of the last one."""
        ...
