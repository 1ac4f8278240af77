"""What the others know of a predictor: a differentiable function of compositions, and the elements it knows."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch


@runtime_checkable
class Predictor(Protocol):
    """A property predicted from the composition alone.

    Attributes
    ----------
    name : as in the checkpoint folder and in a problem
    known_elements : (118,) bool; compositions may only contain these
    """

    name: str
    known_elements: torch.Tensor

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118), rows summing to 1 -> values (batch,), differentiable, batch independent."""
        ...

    def to(self, device: torch.device) -> Predictor:
        """The same predictor on another device."""
        ...


def climbed(predictor: Predictor, step: int) -> Predictor:
    """What to climb at this step: of an ensemble the member whose turn it is, else the predictor itself.

    An optimiser that climbs the members in turn climbs their mean, at the price of one.
    """
    members = getattr(predictor, "members", (predictor,))
    return members[step % len(members)]


def with_error(predictor: Predictor, composition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Compositions (batch, 118) -> values and the mean absolute error to expect of each; None if it cannot say."""
    if hasattr(predictor, "with_error"):
        return predictor.with_error(composition)
    return predictor(composition), None


def deviation_in_batches(predictor: Predictor, x: torch.Tensor, batch: int = 1024) -> np.ndarray:
    """Standard deviations to expect (n,) float64 of compositions (n, 118); NaN if the predictor cannot say.

    The errors are taken to have Laplace's distribution: sqrt(2) times their mean absolute value.
    """
    with torch.no_grad():
        parts = [with_error(predictor, part)[1] for part in x.split(batch)] if len(x) else [x.new_zeros(0)]
    if parts[0] is None:
        return np.full(len(x), np.nan)
    return 2**0.5 * torch.cat(parts).cpu().numpy().astype(np.float64)


def predict_in_batches(predictor: Predictor, x: torch.Tensor, batch: int = 1024) -> np.ndarray:
    """Predictions (n,) float64 of compositions (n, 118) without gradients, `batch` at a time."""
    with torch.no_grad():
        parts = [predictor(part) for part in x.split(batch)] if len(x) else [x.new_zeros(0)]
    return torch.cat(parts).cpu().numpy().astype(np.float64)
