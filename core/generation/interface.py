"""The interface of a generator, which proposes compositions for a design problem.

A generator validates a problem, prepares a task (the constant data of a run), and advances a state step by step. Its
results are integer formulas, so that evaluation, runs, command line and pages treat all generators alike.
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
    """The predictors of a problem, on the device of the run.

    tc : predictor of the critical temperature, K
    formation_energy : predictor of the formation energy, eV/atom
    """

    tc: Predictor
    formation_energy: Predictor
    device: torch.device

    def known_symbols(self) -> frozenset[str]:
        """Symbols of the elements known to both predictors."""
        both = self.tc.known_elements.cpu() & self.formation_energy.known_elements.cpu()
        return frozenset(symbol for symbol, known in zip(elements.symbols(), both.tolist(), strict=True) if known)

    def predict(self, compositions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compositions (n, 118) -> Tc in K (n,) and formation energy in eV/atom (n,)."""
        x = torch.from_numpy(compositions).float().to(self.device)
        return predict_in_batches(self.tc, x), predict_in_batches(self.formation_energy, x)


@dataclass(frozen=True)
class ArchiveReport:
    """The best formulas that a search has found so far, all of which keep the problem's demands and pass the screens.

    amounts : (n, 118) atoms per formula unit, by descending objective
    objective_K, tc_K, error_K, formation_energy_eV_per_atom : (n,)
    tested : number of formulas that were predicted and compared since the start
    """

    amounts: np.ndarray
    objective_K: np.ndarray
    tc_K: np.ndarray
    error_K: np.ndarray
    formation_energy_eV_per_atom: np.ndarray
    tested: int


@dataclass(frozen=True)
class Report:
    """Candidates evaluated by a step, before their update.

    step : number of the step, from 0
    stage : number of its stage, from 1
    composition : (batch, 118) fractions
    tc_K, formation_energy_eV_per_atom, integer_loss : (batch,)
    restarts : restarts of dead candidates since the start of the run
    archive : of a search: the best formulas so far; None for a method whose candidates move
    valid_share : share of the candidates that would be formulas; None for a method whose candidates always are
    samples : of a diffusion, the first candidates as formulas, always the same candidates; else empty
    """

    step: int
    stage: int
    composition: torch.Tensor
    tc_K: torch.Tensor
    formation_energy_eV_per_atom: torch.Tensor
    integer_loss: torch.Tensor
    restarts: int
    archive: ArchiveReport | None = None
    valid_share: float | None = None
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidates:
    """Result of a generator: integer formulas, and the candidates before rounding.

    total : number of candidates of the run
    rounded : formulas (n, 118) of the candidates that have one
    number : (n,) index among the `total` candidates of each formula, ascending
    composition : (n, 118) fractions before rounding
    tc_K, formation_energy_eV_per_atom, integer_loss : (n,) before rounding; NaN if the generator has no such value
    lost : reason -> number of candidates without a formula
    exchanged : number of formulas that are a neutral neighbour instead of the nearest integer formula
    restarts : restarts of dead candidates over the run
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
    """State of a run: a frozen dataclass of tensors, so that the state can be stored and restored exactly.

    step : () int64, completed steps over all stages
    """

    @property
    def step(self) -> torch.Tensor: ...


class Generator(Protocol):
    """A method that proposes compositions.

    state_type : dataclass of the states, needed to read a resume point
    """

    state_type: type[Any]

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """Errors of a valid problem that this generator cannot solve; empty if it can run.

        known : symbols of the elements known to all predictors of the problem
        """
        ...

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """The settings of a problem as this generator applies them."""
        ...

    def schedule(self, problem: DesignProblem) -> Schedule:
        """Stages and number of candidates of a run."""
        ...

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """Possible numbers of atoms per formula unit of the candidates, ascending; empty if there are none."""
        ...

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> Any:
        """The task of a valid problem: the constant data of a run."""
        ...

    def init(self, task: Any) -> Any:
        """State before the first step."""
        ...

    def step(self, task: Any, state: Any) -> tuple[Any, Report]:
        """Next state, and the candidates before their update. A deterministic function of task and state."""
        ...

    def candidates(self, problem: DesignProblem, task: Any, state: Any) -> Candidates:
        """Integer formulas of the last state; of any state if the method is registered with `can_stop`."""
        ...
