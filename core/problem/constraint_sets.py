"""Nested sets of elements with bounds: the composition constraints of a problem, ready for rounding and projection.

The sets form a laminar family (any two are nested or disjoint), so that all bounds can be satisfied exactly; see
`core.generation.gradient.constraint_projection`. Fractions refer to all atoms, fixed elements included.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR, WHOLE_ATOM


@dataclass(frozen=True)
class ConstrainedSet:
    """A set of elements with bounds on the sum of their fractions: a node in the tree of a laminar family.

    members : symbols
    low, high : lower and upper bound, fractions of all atoms
    field : field of the problem that defines the set
    subsets : the largest sets of the family inside this one
    """

    members: frozenset[str]
    low: float
    high: float
    field: str
    subsets: tuple[ConstrainedSet, ...] = ()

    @property
    def text(self) -> str:
        """Members and bounds for messages: "O, F, S 0.3 to 1"."""
        return f"{', '.join(sorted_symbols(self.members))} {self.low:.4g} to {self.high:.4g}"

    @cached_property
    def direct_members(self) -> frozenset[str]:
        """Members in none of the subsets."""
        return self.members.difference(*(subset.members for subset in self.subsets))

    def walk(self) -> Iterator[ConstrainedSet]:
        """This set and all sets inside it, in preorder."""
        yield self
        for subset in self.subsets:
            yield from subset.walk()


def sorted_symbols(symbols: Collection[str]) -> list[str]:
    """Symbols in the order of the element table."""
    return sorted(symbols, key=lambda s: elements.element(s).index)


@dataclass(frozen=True)
class CompositionConstraints:
    """The constraints of a problem as a laminar family, made by `nested_constraints`.

    root : all elements that a composition may contain; both bounds are 1
    ratios : symbol -> integer in lowest terms, for each unit
    fixed, floors : x_const, symbol -> fraction
    """

    root: ConstrainedSet
    ratios: tuple[Mapping[str, int], ...]
    fixed: Mapping[str, float]
    floors: Mapping[str, float]

    def required_elements(self) -> frozenset[str]:
        """Elements of every composition: fixed, with a floor, or in a unit with a positive lower bound."""
        units = [frozenset(ratio) for ratio in self.ratios]
        bounded = [s.members for s in self.root.walk() if s.low > 0 and (len(s.members) == 1 or s.members in units)]
        return frozenset(self.fixed).union(self.floors, *bounded)

    def min_elements(self) -> int:
        """Smallest number of elements of a composition.

        The required elements, and one more for each innermost set with a positive lower bound and no required element.
        """
        required = self.required_elements()
        unmet = [s for s in self.root.walk() if s.low > 0 and s is not self.root and not s.members & required]
        return len(required) + sum(not any(other.members < s.members for other in unmet) for s in unmet)

    def unreachable_set(self, present: Collection[str]) -> ConstrainedSet | None:
        """The innermost set whose lower bound is out of reach with only these elements present; None without one."""
        sets = list(self.root.walk())
        return next((s for s in reversed(sets) if self._max_fraction(s, present) < s.low - ROUNDING_ERROR), None)

    def _max_fraction(self, node: ConstrainedSet, present: Collection[str]) -> float:
        """Largest total fraction of a set that contains only the elements present, fixed and required."""
        if any(s in present and s not in self.fixed for s in node.direct_members):
            return node.high
        is_unit = len(node.members) == 1 or any(node.members == set(ratio) for ratio in self.ratios)
        required = node.low if is_unit and not node.subsets else 0.0
        x_const = sum(self.fixed.get(s, 0.0) + self.floors.get(s, 0.0) for s in node.direct_members)
        return min(max(required, x_const + sum(self._max_fraction(s, present) for s in node.subsets)), node.high)

    def satisfied(self, counts: np.ndarray) -> np.ndarray:
        """Whether integer formulas satisfy all constraints exactly: atom counts (n, 118) -> (n,) bool."""
        atoms, ok = counts.sum(1), np.ones(len(counts), dtype=bool)
        for node in list(self.root.walk())[1:]:
            total = counts[:, [elements.element(s).index for s in node.members]].sum(1)
            ok &= (total >= node.low * atoms - WHOLE_ATOM) & (total <= node.high * atoms + WHOLE_ATOM)
        for ratio in self.ratios:
            (first, n), *others = ((elements.element(s).index, part) for s, part in ratio.items())
            for other, m in others:
                ok &= counts[:, first] * m == counts[:, other] * n
        return ok

    def feasible_atom_count(self, n: int) -> bool:
        """Whether an integer formula of n atoms can satisfy all constraints exactly."""
        return bool(self._attainable_totals(self.root, n) >> n & 1)

    def _attainable_totals(self, node: ConstrainedSet, n: int) -> int:
        """Total atom counts, of n atoms, that a set can have: bit t is set if t atoms can be distributed in it."""
        mask, totals = (2 << n) - 1, 1
        units = {symbol: ratio for ratio in self.ratios for symbol in ratio}
        for subset in node.subsets:
            totals = _sumset(totals, self._attainable_totals(subset, n)) & mask
        for symbol in node.direct_members:
            if symbol in units:
                if symbol == next(iter(units[symbol])):
                    step = sum(units[symbol].values())
                    totals = _sumset(totals, sum(1 << t for t in range(0, n + 1, step))) & mask
                continue
            fixed = round(self.fixed.get(symbol, 0) * n)
            lower = max(fixed, math.ceil(self.floors.get(symbol, 0) * n - WHOLE_ATOM))
            totals = totals << lower & mask
            if symbol not in self.fixed:  # any larger number
                smallest = totals & -totals
                totals = mask & ~(smallest - 1) if totals else 0
        low, high = math.ceil(node.low * n - WHOLE_ATOM), math.floor(node.high * n + WHOLE_ATOM)
        return totals & ~((1 << max(low, 0)) - 1) & ((2 << max(high, 0)) - 1 if high >= 0 else 0)


def _sumset(a: int, b: int) -> int:
    """Bits at all sums of a set bit of a and a set bit of b."""
    sums = 0
    while b:
        lowest = b & -b
        sums |= a * lowest
        b ^= lowest
    return sums
