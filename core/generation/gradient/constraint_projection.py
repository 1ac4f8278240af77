"""Projection onto bounds, groups and ratios: the exact, differentiable part of the map x_base -> x.

The positive ratios p are projected by relative entropy: the composition z minimises sum z ln(z / p) over all z with sum
S that satisfy the bounds of every set. For a laminar family this is water-filling with a common level,

    F_d(level) = clip(level * sum of p directly in d + sum over the subsets e of d of F_e(level), low_d, high_d)

where F_d is the total of set d, and the level of the root solves F_root(level) = S. A set clipped at a bound has its
own level, at which the total of its members is the bound, and so on for its subsets. Ratios that satisfy all bounds are
only normalised. An absent element remains absent, unless a lower bound of its own requires it.

F is piecewise linear. The levels of its breakpoints, at which a set reaches a bound, are computed without gradient from
the innermost sets outwards. They only determine which sets are clipped; z and its gradient then follow in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import torch

from core.chemistry import elements
from core.problem.constraint_sets import CompositionConstraints, ConstrainedSet

MAX_LEVEL = 1e12  # relative to the level without bounds; reached if a set has no elements present
BOUND_TOLERANCE = 1e-7  # of a fraction: a total this close to a bound is at the bound and may leave it
MAX_SCALE = 1e3  # largest factor by which `project_ratios` rescales ratios
FEASIBILITY_TOLERANCE = 1e-6  # of a total: a set that misses a bound by more has too few elements present


@dataclass(frozen=True)
class ConstraintProjection:
    """A laminar family of sets of units. A unit is one element, or several elements in a constant ratio.

    unit : (118,) int64, column of the first element of each element's unit; this column represents the unit
    share : (118,) fraction of each element in its unit
    direct : (sets, 118) bool, units in a set but in none of its subsets
    members : (sets, 118) bool, all units in a set. The first set is the root, which has all units
    size : (118,) number of elements in each unit
    required : (118,) bool, units with a positive lower bound of their own
    low, high : lower and upper bound of each set, without x_const; both are S for the root
    parent : index of the smallest set around each set, lower than its own index; -1 for the root
    single_unit : whether a set consists of one unit
    """

    unit: torch.Tensor
    share: torch.Tensor
    direct: torch.Tensor
    members: torch.Tensor
    size: torch.Tensor
    required: torch.Tensor
    low: tuple[float, ...]
    high: tuple[float, ...]
    parent: tuple[int, ...]
    single_unit: tuple[bool, ...]

    def to(self, device: torch.device) -> ConstraintProjection:
        """The same projection on another device; in single precision on mps, which has no double precision."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, torch.Tensor)}
        single = {"share": self.share.float()} if device.type == "mps" else {}
        return replace(self, **{name: tensor.to(device) for name, tensor in (tensors | single).items()})

    def project(self, weights: torch.Tensor) -> torch.Tensor:
        """Ratios (batch, 118) >= 0 -> fractions (batch, 118), without x_const, that satisfy all bounds and sum to S.

        If the elements present cannot reach S or a lower bound, the sum is too small: see `satisfied`.
        """
        p = self._unit_ratios(weights)
        with torch.no_grad():
            filling = self._water_filling(p)
        total = self._differentiable_totals(p, filling)
        for d in range(1, len(self.parent)):
            if self.single_unit[d]:  # at a bound the fraction is the bound, independent of the ratio, even of 0
                p = torch.where(filling.clipped[:, d, None] & self.members[d], 1, p)
        level = self._levels(p, total, filling.clipped)
        z = torch.zeros_like(p)
        for d in range(len(self.parent)):
            z = z + level[d][:, None] * p * self.direct[d]
        return (z[:, self.unit] * self.share).to(weights.dtype)

    def project_ratios(self, x_base: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """x_base (batch, 118) with its positive part, the ratios (batch, 118), replaced by their projection.

        The composition and the ratios within unclipped sets do not change. Ratios beyond a bound move to the bound,
        which they leave with the next gradient that points inwards: gradient steps become projected gradient steps.
        """
        level = self._water_filling(self._unit_ratios(weights)).outer_level[:, :1].clamp(1 / MAX_SCALE, MAX_SCALE)
        scale = weights.sum(1, keepdim=True) / (self.low[0] * level)
        return torch.where((z := self.project(weights)) > 0, (z * scale).to(x_base.dtype), x_base)

    def satisfied(self, z: torch.Tensor) -> torch.Tensor:
        """Whether fractions (batch, 118), without x_const, satisfy all bounds and sum to S: (batch,) bool."""
        totals = self._unit_sums(z.to(self.share.dtype)) @ self.members.to(self.share.dtype).T
        low, high = self._bounds
        return ((totals >= low - FEASIBILITY_TOLERANCE) & (totals <= high + FEASIBILITY_TOLERANCE)).all(1)

    def max_mask(self, weights: torch.Tensor, present: torch.Tensor, max_elements: int) -> torch.Tensor:
        """M_max (batch, 118) bool of ratios (batch, 118): the required units, then those with the largest fractions.

        present : (118,) bool, elements of x_const: they count towards max_elements with or without a place in M_max
        """
        z = self._unit_sums(self.project(weights).to(self.share.dtype))
        selected = (self.required | present).expand_as(z)
        for d in range(len(self.parent) - 1, 0, -1):  # at least the largest unit of a set with a lower bound
            if self.low[d] <= 0:
                continue
            unmet = ~(selected & self.members[d]).any(1, keepdim=True)
            largest = torch.zeros_like(selected).scatter(1, (z * self.members[d]).argmax(1, keepdim=True), True)
            selected = selected | (unmet & largest)
        cost = torch.where(present, 0, self.size)
        room = max_elements - int(present.sum()) - (selected * cost).sum(1)
        order = torch.where(selected, torch.zeros_like(z), z).argsort(dim=1, descending=True, stable=True)
        for column in order[:, : int((z > 0).sum(1).max())].split(1, dim=1):
            fits = (cost[column] <= room[:, None]) & ~selected.gather(1, column) & (z.gather(1, column) > 0)
            selected = selected.scatter(1, column, selected.gather(1, column) | fits)
            room = room - torch.where(fits, cost[column], 0)[:, 0]
        return selected[:, self.unit]

    def _unit_ratios(self, weights: torch.Tensor) -> torch.Tensor:
        """Ratios of the units (batch, 118), normalised to sum S."""
        p = self._unit_sums(weights.to(self.share.dtype))
        return p / p.sum(1, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny) * self.low[0]

    def _unit_sums(self, x: torch.Tensor) -> torch.Tensor:
        """Sums (batch, 118) over the elements of each unit, in the column that represents the unit."""
        return x @ self._unit_matrix.to(x.dtype)

    # Constants of each device, made once: a CUDA graph cannot copy them from the host.

    @cached_property
    def _unit_matrix(self) -> torch.Tensor:
        """(118, 118) 1 where the column represents the unit of the row's element, in the dtype of `share`."""
        return torch.nn.functional.one_hot(self.unit, len(self.unit)).to(self.share.dtype)

    @cached_property
    def _bounds(self) -> torch.Tensor:
        """(2, sets) `low` and `high` as a tensor."""
        return self.share.new_tensor([self.low, self.high])

    def _water_filling(self, p: torch.Tensor) -> _WaterFilling:
        """Totals, clipped sets and levels for ratios of units (batch, 118)."""
        own = p @ self.direct.to(p.dtype).T
        at_bounds: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # levels at which a set reaches its two bounds
        for d in range(len(self.parent) - 1, -1, -1):
            points = self._breakpoints(d, at_bounds, own)
            at_bounds[d] = self._level_of(d, own, points, self.low[d]), self._level_of(d, own, points, self.high[d])
        total, clipped = torch.full_like(own, self.low[0]), torch.ones_like(own, dtype=torch.bool)
        level, outer_level = [at_bounds[0][0]], at_bounds[0][0][:, None].repeat(1, len(self.parent))
        side = torch.zeros_like(own)
        for d in range(1, len(self.parent)):
            outer_level[:, d] = level[self.parent[d]]
            unbounded = self._unbounded_total(d, own, outer_level[:, d : d + 1])[:, 0]
            below = unbounded <= self.low[d] + BOUND_TOLERANCE
            above = unbounded >= self.high[d] - BOUND_TOLERANCE
            near = [(unbounded - bound).abs() <= BOUND_TOLERANCE for bound in (self.low[d], self.high[d])]
            side[:, d] = near[0].to(p.dtype) - near[1].to(p.dtype)
            total[:, d] = torch.where(below, self.low[d], torch.where(above, self.high[d], unbounded))
            clipped[:, d] = below | above
            level.append(torch.where(below, at_bounds[d][0], torch.where(above, at_bounds[d][1], outer_level[:, d])))
        return _WaterFilling(total, clipped, outer_level, side)

    def _differentiable_totals(self, p: torch.Tensor, filling: _WaterFilling) -> torch.Tensor:
        """Totals (batch, sets); those of sets just at a bound with a gradient where it points inwards."""
        own = list((p @ self.direct.to(p.dtype).T).unbind(1))
        total = list(filling.total.unbind(1))
        for d in range(len(self.parent) - 1, 0, -1):
            unbounded = filling.outer_level[:, d] * own[d]
            total[d] = total[d] + torch.where(
                filling.side[:, d] != 0,
                _InwardGradient.apply(unbounded - unbounded.detach(), filling.side[:, d]),
                0,
            )
            up = self.parent[d]
            own[up] = own[up] + torch.where(filling.clipped[:, d], 0, own[d])
        return torch.stack(total, dim=1)

    def _unbounded_total(self, d: int, own: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """Total of set d at levels (batch, k) without its own bounds, but with those of its subsets: (batch, k)."""
        total = level * own[:, d, None]
        for e in self._subsets(d):
            total = total + self._unbounded_total(e, own, level).clamp(self.low[e], self.high[e])
        return total

    def _subsets(self, d: int) -> list[int]:
        return [e for e in range(d + 1, len(self.parent)) if self.parent[e] == d]

    def _breakpoints(self, d: int, at_bounds: dict, own: torch.Tensor) -> torch.Tensor:
        """Levels (batch, k), ascending from 0, between which F_d is linear, and one more beyond the last."""
        inner, subsets = [], self._subsets(d)
        while subsets:
            inner += subsets
            subsets = [f for e in subsets for f in self._subsets(e)]
        points = [torch.zeros_like(own[:, 0]), *(point for e in inner for point in at_bounds[e])]
        ordered = torch.stack(points, dim=1).clamp(0, MAX_LEVEL).sort(dim=1).values
        return torch.cat([ordered, 2 * ordered[:, -1:] + 1], dim=1)

    def _level_of(self, d: int, own: torch.Tensor, points: torch.Tensor, total: float) -> torch.Tensor:
        """Level (batch,) at which set d has this total; the last segment is extrapolated."""
        values = self._unbounded_total(d, own, points)
        k = (values < total).sum(1, keepdim=True).clamp(1, points.shape[1] - 1)
        (x0, x1), (y0, y1) = ((a.gather(1, k - 1)[:, 0], a.gather(1, k)[:, 0]) for a in (points, values))
        rise = (y1 - y0).clamp_min(torch.finfo(own.dtype).tiny)
        return (x0 + (total - y0) * ((x1 - x0) / rise)).clamp(0, MAX_LEVEL)

    def _levels(self, p: torch.Tensor, total: torch.Tensor, clipped: torch.Tensor) -> list[torch.Tensor]:
        """Level of each set (batch,) in closed form, from the clipped sets (batch, sets) and their totals."""
        free = list((p @ self.direct.to(p.dtype).T).unbind(1))  # sum of the ratios that share the level of a set
        taken = [torch.zeros_like(free[0]) for _ in free]  # sum of the totals of clipped sets inside
        for d in range(len(self.parent) - 1, 0, -1):  # from the innermost sets outwards
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
class _WaterFilling:
    """Solution of the water-filling; all tensors are (batch, sets).

    total : total fraction of each set
    clipped : whether a set is clipped at one of its bounds
    outer_level : level of the parent; the own level for the root
    side : 1 just at the lower bound, -1 just at the upper bound, else 0
    """

    total: torch.Tensor
    clipped: torch.Tensor
    outer_level: torch.Tensor
    side: torch.Tensor


class _InwardGradient(torch.autograd.Function):
    """Identity whose gradient is zero where a descent step would cross the bound."""

    @staticmethod
    def forward(ctx, x: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        """x (batch,) and side (batch,): 1 if x may only increase, -1 if x may only decrease."""
        ctx.save_for_backward(side)
        return x.clone()

    @staticmethod
    def backward(ctx, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The gradient where a descent step moves x inwards, else 0."""
        (gradient,), (side,) = gradients, ctx.saved_tensors
        return torch.where(gradient * side < 0, gradient, 0), None


def constraint_projection(constraints: CompositionConstraints) -> ConstraintProjection:
    """Projection onto the constraints of a problem, in double precision on the CPU. Omits sets without effect."""
    n = elements.N_ELEMENTS
    unit, share, size = np.arange(n), np.ones(n), np.ones(n, dtype=np.int64)
    for ratio in constraints.ratios:
        columns = [_column(s) for s in ratio]
        unit[columns], size[columns[0]] = columns[0], len(columns)
        share[columns] = np.array(list(ratio.values())) / sum(ratio.values())
    x_const = {**constraints.floors, **constraints.fixed}
    room = 1 - sum(x_const.values())
    direct, low, high, parent = [], [], [], []

    def add(node: ConstrainedSet, outer: int) -> None:
        """Add a set inside the set `outer` (-1: the root), then its subsets."""
        const = sum(x_const.get(s, 0.0) for s in node.members)
        lower, upper = max(node.low - const, 0.0), node.high - const
        if outer < 0 or lower > 0 or upper < room:
            outer = _append(parent, outer)
            direct.append(np.zeros(n, dtype=bool))
            low.append(room if outer == 0 else lower)
            high.append(room if outer == 0 else upper)
        columns = [_column(s) for s in node.direct_members if s not in constraints.fixed]
        direct[outer][[c for c in columns if unit[c] == c]] = True
        for subset in node.subsets:
            add(subset, outer)

    add(constraints.root, -1)
    members = [row.copy() for row in direct]
    for d in range(len(parent) - 1, 0, -1):
        members[parent[d]] |= members[d]
    single_unit = tuple(int(row.sum()) == 1 for row in members)
    required = np.zeros(n, dtype=bool)
    for row, single, lower in zip(members, single_unit, low, strict=True):
        required |= row & (single and lower > 0)
    return ConstraintProjection(
        unit=torch.from_numpy(unit),
        share=torch.from_numpy(share),
        direct=torch.from_numpy(np.stack(direct)),
        members=torch.from_numpy(np.stack(members)),
        size=torch.from_numpy(size),
        required=torch.from_numpy(required),
        low=tuple(low),
        high=tuple(high),
        parent=tuple(parent),
        single_unit=single_unit,
    )


def _append(parents: list[int], parent: int) -> int:
    """Append a set to the list of parents and return its index."""
    parents.append(parent)
    return len(parents) - 1


def _column(symbol: str) -> int:
    return elements.element(symbol).index
