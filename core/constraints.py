"""The map x_base -> x: fixed part, element mask, max-element mask, ReLU normalisation (KIAGO eq. 3-8, 12, 15).

sigma(v) = ReLU(v) / sum ReLU(v)
x        = x_const + sigma(x_base * M_elem * M_max) (1 - sum x_const)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

# Below this sum nothing positive is left of a candidate and sigma has no meaning: the candidate is dead.
DEAD_BELOW = 1e-8


@dataclass(frozen=True)
class Constraints:
    """What may move and what may not.

    fixed : (118,) float, x_const; sum below 1
    allowed : (118,) bool, M_elem; an element of x_const that is allowed has a floor (it may receive more, KIAGO 3.6),
        one that is not allowed is fixed
    """

    fixed: torch.Tensor
    allowed: torch.Tensor

    def __post_init__(self):
        total = float(self.fixed.sum())
        if not total < 1 or float(self.fixed.min()) < 0:
            raise ValueError(f"x_const must be non-negative and sum to less than 1; its sum is {total}")
        if not bool(self.allowed.any()):
            raise ValueError("M_elem allows no element")

    def to(self, device: torch.device) -> Constraints:
        """The same constraints on another device."""
        return Constraints(self.fixed.to(device), self.allowed.to(device))

    @property
    def kept(self) -> torch.Tensor:
        """(118,) the part of x_const that stays as it is."""
        return self.fixed * ~self.allowed

    @property
    def floors(self) -> torch.Tensor:
        """(118,) the part of x_const that is a floor."""
        return self.fixed * self.allowed

    def weights(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """ReLU(x_base * M_elem * M_max), (batch, 118)."""
        masked = x_base * self.allowed
        return torch.relu(masked if max_mask is None else masked * max_mask)

    def compose(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """x_base (batch, 118) -> compositions (batch, 118). A dead candidate gets its fixed part only: see `alive`."""
        weights = self.weights(x_base, max_mask)
        free = weights / weights.sum(1, keepdim=True).clamp_min(DEAD_BELOW)
        return self.fixed + free * (1 - self.fixed.sum())

    def alive(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """(batch,) bool: something positive is left, and everything is finite."""
        total = self.weights(x_base, max_mask).sum(1)
        return (total > DEAD_BELOW) & torch.isfinite(x_base).all(1)

    def max_mask(self, x_base: torch.Tensor, max_elements: int) -> torch.Tensor:
        """M_max (batch, 118) bool: the largest free ratios, so that with the fixed part there are max_elements.

        An element with a floor is there anyway, and its place in M_max costs nothing.
        """
        present = self.fixed > 0
        n_free = max_elements - int(present.sum())
        weights = self.weights(x_base)
        largest = weights.masked_fill(present, 0).topk(min(n_free, weights.shape[1]), dim=1).indices
        return (present & self.allowed).expand_as(weights).scatter(1, largest, True)
