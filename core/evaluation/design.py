"""A whole design in one call; for a design that can be stopped and resumed see `core.runs`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.evaluation.finalize import finalize
from core.evaluation.result import DesignResult
from core.generation.interface import Generator, PropertyPredictors
from core.generation.loop import OnStep, run_steps
from core.generation.registry import generator_of
from core.generation.validation import check
from core.predictors.device import resolve_device
from core.predictors.interface import Predictor
from core.predictors.registry import load_predictor
from core.problem.problem import DesignProblem

Load = Callable[[str], Predictor]  # name of a checkpoint -> predictor


@dataclass(frozen=True)
class Design:
    """A valid problem with its generator, its predictors and its task.

    task : constant data of the run; see `Generator.prepare`
    """

    problem: DesignProblem
    generator: Generator
    predictors: PropertyPredictors
    task: Any

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.generator.schedule(self.problem).steps

    def finalize(self, state: Any, status: str) -> DesignResult:
        """The result of a state; see `core.evaluation.finalize`."""
        candidates = self.generator.candidates(self.problem, self.task, state)
        return finalize(self.problem, candidates, self.predictors, status)


def prepare(problem: DesignProblem, load: Load = load_predictor) -> Design:
    """Check a problem, load its predictors and prepare its task. Raises InputError for the first error.

    load : name of a checkpoint -> predictor
    """
    for error in check(problem):
        raise error
    device = resolve_device(problem.device)
    tc, formation_energy = (
        load(name).to(device) for name in (problem.tc_predictor, problem.formation_energy_predictor)
    )
    predictors = PropertyPredictors(tc, formation_energy, device)
    generator = generator_of(problem)
    return Design(problem, generator, predictors, generator.prepare(problem, predictors))


def generate(design: Design, state: Any = None, on_step: OnStep | None = None) -> tuple[Any, str]:
    """Run a design from `state` (or the start); see `core.generation.loop.run_steps`."""
    return run_steps(design.generator, design.task, design.steps, state, on_step)


def design(problem: DesignProblem, on_step: OnStep | None = None) -> DesignResult:
    """Solve a problem in this process. Raises InputError for an invalid problem."""
    prepared = prepare(problem)
    state, status = generate(prepared, on_step=on_step)
    return prepared.finalize(state, status)
