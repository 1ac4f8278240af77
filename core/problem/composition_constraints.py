"""Bounds, groups and ratios: what a user demands of the fractions, as nested sets of elements with a least and a most.

A bound holds for one element, a group for the sum over several, a ratio ties elements together: Ba:Y = 2:1 makes of
both one unit, of which 2/3 are Ba. Sets must be nested or disjoint (a laminar family), because then whatever is asked
of them can be met exactly, see `core.generation.gradient.constraint_projection`. Fractions are those of all atoms; what
is fixed counts where it belongs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR, SAME_COMPOSITION, WHOLE_ATOM
from core.errors import InputError

LARGEST_PART = 60  # of a ratio in lowest terms


@dataclass(frozen=True)
class Group:
    """The elements together make up at least `low` and at most `high` of all atoms."""

    elements: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Part:
    """A set of elements with limits, and the sets directly inside it.

    field : of the problem that asks for it
    """

    members: frozenset[str]
    low: float
    high: float
    field: str
    inner: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        """As in messages: "O, F, S 0.3 to 1"."""
        return f"{', '.join(in_order(self.members))} {self.low:.4g} to {self.high:.4g}"

    @cached_property
    def direct(self) -> frozenset[str]:
        """The members that are in none of the inner sets."""
        return self.members.difference(*(part.members for part in self.inner))

    def walk(self) -> Iterator[Part]:
        """This part and all within it, the outer before the inner."""
        yield self
        for part in self.inner:
            yield from part.walk()


def in_order(symbols: Collection[str]) -> list[str]:
    """Symbols in the order of the elements."""
    return sorted(symbols, key=lambda s: elements.element(s).index)


@dataclass(frozen=True)
class CompositionConstraints:
    """All demands of a problem, each right by itself and all of them laminar; see `read`.

    root : all elements that may be there, in total 1
    ratios : symbol -> whole parts in lowest terms, of each unit
    fixed, floors : x_const, symbol -> fraction
    """

    root: Part
    ratios: tuple[Mapping[str, int], ...]
    fixed: Mapping[str, float]
    floors: Mapping[str, float]

    def required(self) -> frozenset[str]:
        """Elements that every composition has: fixed, with a floor, or with a least fraction of their own."""
        units = [frozenset(ratio) for ratio in self.ratios]
        alone = [p.members for p in self.root.walk() if p.low > 0 and (len(p.members) == 1 or p.members in units)]
        return frozenset(self.fixed).union(self.floors, *alone)

    def n_required(self) -> int:
        """How many elements a composition needs at least: the required ones, and one for each other set that must be
        there, unless these lie within one another."""
        needed = self.required()
        lacking = [p for p in self.root.walk() if p.low > 0 and p is not self.root and not p.members & needed]
        return len(needed) + sum(not any(q.members < p.members for q in lacking) for p in lacking)

    def lacking(self, present: Collection[str]) -> Part | None:
        """A set that must have more than these elements can give it, the innermost first; None if there is none."""
        parts = list(self.root.walk())
        return next((p for p in reversed(parts) if self._most(p, present) < p.low - ROUNDING_ERROR), None)

    def _most(self, part: Part, present: Collection[str]) -> float:
        """What a set can have if only these elements, the fixed ones, and those that must be there are."""
        if any(s in present and s not in self.fixed for s in part.direct):
            return part.high
        alone = len(part.members) == 1 or any(part.members == set(ratio) for ratio in self.ratios)
        least = part.low if alone and not part.inner else 0.0
        x_const = sum(self.fixed.get(s, 0.0) + self.floors.get(s, 0.0) for s in part.direct)
        return min(max(least, x_const + sum(self._most(p, present) for p in part.inner)), part.high)

    def met(self, counts: np.ndarray) -> np.ndarray:
        """Whether formulas of whole atoms (n, 118) keep every demand exactly: (n,) bool."""
        atoms, kept = counts.sum(1), np.ones(len(counts), dtype=bool)
        for part in list(self.root.walk())[1:]:
            inside = counts[:, [elements.element(s).index for s in part.members]].sum(1)
            kept &= (inside >= part.low * atoms - WHOLE_ATOM) & (inside <= part.high * atoms + WHOLE_ATOM)
        for ratio in self.ratios:
            (first, n), *others = ((elements.element(s).index, parts) for s, parts in ratio.items())
            for other, m in others:
                kept &= counts[:, first] * m == counts[:, other] * n
        return kept

    def can_be_whole(self, n: int) -> bool:
        """Whether n whole atoms can meet all demands exactly."""
        return bool(self._totals(self.root, n) >> n & 1)

    def _totals(self, part: Part, n: int) -> int:
        """The atoms, of n, that a set can have: bit t is set if t atoms can be distributed among its members."""
        mask, reached = (2 << n) - 1, 1
        units = {symbol: ratio for ratio in self.ratios for symbol in ratio}
        for inner in part.inner:
            reached = _sums(reached, self._totals(inner, n)) & mask
        for symbol in part.direct:
            if symbol in units:
                if symbol == next(iter(units[symbol])):
                    step = sum(units[symbol].values())
                    reached = _sums(reached, sum(1 << t for t in range(0, n + 1, step))) & mask
                continue
            kept = round(self.fixed.get(symbol, 0) * n)
            least = max(kept, math.ceil(self.floors.get(symbol, 0) * n - WHOLE_ATOM))
            reached = reached << least & mask
            if symbol not in self.fixed:  # any number more
                lowest = reached & -reached
                reached = mask & ~(lowest - 1) if reached else 0
        low, high = math.ceil(part.low * n - WHOLE_ATOM), math.floor(part.high * n + WHOLE_ATOM)
        return reached & ~((1 << max(low, 0)) - 1) & ((2 << max(high, 0)) - 1 if high >= 0 else 0)


def _sums(a: int, b: int) -> int:
    """Bits of all sums of a bit of a and a bit of b."""
    total = 0
    while b:
        lowest = b & -b
        total |= a * lowest
        b ^= lowest
    return total


def check(
    bounds: Mapping[str, tuple[float, float]], groups: Sequence[Group], ratios: Sequence[Mapping[str, float]]
) -> list[InputError]:
    """What is wrong with each of the demands by itself."""
    wrong = []
    for symbol, limits in bounds.items():
        wrong += _check_symbols("bounds", (symbol,)) + _check_limits("bounds", symbol, limits)
    for group in groups:
        text = ", ".join(map(str, group.elements))
        wrong += _check_symbols("groups", group.elements) + _check_limits("groups", text, (group.low, group.high))
        if not group.elements:
            wrong.append(InputError("groups", "", "a group without elements", "Name its elements"))
    for ratio in ratios:
        wrong += _check_symbols("ratios", tuple(ratio)) + _check_ratio(ratio)
    named = [symbol for ratio in ratios for symbol in ratio]
    for symbol in dict.fromkeys(s for s in named if named.count(s) > 1):
        wrong.append(
            InputError("ratios", symbol, "it is in two ratios", "Write them as one, for example Ba:Y:Cu = 2:1:3")
        )
    return wrong


def _check_symbols(field: str, symbols: Sequence[str]) -> list[InputError]:
    wrong = [
        InputError(field, s, "it is not an element", "Check the spelling and the capitals")
        for s in symbols
        if not (isinstance(s, str) and elements.is_element(s))
    ]
    twice = [s for s in dict.fromkeys(symbols) if list(symbols).count(s) > 1]
    return wrong + [InputError(field, s, "it is named twice", "Name it once") for s in twice]


def _check_limits(field: str, text: str, limits: tuple[float, float]) -> list[InputError]:
    numbers = [isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in limits]
    if len(numbers) != 2 or not all(numbers):
        return [InputError(field, f"{text} {limits}", "a least and a most fraction are needed", "Give two numbers")]
    low, high = limits
    if not 0 <= low <= high <= 1:
        return [
            InputError(field, f"{text} {low:.4g} to {high:.4g}", "fractions go from 0 to 1, the least first",
                       "Correct the numbers")
        ]  # fmt: skip
    if high == 0:
        return [InputError(field, f"{text} at most 0", "this forbids the element", "Forbid it in the table")]
    return []


def _check_ratio(ratio: Mapping[str, float]) -> list[InputError]:
    text = ":".join(map(str, ratio)) + " = " + ":".join(f"{x:g}" if _number(x) else str(x) for x in ratio.values())
    if len(ratio) < 2:
        return [InputError("ratios", text, "a ratio needs two elements or more", "Name another one")]
    if not all(_number(x) and x > 0 for x in ratio.values()):
        return [InputError("ratios", text, "the parts of a ratio are numbers above zero", "Write Ba:Y = 2:1")]
    if max(in_lowest_terms(ratio).values()) > LARGEST_PART or _far_from(ratio):
        return [
            InputError("ratios", text, f"whole atoms must make the ratio, with at most {LARGEST_PART} of one element",
                       "Take a simpler ratio")
        ]  # fmt: skip
    return []


def _number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)


def in_lowest_terms(ratio: Mapping[str, float]) -> dict[str, int]:
    """A ratio as whole parts: 1.5:1 -> 3:2."""
    smallest = min(ratio.values())
    parts = {s: Fraction(x / smallest).limit_denominator(LARGEST_PART) for s, x in ratio.items()}
    common = math.lcm(*(part.denominator for part in parts.values()))
    return {s: int(part * common) for s, part in parts.items()}


def _far_from(ratio: Mapping[str, float]) -> bool:
    whole, total = in_lowest_terms(ratio), sum(ratio.values())
    return any(abs(whole[s] / sum(whole.values()) - x / total) > SAME_COMPOSITION for s, x in ratio.items())


@dataclass(frozen=True)
class ConstraintRequest:
    """CompositionConstraints that are right by themselves, and the rest of the problem that they meet.

    allowed : symbols of the free part; fixed, floors : x_const, symbol -> fraction
    """

    bounds: Mapping[str, tuple[float, float]]
    groups: Sequence[Group]
    ratios: Sequence[Mapping[str, float]]
    allowed: Collection[str]
    fixed: Mapping[str, float]
    floors: Mapping[str, float]


def read(request: ConstraintRequest) -> CompositionConstraints:
    """The demands as nested sets. Raises InputError for the first that contradicts another, or the rest."""
    for error in _clashes(request):
        raise error
    units = {s: in_lowest_terms(ratio) for ratio in request.ratios for s in ratio}
    possible = frozenset(request.allowed) | set(request.fixed) | set(request.floors)
    parts = [_bound(symbol, *limits, units) for symbol, limits in request.bounds.items() if symbol in possible]
    parts += [_group(group, possible) for group in request.groups if group.low or possible & set(group.elements)]
    for ratio in request.ratios:
        unit = frozenset(ratio)
        parts.append(Part(unit, 0.0, 1.0, "ratios"))
        for part in parts:
            if part.members & unit and not unit <= part.members:
                raise InputError(part.field, part.text, f"{', '.join(unit & part.members)} is in a ratio with elements "
                                 "outside this set", "Name all elements of the ratio, or none")  # fmt: skip
    root = _nested(Part(possible, 1.0, 1.0, "groups"), _merged(parts))
    constraints = CompositionConstraints(
        root, tuple(in_lowest_terms(r) for r in request.ratios), dict(request.fixed), dict(request.floors)
    )
    _least_and_most(constraints, root)
    return constraints


def _bound(symbol: str, low: float, high: float, units: Mapping[str, Mapping[str, int]]) -> Part:
    """The limits of one element; of one in a ratio, those that its unit then has."""
    unit = units.get(symbol, {symbol: 1})
    times = sum(unit.values()) / unit[symbol]
    return Part(frozenset(unit), low * times, min(high * times, 1.0), "bounds")


def _group(group: Group, possible: frozenset[str]) -> Part:
    part = Part(frozenset(group.elements) & possible, group.low, group.high, "groups")
    if not part.members:
        raise InputError("groups", ", ".join(group.elements), "they must be there, and none of them is allowed",
                         "Allow one of them in the table")  # fmt: skip
    return part


def _clashes(request: ConstraintRequest) -> Iterator[InputError]:
    for symbol, (low, _) in request.bounds.items():
        if symbol in request.fixed:
            yield InputError("bounds", symbol, "its amount is fixed", "Free it in the table, or remove its bounds")
        elif symbol not in request.allowed and low > 0:
            yield InputError("bounds", symbol, "it must be there, and it is not allowed", "Allow it in the table")
    for symbol in (s for ratio in request.ratios for s in ratio):
        if symbol in request.fixed:
            yield InputError("ratios", symbol, "its amount is fixed", "Fix the others too, in place of the ratio")
        elif symbol in request.floors:
            yield InputError("ratios", symbol, "it has a floor", "Give it a least fraction here in place of the floor")
        elif symbol not in request.allowed:
            yield InputError("ratios", symbol, "it is not allowed", "Allow it in the table, or remove the ratio")


def _merged(parts: Sequence[Part]) -> list[Part]:
    """One part for each set of elements, with what is asked of it together; the small ones first."""
    found: dict[frozenset[str], Part] = {}
    for part in parts:
        other = found.get(part.members, part)
        low, high = max(part.low, other.low), min(part.high, other.high)
        if low > high + ROUNDING_ERROR:
            raise InputError(part.field, part.text, f"this contradicts {other.text}", "Change one of both")
        source = part.field if other.field == "ratios" else other.field
        found[part.members] = Part(part.members, low, high, source)
    return sorted(found.values(), key=lambda p: (len(p.members), in_order(p.members)))


def _nested(root: Part, parts: Sequence[Part]) -> Part:
    """The tree of the sets. Raises InputError for two that overlap."""
    outermost: list[Part] = []
    for part in parts:
        inner = [p for p in outermost if p.members <= part.members]
        for p in outermost:
            if p.members & part.members and p not in inner:
                raise InputError(part.field, part.text, f"this set overlaps with {', '.join(in_order(p.members))}",
                                 "Make one contain the other, or keep them apart")  # fmt: skip
        outermost = [p for p in outermost if p not in inner] + [replace(part, inner=tuple(inner))]
    return replace(root, inner=tuple(outermost))


def _least_and_most(constraints: CompositionConstraints, part: Part) -> tuple[float, float]:
    """What a set must and can have by all that is asked within it. Raises InputError where both do not meet."""
    inner = [_least_and_most(constraints, p) for p in part.inner]
    x_const = {s: constraints.fixed.get(s, 0.0) + constraints.floors.get(s, 0.0) for s in part.direct}
    free = any(s not in constraints.fixed for s in part.direct)
    least = sum(low for low, _ in inner) + sum(x_const.values())
    most = 1.0 if free else sum(high for _, high in inner) + sum(x_const.values())
    whole = "all elements" if part is constraints.root else part.text
    if least > part.high + ROUNDING_ERROR:
        raise InputError(part.field, whole, f"what is asked of its elements adds up to {least:.4g}, more than "
                         f"{part.high:.4g}", "Lower the least fractions, or raise the most")  # fmt: skip
    if most < part.low - ROUNDING_ERROR:
        raise InputError(part.field, whole, f"its elements can have {most:.4g} together, less than {part.low:.4g}",
                         "Raise the most fractions, or name more elements")  # fmt: skip
    return max(least, part.low), min(most, part.high)
