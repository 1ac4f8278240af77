"""One composition that climbs an objective by Adam or by plain gradient descent: the paths that Learn draws.

A run moves many compositions with the losses of both stages (`core.generation.gradient.optimiser`); here a single one
follows one objective through the same map x_base -> x (`SimplexMap`) and the same step of Adam.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from core.generation.gradient.optimiser import adam
from core.generation.gradient.simplex_map import SimplexMap

ADAM, GRADIENT = "adam", "gradient"
RULES = (ADAM, GRADIENT)
Loss = Callable[[torch.Tensor], torch.Tensor]  # compositions (batch, n) -> loss (batch,), differentiable


@dataclass(frozen=True)
class Path:
    """The path of a composition, the start first: compositions (k, n) and their loss (k,).

    k is the number of steps + 1, or less where the composition has no positive ratio left.
    """

    composition: torch.Tensor
    loss: torch.Tensor


def climb(loss: Loss, simplex: SimplexMap, x_base: torch.Tensor, steps: int, learning_rate: float) -> dict[str, Path]:
    """Minimise a loss from the ratios x_base (n,) by each of RULES, evaluated together.

    "adam" is the step of the runs. "gradient" is x_base - eta dL/dx_base, with the constant eta that makes the largest
    change of a ratio in the first step equal to the learning rate, as it is by Adam.

    learning_rate : in units of x_base

    Raises ValueError for a start without a positive ratio of an allowed element.
    """
    x = x_base.detach().expand(len(RULES), -1)
    if not bool(simplex.alive(x).all()):
        raise ValueError("the start has no positive ratio of an allowed element")
    moment1, moment2, age = torch.zeros_like(x[:1]), torch.zeros_like(x[:1]), torch.zeros(1, dtype=torch.int64)
    eta, compositions, losses, lengths = 0.0, [], [], [0] * len(RULES)
    for step in range(steps + 1):
        alive = simplex.alive(x)
        lengths = [step + 1 if lives else length for lives, length in zip(alive.tolist(), lengths, strict=True)]
        x = x.detach().requires_grad_(True)
        composition = simplex.compose(x)
        value = loss(composition)
        compositions.append(composition.detach())
        losses.append(value.detach())
        (gradient,) = torch.autograd.grad(value[alive].sum(), x)
        x = x.detach()
        eta = eta or learning_rate / max(float(gradient[1].abs().max()), 1e-30)
        by_adam, moment1, moment2, age = adam(x[:1], gradient[:1], moment1, moment2, age, learning_rate)
        x = torch.where(alive[:, None], torch.cat([by_adam, x[1:] - eta * gradient[1:]]), x)
        if not bool(alive.any()):
            break
    path, values = torch.stack(compositions), torch.stack(losses)
    return {
        rule: Path(path[:k, row], values[:k, row]) for row, (rule, k) in enumerate(zip(RULES, lengths, strict=True))
    }
