"""The part of the map x_base -> x that keeps bounds, groups and ratios: exactly, and with its gradient.

The ratios p (positive, any scale) become the composition z nearest to them by relative entropy, sum z ln(z / p), of all
that sum to S and keep every set within its limits. For nested sets this is a water-filling: with one level for all,

    F_d(level) = clip(level sum of p directly in d + sum over the sets e directly in d of F_e(level), low_d, high_d)

is what a set d gets; the level of the whole is the one at which F sums to S. A set that is clipped at a limit has its
own level, at which its members sum to that limit, and so on inwards. What is within all limits already is only
normalised, as without any. An element that is absent stays absent, unless its own least fraction brings it in.

F is a chain of straight lines that bend where a set comes to a limit; the levels of the bends are found from the inside
out, without gradient. They only say which sets are clipped; z follows from that in closed form, and so does the
gradient.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from core.chemistry import elements
from core.problem.composition_constraints import CompositionConstraints, Part

SPAN = 1e12  # the highest level, in units of the one without limits; reached where a set has no elements to fill it
SLACK = 1e-7  # of a fraction: what is no further from its limit is at it, and may leave it
SETTLED = 1e3  # ratios are scaled by no more than this when they are settled
ALMOST = 1e-6  # of a sum of fractions: what misses a limit by more has not enough elements to reach it


@dataclass(frozen=True)
class Limits:
    """Nested sets of units. A unit is an element, or several in a fixed ratio, of which the first stands for all.

    unit : (118,) int64, the element that stands for each
    share : (118,) of each in its unit
    direct, reached : (sets, 118) bool, the units that are in this set and in none within it; all that are in it. The
        first set holds all
    low, high : limits of each set, beyond x_const; those of the first are S
    parent : for each set the one around it, which comes before it; -1 for the first
    alone : which sets are a single unit
    size : (118,) elements in each unit
    required : (118,) bool, units with a least fraction of their own
    """

    unit: torch.Tensor
    share: torch.Tensor
    direct: torch.Tensor
    reached: torch.Tensor
    size: torch.Tensor
    required: torch.Tensor
    low: tuple[float, ...]
    high: tuple[float, ...]
    parent: tuple[int, ...]
    alone: tuple[bool, ...]

    def to(self, device: torch.device) -> Limits:
        """The same limits on another device; in single precision where there is no double."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, torch.Tensor)}
        single = {"share": self.share.float()} if device.type == "mps" else {}
        return replace(self, **{name: tensor.to(device) for name, tensor in (tensors | single).items()})

    def spread(self, weights: torch.Tensor) -> torch.Tensor:
        """Ratios (batch, 118) >= 0 -> fractions (batch, 118) beyond x_const, that keep all limits and sum to S.

        Where the elements present cannot reach S, or the least of a set, the sum is too small: see `met`.
        """
        p = self._ratios(weights)
        with torch.no_grad():
            water = self._water(p)
        total = self._released(p, water)
        for d in range(1, len(self.parent)):
            if self.alone[d]:  # at its limit it has the limit, whatever its ratio is, also 0
                p = torch.where(water.clipped[:, d, None] & self.reached[d], 1, p)
        level = self._levels(p, total, water.clipped)
        z = torch.zeros_like(p)
        for d in range(len(self.parent)):
            z = z + level[d][:, None] * p * self.direct[d]
        return (z[:, self.unit] * self.share).to(weights.dtype)

    def settled(self, x_base: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """x_base (batch, 118), its positive part, the ratios (batch, 118), replaced by the fractions that they give.

        The composition is the same, and so are the ratios of what is clipped nowhere. But what was beyond a limit now
        is at it, and leaves it with the next gradient that points inwards: steps become projected gradient steps.
        """
        level = self._water(self._ratios(weights)).around[:, :1].clamp(1 / SETTLED, SETTLED)
        scale = weights.sum(1, keepdim=True) / (self.low[0] * level)
        return torch.where((z := self.spread(weights)) > 0, (z * scale).to(x_base.dtype), x_base)

    def _ratios(self, weights: torch.Tensor) -> torch.Tensor:
        """Ratios of the units (batch, 118), summing to S."""
        p = self._units(weights.to(self.share.dtype))
        return p / p.sum(1, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny) * self.low[0]

    def met(self, z: torch.Tensor) -> torch.Tensor:
        """(batch,) bool: fractions (batch, 118) sum to S and keep all limits."""
        inside = self._units(z.to(self.share.dtype)) @ self.reached.to(self.share.dtype).T
        low, high = inside.new_tensor(self.low), inside.new_tensor(self.high)
        return ((inside >= low - ALMOST) & (inside <= high + ALMOST)).all(1)

    def max_mask(self, weights: torch.Tensor, present: torch.Tensor, max_elements: int) -> torch.Tensor:
        """M_max (batch, 118) bool for ratios (batch, 118): what must be there, then the largest fractions.

        present : (118,) bool, elements of x_const: they are counted, and their place costs nothing
        """
        z = self._units(self.spread(weights).to(self.share.dtype))
        taken = (self.required | present).expand_as(z)
        for d in range(len(self.parent) - 1, 0, -1):  # of a set that must be there, the largest unit at least
            if self.low[d] <= 0:
                continue
            lacking = ~(taken & self.reached[d]).any(1, keepdim=True)
            largest = torch.zeros_like(taken).scatter(1, (z * self.reached[d]).argmax(1, keepdim=True), True)
            taken = taken | (lacking & largest)
        cost = torch.where(present, 0, self.size)
        room = max_elements - int(present.sum()) - (taken * cost).sum(1)
        order = torch.where(taken, torch.zeros_like(z), z).argsort(dim=1, descending=True, stable=True)
        for column in order[:, : int((z > 0).sum(1).max())].split(1, dim=1):
            fits = (cost[column] <= room[:, None]) & ~taken.gather(1, column) & (z.gather(1, column) > 0)
            taken = taken.scatter(1, column, taken.gather(1, column) | fits)
            room = room - torch.where(fits, cost[column], 0)[:, 0]
        return taken[:, self.unit]

    def _units(self, x: torch.Tensor) -> torch.Tensor:
        """Sums (batch, 118) over the elements of each unit, in the column of the one that stands for it."""
        return x @ torch.nn.functional.one_hot(self.unit, len(self.unit)).to(x.dtype)

    def _water(self, p: torch.Tensor) -> _Water:
        """The levels, and what each set gets."""
        own = p @ self.direct.to(p.dtype).T
        reaches: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # levels at which a set comes to its two limits
        for d in range(len(self.parent) - 1, -1, -1):
            points = self._bends(d, reaches, own)
            reaches[d] = self._level(d, own, points, self.low[d]), self._level(d, own, points, self.high[d])
        total, clipped = torch.full_like(own, self.low[0]), torch.ones_like(own, dtype=torch.bool)
        level, around, side = [reaches[0][0]], reaches[0][0][:, None].repeat(1, len(self.parent)), torch.zeros_like(own)
        for d in range(1, len(self.parent)):
            around[:, d] = level[self.parent[d]]
            free = self._free(d, own, around[:, d : d + 1])[:, 0]
            below, above = free <= self.low[d] + SLACK, free >= self.high[d] - SLACK
            near = [(free - limit).abs() <= SLACK for limit in (self.low[d], self.high[d])]
            side[:, d] = near[0].to(p.dtype) - near[1].to(p.dtype)
            total[:, d] = torch.where(below, self.low[d], torch.where(above, self.high[d], free))
            clipped[:, d] = below | above
            level.append(torch.where(below, reaches[d][0], torch.where(above, reaches[d][1], around[:, d])))
        return _Water(total, clipped, around, side)

    def _released(self, p: torch.Tensor, water: _Water) -> torch.Tensor:
        """What each set gets (batch, sets); with a gradient for those just at a limit, where it points inwards."""
        own = list((p @ self.direct.to(p.dtype).T).unbind(1))
        total = list(water.total.unbind(1))
        for d in range(len(self.parent) - 1, 0, -1):
            would = water.around[:, d] * own[d]
            total[d] = total[d] + torch.where(
                water.side[:, d] != 0, _Inwards.apply(would - would.detach(), water.side[:, d]), 0
            )
            up = self.parent[d]
            own[up] = own[up] + torch.where(water.clipped[:, d], 0, own[d])
        return torch.stack(total, dim=1)

    def _free(self, d: int, own: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """What set d would get at these levels (batch, k) without limits of its own: (batch, k)."""
        total = level * own[:, d, None]
        for e in self._inner(d):
            total = total + self._free(e, own, level).clamp(self.low[e], self.high[e])
        return total

    def _inner(self, d: int) -> list[int]:
        return [e for e in range(d + 1, len(self.parent)) if self.parent[e] == d]

    def _bends(self, d: int, reaches: dict, own: torch.Tensor) -> torch.Tensor:
        """Levels (batch, k), ascending from 0, between which what set d gets is a straight line, and one beyond."""
        within, inner = [], self._inner(d)
        while inner:
            within += inner
            inner = [f for e in inner for f in self._inner(e)]
        points = [torch.zeros_like(own[:, 0]), *(point for e in within for point in reaches[e])]
        ordered = torch.stack(points, dim=1).clamp(0, SPAN).sort(dim=1).values
        return torch.cat([ordered, 2 * ordered[:, -1:] + 1], dim=1)

    def _level(self, d: int, own: torch.Tensor, points: torch.Tensor, total: float) -> torch.Tensor:
        """The level (batch,) at which set d gets this total; the last line goes on beyond the last point."""
        values = self._free(d, own, points)
        k = (values < total).sum(1, keepdim=True).clamp(1, points.shape[1] - 1)
        (x0, x1), (y0, y1) = ((a.gather(1, k - 1)[:, 0], a.gather(1, k)[:, 0]) for a in (points, values))
        rise = (y1 - y0).clamp_min(torch.finfo(own.dtype).tiny)
        return (x0 + (total - y0) * ((x1 - x0) / rise)).clamp(0, SPAN)

    def _levels(self, p: torch.Tensor, total: torch.Tensor, clipped: torch.Tensor) -> list[torch.Tensor]:
        """The level of each set (batch,) in closed form, given which sets are clipped, and at what."""
        free = list((p @ self.direct.to(p.dtype).T).unbind(1))  # ratios that share the level of a set
        taken = [torch.zeros_like(free[0]) for _ in free]  # what clipped sets within it have
        for d in range(len(self.parent) - 1, 0, -1):  # from the inside
            up = self.parent[d]
            free[up] = free[up] + torch.where(clipped[:, d], 0, free[d])
            taken[up] = taken[up] + torch.where(clipped[:, d], total[:, d], taken[d])
        tiny = torch.finfo(p.dtype).tiny
        own = [(total[:, d] - taken[d]).clamp_min(0) / free[d].clamp_min(tiny) for d in range(len(self.parent))]
        level = own[:1]
        for d in range(1, len(self.parent)):
            level.append(torch.where(clipped[:, d], own[d], level[self.parent[d]]))
        return level


@dataclass(frozen=True)
class _Water:
    """Where a water-filling stands, each (batch, sets).

    total : what each set gets
    clipped : whether a limit of its own holds it there
    around : the level around it; of the first set its own
    side : 1 where it is just at its least, -1 where it is just at its most, else 0
    """

    total: torch.Tensor
    clipped: torch.Tensor
    around: torch.Tensor
    side: torch.Tensor


class _Inwards(torch.autograd.Function):
    """The identity; its gradient passes only where going against it leads away from the limit."""

    @staticmethod
    def forward(ctx, x: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        """x (batch,), and on which side the limit is: 1 where x may only rise, -1 where it may only fall."""
        ctx.save_for_backward(side)
        return x.clone()

    @staticmethod
    def backward(ctx, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The gradient where a step against it is allowed, else 0."""
        (gradient,), (side,) = gradients, ctx.saved_tensors
        return torch.where(gradient * side < 0, gradient, 0), None


def limits_of(demands: CompositionConstraints) -> Limits:
    """The limits of a problem, in double precision on the CPU; a set that limits nothing is left out."""
    n = elements.N_ELEMENTS
    unit, share, size = np.arange(n), np.ones(n), np.ones(n, dtype=np.int64)
    for ratio in demands.ratios:
        columns = [_column(s) for s in ratio]
        unit[columns], size[columns[0]] = columns[0], len(columns)
        share[columns] = np.array(list(ratio.values())) / sum(ratio.values())
    x_const = {**demands.floors, **demands.fixed}
    room = 1 - sum(x_const.values())
    direct, low, high, parent = [], [], [], []

    def add(part: Part, around: int) -> None:
        """This set, then all within it; in the set `around` (-1: in none)."""
        has = sum(x_const.get(s, 0.0) for s in part.members)
        least, most = max(part.low - has, 0.0), part.high - has
        if around < 0 or least > 0 or most < room:
            around = _append(parent, around)
            direct.append(np.zeros(n, dtype=bool))
            low.append(room if around == 0 else least)
            high.append(room if around == 0 else most)
        columns = [_column(s) for s in part.direct if s not in demands.fixed]
        direct[around][[c for c in columns if unit[c] == c]] = True
        for inner in part.inner:
            add(inner, around)

    add(demands.root, -1)
    reached = [row.copy() for row in direct]
    for d in range(len(parent) - 1, 0, -1):
        reached[parent[d]] |= reached[d]
    alone = tuple(int(row.sum()) == 1 for row in reached)
    required = np.zeros(n, dtype=bool)
    for row, single, least in zip(reached, alone, low, strict=True):
        required |= row & (single and least > 0)
    return Limits(
        unit=torch.from_numpy(unit),
        share=torch.from_numpy(share),
        direct=torch.from_numpy(np.stack(direct)),
        reached=torch.from_numpy(np.stack(reached)),
        size=torch.from_numpy(size),
        required=torch.from_numpy(required),
        low=tuple(low),
        high=tuple(high),
        parent=tuple(parent),
        alone=alone,
    )


def _append(parents: list[int], parent: int) -> int:
    parents.append(parent)
    return len(parents) - 1


def _column(symbol: str) -> int:
    return elements.element(symbol).index
