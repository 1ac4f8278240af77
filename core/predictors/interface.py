"""What the others know of a predictor: a differentiable function of compositions, and the elements it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

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


def in_bfloat16(predictor: Predictor) -> Predictor:
    """The same to be climbed where a processor multiplies in bfloat16: values and slopes are right to some 0.3%.

    The predictor itself if it has no such form: one made of many small operations gains nothing.
    """
    return predictor.in_bfloat16() if hasattr(predictor, "in_bfloat16") else predictor


class Estimate(NamedTuple):
    """Values (batch,), and what the predictor knows of itself; None where it cannot say.

    error : (batch,) mean absolute error to expect, in the unit of the value
    distance : (batch,) to the nearest composition of the training data, in the predictor's own measure
    """

    value: torch.Tensor
    error: torch.Tensor | None = None
    distance: torch.Tensor | None = None


def estimate(predictor: Predictor, composition: torch.Tensor) -> Estimate:
    """Compositions (batch, 118) -> all that the predictor says of them, differentiable."""
    if hasattr(predictor, "estimate"):
        return predictor.estimate(composition)
    return Estimate(predictor(composition))


@dataclass(frozen=True)
class Estimates:
    """Estimates as arrays (n,); NaN where the predictor cannot say.

    std : standard deviation to expect: sqrt(2) times the mean absolute error, as in Laplace's distribution
    extrapolating : 1.0 where the distance is above the predictor's `familiar_distance`, else 0.0
    """

    value: np.ndarray
    std: np.ndarray
    distance: np.ndarray
    extrapolating: np.ndarray


def estimate_in_batches(predictor: Predictor, x: torch.Tensor, batch: int = 1024) -> Estimates:
    """`estimate` of compositions (n, 118) in float64, without gradients, `batch` at a time."""
    with torch.no_grad():
        parts = [estimate(predictor, part) for part in x.split(batch)] if len(x) else []
    value, error, distance = (_joined([part[k] for part in parts], len(x)) for k in range(3))
    familiar = getattr(predictor, "familiar_distance", np.nan)
    extrapolating = np.where(np.isnan(distance) | np.isnan(familiar), np.nan, distance > familiar)
    return Estimates(value, 2**0.5 * error, distance, extrapolating)


def _joined(parts: list[torch.Tensor | None], n: int) -> np.ndarray:
    if not parts or parts[0] is None:
        return np.full(n, np.nan)
    return torch.cat(parts).cpu().numpy().astype(np.float64)


def predict_in_batches(predictor: Predictor, x: torch.Tensor, batch: int = 1024) -> np.ndarray:
    """Predictions (n,) float64 of compositions (n, 118) without gradients, `batch` at a time."""
    with torch.no_grad():
        parts = [predictor(part) for part in x.split(batch)] if len(x) else [x.new_zeros(0)]
    return torch.cat(parts).cpu().numpy().astype(np.float64)
