"""The interface of a predictor: a differentiable function of compositions, with its declared properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from core.errors import InputError
from core.predictors.info import MP, Role

STD_OF_ERROR = 2**0.5  # standard deviation over mean absolute error, of Laplace's distribution


class Estimate(NamedTuple):
    """Values (batch,) and their expected errors; None if the predictor provides none.

    error : (batch,) expected absolute error, in the unit of the value
    distance : (batch,) to the nearest composition of the training data, in the predictor's own metric
    probability : (batch,) that the compound has the property at all: of superconductivity, for a Tc
    """

    value: torch.Tensor
    error: torch.Tensor | None = None
    distance: torch.Tensor | None = None
    probability: torch.Tensor | None = None


class Predictor:
    """A property predicted from the composition alone. Every predictor derives from this class.

    Attributes
    ----------
    name : checkpoint name, as stored in a problem
    role : predicted property
    known_elements : (118,) bool; compositions may only contain these
    gives_error : whether `estimate` provides an expected error
    familiar_distance : the `Estimate.distance` above which the predictor extrapolates; None without a distance
    """

    name: str
    role: Role
    known_elements: torch.Tensor
    gives_error: bool = False
    familiar_distance: float | None = None

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118), rows summing to 1 -> values (batch,), differentiable.

        The value of a row does not depend on the other rows.
        """
        raise NotImplementedError

    def to(self, device: torch.device) -> Predictor:
        """The same predictor on another device."""
        raise NotImplementedError

    def estimate(self, composition: torch.Tensor) -> Estimate:
        """Compositions (batch, 118) -> values with their expected errors, differentiable."""
        return Estimate(self(composition))

    def members(self) -> Sequence[Predictor]:
        """The predictors averaged by this one; a single predictor is its own only member."""
        return (self,)

    def member_at(self, step: int) -> Predictor:
        """The member to optimise at this step.

        Steps cycle through the members, so that a step costs as much for an ensemble as for one predictor.
        """
        members = self.members()
        return members[step % len(members)]

    def in_bfloat16(self) -> Predictor:
        """A faster version for optimisation steps, accurate to about 0.3%; the predictor itself if there is none.

        Only large matrix products on a processor with matrix units for bfloat16 are faster.
        """
        return self

    def in_tf32(self) -> Predictor:
        """A faster version for steps with products in TF32; the predictor itself if there is none.

        Its values are those of this predictor up to rounding. TF32 itself is a setting of the device, see
        `core.predictors.device.matmul_precision`.
        """
        return self

    def on_reference(self, reference: str) -> Predictor:
        """A formation energy on the references of another database, one of ENERGY_REFERENCES; sharing the weights.

        Raises InputError unless the predictor knows this database.
        """
        if reference == MP:
            return self
        rule = f"{self.name} gives energies on the references of {MP} only"
        raise InputError("reference", reference, rule, f"Choose {MP}, or another formation-energy model")

    def capturable(self, max_elements: int) -> Predictor:
        """The form of fixed shapes, for CUDA graphs: no operation waits for the device or has a shape set by values.

        It shares the weights of this predictor, and predicts the same values, up to rounding, for compositions of at
        most `max_elements` elements; of others, only the `max_elements` largest fractions may be seen (see
        `most_elements`). A predictor that has fixed shapes is its own such form.
        """
        return self

    def for_ranking(self) -> Predictor:
        """A faster version for ranking many compositions, without gradients; the predictor itself if there is none.

        Its errors, about 0.1 K or 0.005 eV/atom, are far below those of the model. A result is predicted again by the
        predictor itself.
        """
        return self

    def for_preselection(self) -> Predictor | None:
        """A version with about the same order, without gradients, in a fraction of the time; None if there is none.

        It tells which of many compositions deserve a prediction.
        """
        return None


class NetworkPredictor(nn.Module, Predictor):
    """A predictor that is a torch module, which supplies `__call__` and `to`; `known_elements` is a buffer."""


def most_elements(composition: torch.Tensor) -> torch.Tensor:
    """Compositions (batch, 118) -> the largest number of elements of a row, an int64 scalar on the same device."""
    return (composition != 0).sum(1).amax()


@dataclass(frozen=True)
class Estimates:
    """Estimates as arrays (n,); NaN if the predictor provides none.

    std : expected standard deviation: STD_OF_ERROR times the expected absolute error, as in Laplace's distribution
    extrapolating : 1.0 where the distance is above the predictor's `familiar_distance`, otherwise 0.0
    probability : see `Estimate`
    """

    value: np.ndarray
    std: np.ndarray
    distance: np.ndarray
    extrapolating: np.ndarray
    probability: np.ndarray


def estimate_in_batches(predictor: Predictor, x: torch.Tensor, batch: int = 1024) -> Estimates:
    """`Predictor.estimate` of compositions (n, 118) in float64, without gradients, `batch` rows at a time."""
    with torch.no_grad():
        parts = [predictor.estimate(part) for part in x.split(batch)] if len(x) else []
    value = _joined([part.value for part in parts], len(x))
    error = _joined([part.error for part in parts], len(x))
    distance = _joined([part.distance for part in parts], len(x))
    probability = _joined([part.probability for part in parts], len(x))
    familiar = np.nan if predictor.familiar_distance is None else predictor.familiar_distance
    extrapolating = np.where(np.isnan(distance) | np.isnan(familiar), np.nan, distance > familiar)
    return Estimates(value, STD_OF_ERROR * error, distance, extrapolating, probability)


def _joined(parts: Sequence[torch.Tensor | None], n: int) -> np.ndarray:
    """The parts as one array (n,) in float64; NaN if there are none."""
    there = [part for part in parts if part is not None]
    return torch.cat(there).cpu().numpy().astype(np.float64) if there else np.full(n, np.nan)


def predict_in_batches(
    predictor: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, batch: int = 1024
) -> np.ndarray:
    """Predictions (n, ...) in float64 of compositions (n, 118) without gradients, `batch` rows at a time."""
    with torch.no_grad():
        parts = [predictor(part) for part in x.split(batch)] if len(x) else [x.new_zeros(0)]
    return torch.cat(parts).cpu().numpy().astype(np.float64)
