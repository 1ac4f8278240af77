"""The method without optimisation for speed: the networks as trained, in one eager loop, in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from core.evaluation.design import Design, prepare
from core.generation.gradient import losses
from core.generation.gradient.optimiser import Task, integer_weight
from core.predictors.registry import load_as_trained
from core.problem.problem import DesignProblem
from core.problem.settings import FLOAT32

OnStep = Callable[[int, torch.Tensor], bool]


def prepare_reference(problem: DesignProblem) -> Design:
    """As `core.evaluation.design.prepare`, but with the modules as they were trained, in float32."""
    return prepare(replace(problem, precision=FLOAT32), load_as_trained)


@dataclass
class ReferenceLoop:
    """torch's Adam on x_base; both networks run in full at every step, and the integer loss uses all 118 columns.

    x_base : (batch, 118)
    mask : M_max, (batch, 118); None in stage 1
    """

    task: Task
    x_base: torch.Tensor
    mask: torch.Tensor | None = None

    @classmethod
    def begin(cls, task: Task) -> ReferenceLoop:
        """A loop with the start compositions of our optimiser."""
        guesses = [task.guess(i, 0) for i in range(task.settings.candidates)]
        return cls(task, torch.stack(guesses).requires_grad_(True))

    def run(self, on_step: OnStep | None = None) -> torch.Tensor:
        """Run both stages; returns the compositions (batch, 118).

        on_step : called with (steps done, compositions) after each step; false stops the loop
        """
        task, settings = self.task, self.task.settings
        adam = torch.optim.Adam([self.x_base], lr=settings.learning_rate)
        for step in range(sum(settings.steps)):
            if step == settings.steps[0]:
                self.mask = task.constraints.max_mask(self.x_base.detach(), settings.max_elements)
            composition = task.constraints.compose(self.x_base, self.mask)
            loss = losses.objective(
                task.tc(composition), task.formation_energy(composition), settings.formation_energy_weight
            )
            weight = integer_weight(settings, step)
            if weight:
                loss = loss + weight * losses.integer_loss(composition, task.atom_counts, settings.integer_loss)
            adam.zero_grad()
            loss.sum().backward()
            adam.step()
            if on_step is not None and not on_step(step + 1, composition.detach()):
                break
        return task.constraints.compose(self.x_base.detach(), self.mask)
