"""Several predictors of one property: their mean is better than each, and their spread says where they guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from core.predictors.interface import Estimate


@dataclass(frozen=True)
class SpreadScale:
    """Mean absolute error to expect of a mean of members that differ by `spread`: b = floor + slope spread.

    All in the unit of the property. Fitted as the scale of Laplace's distribution on data that no member has seen.
    """

    floor: float
    slope: float

    def __call__(self, spread):
        """Spread, array or tensor -> b of the same shape."""
        return self.floor + self.slope * spread


class Ensemble(nn.Module):
    """The mean of members that differ by chance (Lakshminarayanan et al. 2017, arXiv:1612.01474).

    It knows the elements that all members know.
    """

    def __init__(self, name: str, members: Sequence[nn.Module], error_scale: SpreadScale | None = None):
        super().__init__()
        self.name, self.error_scale = name, error_scale
        self.members = nn.ModuleList(members)
        known = torch.stack([member.known_elements for member in members]).all(0)
        self.register_buffer("known_elements", known, persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> mean of the members (batch,)."""
        return self.each(composition).mean(0)

    def estimate(self, composition: torch.Tensor) -> Estimate:
        """Compositions (batch, 118) -> mean, and the mean absolute error to expect of it if there is a scale."""
        each = self.each(composition)
        return Estimate(each.mean(0), self.error_scale and self.error_scale(each.std(0)))

    def spread(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> standard deviation between the members (batch,), in the property's unit."""
        return self.each(composition).std(0)

    def each(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> what each member says (members, batch)."""
        return torch.stack([member(composition) for member in self.members])


def store_members(members: Sequence[nn.Module]) -> dict[str, torch.Tensor]:
    """Tensors of the members, as an Ensemble of them names them."""
    return nn.ModuleList(members).state_dict()
