"""Optimisers of the training loop with the schedule of their learning rate, on a CPU and inside CUDA graphs.

AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101; NAdam: Dozat 2016, OpenReview OM0jvwB8jIp57ZJjtNEZ; one cycle:
Smith and Topin 2017, arXiv:1708.07120, in which the momentum beta1 falls while the learning rate rises.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import nn

ADAMW, NADAM = "adamw", "nadam"
ONE_CYCLE, CONSTANT = "one-cycle", "constant"
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
PEAK_AT = 0.15  # of the steps
TO_PEAK, TO_END = 25.0, 1e4  # ratios of the peak to the first learning rate, and of the first to the last
SLOW, FAST = 0.95, 0.85  # beta1 at the first and last step, and at the peak


class Rates(NamedTuple):
    """Learning rate and momentum of a step."""

    learning_rate: float
    beta1: float


def rates_of(schedule: str, learning_rate: float, steps: int) -> list[Rates]:
    """The rates of all steps; `learning_rate` is the highest. Raises ValueError for an unknown schedule."""
    if schedule == CONSTANT:
        return [Rates(learning_rate, BETA1)] * steps
    if schedule != ONE_CYCLE:
        raise ValueError(f"no schedule is named {schedule}; there are {ONE_CYCLE} and {CONSTANT}")
    first, peak, end = learning_rate / TO_PEAK, float(PEAK_AT * steps) - 1, steps - 1
    rates = []
    for step in range(steps):
        if step <= peak:
            rates.append(Rates(_cosine(first, learning_rate, step / peak), _cosine(SLOW, FAST, step / peak)))
        else:
            share = (step - peak) / (end - peak)
            rates.append(Rates(_cosine(learning_rate, first / TO_END, share), _cosine(FAST, SLOW, share)))
    return rates


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


class ScheduledOptimiser:
    """An optimiser whose rates follow a schedule; on a CUDA device its steps can be captured in a graph.

    rates : of all steps of the training
    """

    def __init__(
        self, name: str, parameters: Iterable[nn.Parameter], rates: Sequence[Rates], weight_decay: float, captured: bool
    ):
        """Raises ValueError for an unknown optimiser, or for NAdam with momenta that change."""
        parameters = list(parameters)
        first = rates[0] if rates else Rates(0.0, BETA1)
        if name not in (ADAMW, NADAM):
            raise ValueError(f"no optimiser is named {name}; there are {ADAMW} and {NADAM}")
        if name == NADAM and any(each.beta1 != first.beta1 for each in rates):
            raise ValueError(f"{NADAM} needs the schedule {CONSTANT}")
        self._rates: Sequence[Rates] | None = rates
        if name == NADAM:
            self.inner: torch.optim.Optimizer = torch.optim.NAdam(
                parameters, first.learning_rate, weight_decay=weight_decay, capturable=captured
            )
            self._rates = None
        elif captured:
            self.inner = TabulatedAdamW(parameters, rates, weight_decay)
            self._rates = None
        else:
            self.inner = torch.optim.AdamW(parameters, first.learning_rate, weight_decay=weight_decay)
        if captured:
            for parameter in parameters:
                self.inner.state[parameter] = _first_state(parameter, name)
        self._at = 0

    def go_to(self, step: int) -> None:
        """Continue at this step, numbered from 0."""
        self._at = step
        if isinstance(self.inner, TabulatedAdamW):
            self.inner.place.fill_(step)

    def step(self) -> None:
        """Change the parameters by their gradients."""
        if self._rates is not None:
            for group in self.inner.param_groups:
                group["lr"], beta1 = self._rates[self._at]
                group["betas"] = (beta1, BETA2)
            self._at += 1
        self.inner.step()

    def tensors(self) -> list[torch.Tensor]:
        """Everything that a captured step changes, besides the parameters."""
        states = [value for state in self.inner.state.values() for value in state.values()]
        return states + ([self.inner.place] if isinstance(self.inner, TabulatedAdamW) else [])


def _first_state(parameter: nn.Parameter, name: str) -> dict[str, torch.Tensor]:
    """The state before the first step: made here, as a captured step must find it."""
    zero = torch.zeros((), device=parameter.device)
    state = {"step": zero.clone(), "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
    return state | ({"mu_product": zero + 1} if name == NADAM else {})


class TabulatedAdamW(torch.optim.Optimizer):
    """AdamW with the rates of all steps in a table on the device, and the number of the step counted there.

    Torch's AdamW reads a momentum that is a tensor back to Python, which a captured step must not.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], rates: Sequence[Rates], weight_decay: float):
        # "capturable": states that are loaded are moved to the device as a whole.
        super().__init__(parameters, {"capturable": True, "fused": None})
        device = parameters[0].device
        rows = [
            (1 - rate * weight_decay, beta1, 1 - beta1, (1 - BETA2**t) ** 0.5, -rate / (1 - beta1**t))
            for t, (rate, beta1) in enumerate(rates, start=1)
        ]
        self.table = torch.tensor(rows, dtype=torch.float32).view(len(rows), 5).to(device)
        self.place = torch.zeros(1, dtype=torch.int64, device=device)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # ty: ignore[incompatible-method-override]
        """Change the parameters that have a gradient."""
        decay, beta1, rest1, root2, size = self.table.index_select(0, self.place).squeeze(0).unbind()
        self.place += 1
        parameters = [each for each in self.param_groups[0]["params"] if each.grad is not None]
        gradients = [each.grad for each in parameters]
        states = [self.state[each] for each in parameters]
        step, first, second = ([state[key] for state in states] for key in ("step", "exp_avg", "exp_avg_sq"))
        torch._foreach_add_(step, 1)
        torch._foreach_mul_(parameters, decay)
        torch._foreach_mul_(first, beta1)
        torch._foreach_add_(first, torch._foreach_mul(gradients, rest1))
        torch._foreach_mul_(second, BETA2)
        torch._foreach_addcmul_(second, gradients, gradients, 1 - BETA2)
        scale = torch._foreach_sqrt(second)
        torch._foreach_div_(scale, root2)
        torch._foreach_add_(scale, EPSILON)
        torch._foreach_div_(scale, size)
        torch._foreach_addcdiv_(parameters, first, scale)
