"""The map x_base -> x onto the simplex: x_const, element masks and ReLU normalisation (KIAGO eq. 3-8, 12, 15).

sigma(v) = ReLU(v) / sum ReLU(v)
x        = x_const + sigma(x_base * M_elem * M_max) (1 - sum x_const)

A substitution at several sites has one free part for each oxidation state s of the replacements; the parts are
concatenated in x_base and the masks: x = x_const + sum_s sigma(x_base_s * M_elem_s * M_max_s) room_s.

For bounds, groups and ratios a projection replaces the normalisation, see
`core.generation.gradient.constraint_projection`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from core.chemistry.tolerances import FRACTION_SUM
from core.generation.gradient.constraint_projection import ConstraintProjection

DEAD_BELOW = 1e-8  # sum of the positive ratios of a part below which sigma is undefined and the candidate dead


@dataclass(frozen=True)
class SimplexMap:
    """Fixed and free parts of a composition.

    fixed : (118,) float, x_const; sum below 1
    allowed : (parts * 118,) bool, M_elem; an element of x_const has a floor if it is allowed (its fraction may grow,
        KIAGO 3.6), and is fixed otherwise
    rooms : (parts,) fraction of all atoms in each free part; None: a single part with 1 - sum x_const
    projection : projection onto bounds, groups and ratios, for a single part; None without constraints

    Raises ValueError if x_const is negative or leaves no room, the fractions do not sum to 1, or M_elem is empty.
    """

    fixed: torch.Tensor
    allowed: torch.Tensor
    rooms: torch.Tensor | None = None
    projection: ConstraintProjection | None = None

    def __post_init__(self):
        total = float(self.fixed.sum())
        if not total < 1 or float(self.fixed.min()) < 0:
            raise ValueError(f"x_const must be non-negative and sum to less than 1; its sum is {total}")
        if self.rooms is not None and abs(total + float(self.rooms.sum()) - 1) > FRACTION_SUM:
            raise ValueError(f"x_const and the free parts sum to {total + float(self.rooms.sum())}, not to 1")
        if not bool(self._by_part(self.allowed).any(-1).all()):
            raise ValueError("M_elem allows no element" + ("" if self.rooms is None else " in one of the parts"))

    def to(self, device: torch.device) -> SimplexMap:
        """The same map on another device."""
        rooms = None if self.rooms is None else self.rooms.to(device)
        projection = self.projection and self.projection.to(device)
        return SimplexMap(self.fixed.to(device), self.allowed.to(device), rooms, projection)

    @property
    def kept(self) -> torch.Tensor:
        """(118,) x_const of the fixed elements, 0 elsewhere."""
        return self.fixed * ~self._by_part(self.allowed).any(0)

    @property
    def floors(self) -> torch.Tensor:
        """(118,) x_const of the elements with a floor, 0 elsewhere."""
        return self.fixed * self._by_part(self.allowed).any(0)

    def weights(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """ReLU(x_base * M_elem * M_max), (batch, parts * 118) as x_base."""
        masked = x_base * self.allowed
        return torch.relu(masked if max_mask is None else masked * max_mask)

    def parts(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Contribution of each free part to the composition, (batch, parts, 118)."""
        if self.projection is not None:
            return self._by_part(self.projection.project(self.weights(x_base, max_mask)))
        weights = self._by_part(self.weights(x_base, max_mask))
        free = weights / weights.sum(-1, keepdim=True).clamp_min(DEAD_BELOW)
        if self.rooms is None:
            return free * (1 - self.fixed.sum())
        return free * self.rooms[:, None]

    def compose(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """x_base (batch, parts * 118) -> compositions (batch, 118); invalid for dead candidates, see `alive`."""
        parts = self.parts(x_base, max_mask)
        return self.fixed + (parts[:, 0] if self.rooms is None else parts.sum(1))

    def project_ratios(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """x_base of the same composition for the next step, see `ConstraintProjection.project_ratios`."""
        if self.projection is None:
            return x_base
        return self.projection.project_ratios(x_base, self.weights(x_base, max_mask))

    def alive(self, x_base: torch.Tensor, max_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Whether x_base is finite and its positive ratios can satisfy the constraints of every part: (batch,) bool."""
        weights = self.weights(x_base.detach(), max_mask)
        alive = (self._by_part(weights).sum(-1) > DEAD_BELOW).all(-1) & torch.isfinite(x_base).all(1)
        if self.projection is None:
            return alive
        return alive & self.projection.satisfied(self.projection.project(weights))

    def max_mask(self, x_base: torch.Tensor, max_elements: int) -> torch.Tensor:
        """M_max, bool, (batch, parts * 118) as x_base: the largest ratios, with at most max_elements elements in total.

        The elements of x_const count, whether or not they are in M_max. Each part keeps its largest ratio.
        """
        if self.projection is not None:
            return self.projection.max_mask(self.weights(x_base), self.fixed > 0, max_elements)
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
