"""The map x_base -> x: fixed part, element mask, max-element mask, ReLU normalisation (KIAGO eq. 3-8, 12, 15).

sigma(v) = ReLU(v) / sum ReLU(v)
x        = x_const + sigma(x_base * M_elem * M_max) (1 - sum x_const)

A substitution at several sites has such a free part for each oxidation state that comes in, one behind the other in
x_base and the masks: x = x_const + sum_s sigma(x_base_s * M_elem_s * M_max_s) room_s.

Bounds of elements, groups and ratios, where there are any, take the place of the normalisation: see
`core.generation.gradient.constraint_projection`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from core.chemistry.tolerances import FRACTION_SUM
from core.generation.gradient.constraint_projection import Limits

# Below this sum nothing positive is left of a part and sigma has no meaning: the candidate is dead.
DEAD_BELOW = 1e-8


@dataclass(frozen=True)
class SimplexMap:
    """What may move and what may not.

    fixed : (118,) float, x_const; sum below 1
    allowed : (parts * 118,) bool, M_elem; an element of x_const that is allowed has a floor (it may receive more, KIAGO
        3.6), one that is not allowed is fixed
    rooms : (parts,) fraction of all atoms in each part; None: one part, and all that x_const leaves
    limits : what else the fractions of a single part have to keep, or None
    """

    fixed: torch.Tensor
    allowed: torch.Tensor
    rooms: torch.Tensor | None = None
    limits: Limits | None = None

    def __post_init__(self):
        total = float(self.fixed.sum())
        if not total < 1 or float(self.fixed.min()) < 0:
            raise ValueError(f"x_const must be non-negative and sum to less than 1; its sum is {total}")
        if self.rooms is not None and abs(total + float(self.rooms.sum()) - 1) > FRACTION_SUM:
            raise ValueError(f"x_const and the free parts sum to {total + float(self.rooms.sum())}, not to 1")
        if not bool(self._by_part(self.allowed).any(-1).all()):
            raise ValueError("M_elem allows no element" + ("" if self.rooms is None else " in one of the parts"))

    def to(self, device: torch.device) -> SimplexMap:
        """The same constraints on another device."""
        rooms = None if self.rooms is None else self.rooms.to(device)
        limits = self.limits and self.limits.to(device)
        return SimplexMap(self.fixed.to(device), self.allowed.to(device), rooms, limits)

    @property
    def kept(self) -> torch.Tensor:
        """(118,) the part of x_const that stays as it is."""
        return self.fixed * ~self._by_part(self.allowed).any(0)

    @property
    def floors(self) -> torch.Tensor:
        """(118,) the part of x_const that is a floor."""
        return self.fixed * self._by_part(self.allowed).any(0)

    def weights(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """ReLU(x_base * M_elem * M_max), of the shape of x_base: (batch, parts * 118)."""
        masked = x_base * self.allowed
        return torch.relu(masked if max_mask is None else masked * max_mask)

    def parts(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """What each free part adds to the composition, (batch, parts, 118)."""
        if self.limits is not None:
            return self._by_part(self.limits.spread(self.weights(x_base, max_mask)))
        weights = self._by_part(self.weights(x_base, max_mask))
        free = weights / weights.sum(-1, keepdim=True).clamp_min(DEAD_BELOW)
        if self.rooms is None:
            return free * (1 - self.fixed.sum())
        return free * self.rooms[:, None]

    def compose(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """x_base -> compositions (batch, 118). A dead candidate lacks a part: see `alive`."""
        parts = self.parts(x_base, max_mask)
        return self.fixed + (parts[:, 0] if self.rooms is None else parts.sum(1))

    def settled(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """x_base of the same composition from which the next step is taken: see `Limits.settled`."""
        if self.limits is None:
            return x_base
        return self.limits.settled(x_base, self.weights(x_base, max_mask))

    def alive(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """(batch,) bool: something positive is left in every part, enough to keep all limits; everything is finite."""
        weights = self.weights(x_base.detach(), max_mask)
        alive = (self._by_part(weights).sum(-1) > DEAD_BELOW).all(-1) & torch.isfinite(x_base).all(1)
        return alive if self.limits is None else alive & self.limits.met(self.limits.spread(weights))

    def max_mask(self, x_base: torch.Tensor, max_elements: int) -> torch.Tensor:
        """M_max, of the shape of x_base, bool: the largest free ratios, so that with the fixed part there are at most
        max_elements; of every part the largest one stays.

        An element with a floor is there anyway, and its place in M_max costs nothing.
        """
        if self.limits is not None:
            return self.limits.max_mask(self.weights(x_base), self.fixed > 0, max_elements)
        present = (self.fixed > 0).repeat(self.allowed.shape[0] // self.fixed.shape[0])
        n_free = max_elements - int((self.fixed > 0).sum())
        ratios = self.parts(x_base).flatten(1).masked_fill(present, 0)
        if self.rooms is not None:
            best = self._by_part(ratios).argmax(-1, keepdim=True)
            ratios = self._by_part(ratios).scatter_add(-1, best, torch.ones_like(best, dtype=ratios.dtype)).flatten(1)
        largest = ratios.topk(min(n_free, ratios.shape[1]), dim=1).indices
        return (present & self.allowed).expand_as(ratios).scatter(1, largest, True)

    def _by_part(self, flat: torch.Tensor) -> torch.Tensor:
        """(..., parts * 118) -> (..., parts, 118)."""
        return flat.unflatten(-1, (-1, self.fixed.shape[0]))
