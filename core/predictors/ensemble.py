"""Several predictors of one property: their mean is better than each, and their spread says where they guess."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class Ensemble(nn.Module):
    """The mean of members that differ by chance (Lakshminarayanan et al. 2017, arXiv:1612.01474).

    It knows the elements that all members know.
    """

    def __init__(self, name: str, members: Sequence[nn.Module]):
        super().__init__()
        self.name = name
        self.members = nn.ModuleList(members)
        known = torch.stack([member.known_elements for member in members]).all(0)
        self.register_buffer("known_elements", known, persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> mean of the members (batch,)."""
        return self.each(composition).mean(0)

    def spread(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> standard deviation between the members (batch,), in the property's unit."""
        return self.each(composition).std(0)

    def each(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> what each member says (members, batch)."""
        return torch.stack([member(composition) for member in self.members])


def store_members(members: Sequence[nn.Module]) -> dict[str, torch.Tensor]:
    """Tensors of the members, as an Ensemble of them names them."""
    return nn.ModuleList(members).state_dict()
