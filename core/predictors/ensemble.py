"""Ensembles: the mean of several predictors of one property, with an expected error from their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from core.predictors.interface import Estimate, NetworkPredictor, Predictor


@dataclass(frozen=True)
class SpreadScale:
    """Expected absolute error of the mean, from the spread of the members: b = floor + slope spread.

    b, floor and spread are in the unit of the property. b is fitted as the scale of Laplace's distribution on data
    outside the training set.
    """

    floor: float
    slope: float

    def __call__(self, spread: Any) -> Any:
        """Spread -> b, both numbers, arrays or tensors of one shape."""
        return self.floor + self.slope * spread


class Ensemble(NetworkPredictor):
    """The mean of networks that differ by their initial weights (Lakshminarayanan et al. 2017, arXiv:1612.01474).

    members : predictors of one property
    known_elements : (118,) bool; known to all members
    error_scale : spread -> expected error; None: the ensemble provides no expected error
    """

    def __init__(self, name: str, members: Sequence[NetworkPredictor], error_scale: SpreadScale | None = None):
        super().__init__()
        self.name, self.error_scale = name, error_scale
        self.role = members[0].role
        self.gives_error = error_scale is not None
        self.networks = nn.ModuleList(members)
        known = torch.stack([member.known_elements for member in members]).all(0)
        self.register_buffer("known_elements", known, persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> mean of the members (batch,)."""
        return self.each(composition).mean(0)

    def members(self) -> Sequence[NetworkPredictor]:
        """The networks that are averaged."""
        return cast(list[NetworkPredictor], [*self.networks])

    def on_reference(self, reference: str) -> Ensemble:
        """The ensemble of the members on these references; the expected error is the same."""
        return self._of([member.on_reference(reference) for member in self.members()])

    def capturable(self, max_elements: int) -> Ensemble:
        """The ensemble of the members' forms of fixed shapes."""
        return self._of([member.capturable(max_elements) for member in self.members()])

    def _of(self, members: Sequence[Predictor]) -> Ensemble:
        """The ensemble of other forms of its members."""
        return Ensemble(self.name, cast(list[NetworkPredictor], members), self.error_scale).train(self.training)

    def estimate(self, composition: torch.Tensor) -> Estimate:
        """Compositions (batch, 118) -> mean and its expected absolute error, in the property's unit."""
        each = self.each(composition)
        error = None if self.error_scale is None else self.error_scale(each.std(0))
        return Estimate(each.mean(0), error)

    def spread(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> standard deviation between the members (batch,), in the property's unit."""
        return self.each(composition).std(0)

    def for_ranking(self) -> Predictor:
        """The mean of the members' versions for ranking; the ensemble itself if they have none."""
        faster = [member.for_ranking() for member in self.members()]
        return self if faster == [*self.members()] else MeanForRanking(self, faster)

    def each(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> predictions of each member (members, batch)."""
        return torch.stack([member(composition) for member in self.networks])


class MeanForRanking(Predictor):
    """The mean of faster versions of the members of an ensemble, without its expected error."""

    def __init__(self, ensemble: Ensemble, members: Sequence[Predictor]):
        self.name, self.role, self.known_elements = ensemble.name, ensemble.role, ensemble.known_elements
        self._members = members

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> mean of the members (batch,)."""
        return torch.stack([member(composition) for member in self._members]).mean(0)

    def members(self) -> Sequence[Predictor]:
        """The faster members."""
        return self._members


def store_members(members: Sequence[nn.Module]) -> dict[str, torch.Tensor]:
    """Tensors of the members, named as in `Ensemble.networks`."""
    return nn.ModuleList(members).state_dict()
