"""Bounds, groups and ratios: linear constraints on the fractions of a composition, as a laminar family of sets.

A bound limits the fraction of one element, a group the sum over several elements. A ratio makes several elements one
unit: with Ba:Y = 2:1, Ba is 2/3 of the unit. Any two sets must be nested or disjoint (a laminar family), because the
projection onto such constraints has a closed form, see `core.generation.gradient.constraint_projection`. Fractions
refer to all atoms, so that fixed elements count in the sets that contain them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR, SAME_COMPOSITION
from core.errors import InputError, shown
from core.problem.constraint_sets import CompositionConstraints, ConstrainedSet, sorted_symbols
from core.problem.settings import is_number

_MOST_PART = 1e9  # beyond it a sum of parts may overflow
MAX_RATIO_PART = 60  # largest integer of a ratio in lowest terms


@dataclass(frozen=True)
class Group:
    """Several elements with bounds on the sum of their fractions.

    low, high : lower and upper bound, fractions of all atoms
    """

    elements: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0


def check(
    bounds: Mapping[str, tuple[float, float]], groups: Sequence[Group], ratios: Sequence[Mapping[str, float]]
) -> list[InputError]:
    """Errors in bounds, groups and ratios, each checked on its own; empty if there are none."""
    errors = []
    for symbol, limits in bounds.items():
        errors += _check_symbols("bounds", (symbol,)) + _check_limits("bounds", symbol, limits)
    for group in groups:
        text = ", ".join(map(str, group.elements))
        errors += _check_symbols("groups", group.elements) + _check_limits("groups", text, (group.low, group.high))
        if not group.elements:
            errors.append(InputError("groups", "", "a group needs at least one element", "Add elements to the group"))
    for ratio in ratios:
        errors += _check_symbols("ratios", tuple(ratio)) + _check_ratio(ratio)
    named = [symbol for ratio in ratios for symbol in ratio]
    for symbol in dict.fromkeys(s for s in named if named.count(s) > 1):
        errors.append(
            InputError("ratios", symbol, "the element occurs in more than one ratio",
                       "Combine the ratios, for example Ba:Y:Cu = 2:1:3")
        )  # fmt: skip
    return errors


def _check_symbols(field: str, symbols: Sequence[str]) -> list[InputError]:
    errors = [
        InputError(field, s, "this symbol is not an element", "Check the spelling and the capitals")
        for s in symbols
        if not (isinstance(s, str) and elements.is_element(s))
    ]
    repeated = [s for s in dict.fromkeys(symbols) if list(symbols).count(s) > 1]
    return errors + [InputError(field, s, "the element is listed twice", "List it once") for s in repeated]


def _check_limits(field: str, text: str, limits: tuple[float, float]) -> list[InputError]:
    if len(limits) != 2 or not all(is_number(x) for x in limits):
        return [
            InputError(field, f"{text} {shown(limits, 80)}", "a lower and an upper bound are required",
                       "Give two numbers")
        ]  # fmt: skip
    low, high = limits
    if not 0 <= low <= high <= 1:
        return [
            InputError(field, f"{text} {low:.4g} to {high:.4g}", "bounds must satisfy 0 ≤ lower ≤ upper ≤ 1",
                       "Correct the bounds")
        ]  # fmt: skip
    if high == 0:
        return [
            InputError(field, f"{text} at most 0", "an upper bound of 0 forbids the element",
                       "Forbid it in the periodic table instead")
        ]  # fmt: skip
    return []


def _check_ratio(ratio: Mapping[str, float]) -> list[InputError]:
    text = (
        ":".join(map(str, ratio)) + " = " + ":".join(f"{x:g}" if is_number(x) else shown(x, 40) for x in ratio.values())
    )
    if len(ratio) < 2:
        return [InputError("ratios", text, "a ratio needs at least two elements", "Add an element")]
    if not all(is_number(x) and x > 0 for x in ratio.values()):
        return [InputError("ratios", text, "the parts of a ratio must be positive numbers", "Write Ba:Y = 2:1")]
    extreme = max(ratio.values()) > 2 * MAX_RATIO_PART * min(ratio.values()) or max(ratio.values()) > _MOST_PART
    if extreme or max(in_lowest_terms(ratio).values()) > MAX_RATIO_PART or _is_inexact(ratio):
        return [
            InputError("ratios", text, f"a ratio must consist of integers up to {MAX_RATIO_PART} in lowest terms",
                       "Use a simpler ratio")
        ]  # fmt: skip
    return []


def in_lowest_terms(ratio: Mapping[str, float]) -> dict[str, int]:
    """A ratio as integers in lowest terms: 1.5:1 -> 3:2."""
    smallest = min(ratio.values())
    parts = {s: Fraction(x / smallest).limit_denominator(MAX_RATIO_PART) for s, x in ratio.items()}
    common = math.lcm(*(part.denominator for part in parts.values()))
    return {s: int(part * common) for s, part in parts.items()}


def _is_inexact(ratio: Mapping[str, float]) -> bool:
    """Whether the ratio in lowest terms differs from the given one."""
    whole, total = in_lowest_terms(ratio), sum(ratio.values())
    return any(abs(whole[s] / sum(whole.values()) - x / total) > SAME_COMPOSITION for s, x in ratio.items())


@dataclass(frozen=True)
class ConstraintRequest:
    """Bounds, groups and ratios that pass `check`, with the parts of the problem that affect them.

    allowed : symbols of the free part
    fixed, floors : x_const, symbol -> fraction
    """

    bounds: Mapping[str, tuple[float, float]]
    groups: Sequence[Group]
    ratios: Sequence[Mapping[str, float]]
    allowed: Collection[str]
    fixed: Mapping[str, float]
    floors: Mapping[str, float]


def nested_constraints(request: ConstraintRequest) -> CompositionConstraints:
    """The constraints as a laminar family.

    Raises InputError for the first constraint that contradicts another one or the rest of the problem.
    """
    for error in _conflicts(request):
        raise error
    units = {s: in_lowest_terms(ratio) for ratio in request.ratios for s in ratio}
    possible = frozenset(request.allowed) | set(request.fixed) | set(request.floors)
    sets = [_bounded_unit(symbol, *limits, units) for symbol, limits in request.bounds.items() if symbol in possible]
    sets += [_group_set(group, possible) for group in request.groups if group.low or possible & set(group.elements)]
    for ratio in request.ratios:
        unit = frozenset(ratio)
        sets.append(ConstrainedSet(unit, 0.0, 1.0, "ratios"))
        for node in sets:
            if node.members & unit and not unit <= node.members:
                part = ", ".join(sorted_symbols(unit & node.members))
                raise InputError(node.field, node.text, f"the set contains {part} of a ratio, but not its other "
                                 "elements", "Include all elements of the ratio, or none")  # fmt: skip
    root = _nested(ConstrainedSet(possible, 1.0, 1.0, "groups"), _merged(sets))
    constraints = CompositionConstraints(
        root, tuple(in_lowest_terms(r) for r in request.ratios), dict(request.fixed), dict(request.floors)
    )
    _feasible_bounds(constraints, root)
    return constraints


def _bounded_unit(symbol: str, low: float, high: float, units: Mapping[str, Mapping[str, int]]) -> ConstrainedSet:
    """The bounds of one element; for an element in a ratio, the bounds that follow for its unit."""
    unit = units.get(symbol, {symbol: 1})
    scale = sum(unit.values()) / unit[symbol]
    return ConstrainedSet(frozenset(unit), low * scale, min(high * scale, 1.0), "bounds")


def _group_set(group: Group, possible: frozenset[str]) -> ConstrainedSet:
    node = ConstrainedSet(frozenset(group.elements) & possible, group.low, group.high, "groups")
    if not node.members:
        raise InputError("groups", ", ".join(group.elements), "the group has a positive lower bound, but none of its "
                         "elements is allowed", "Allow one of them in the periodic table")  # fmt: skip
    return node


def _conflicts(request: ConstraintRequest) -> Iterator[InputError]:
    """Bounds and ratios of elements that are fixed, have a floor, or are not allowed."""
    for symbol, (low, _) in request.bounds.items():
        if symbol in request.fixed:
            yield InputError("bounds", symbol, "the amount of this element is fixed",
                             "Free it in the periodic table, or remove its bounds")  # fmt: skip
        elif symbol not in request.allowed and low > 0:
            yield InputError("bounds", symbol, "the element has a positive lower bound, but is not allowed",
                             "Allow it in the periodic table")  # fmt: skip
    for symbol in (s for ratio in request.ratios for s in ratio):
        if symbol in request.fixed:
            yield InputError("ratios", symbol, "the amount of this element is fixed",
                             "Fix the other elements of the ratio too, and remove the ratio")  # fmt: skip
        elif symbol in request.floors:
            yield InputError("ratios", symbol, "the element has a floor", "Replace the floor by a lower bound")
        elif symbol not in request.allowed:
            yield InputError("ratios", symbol, "the element is not allowed",
                             "Allow it in the periodic table, or remove the ratio")  # fmt: skip


def _merged(sets: Sequence[ConstrainedSet]) -> list[ConstrainedSet]:
    """One set for each combination of members, with the intersection of the bounds; the smallest sets first."""
    merged: dict[frozenset[str], ConstrainedSet] = {}
    for node in sets:
        other = merged.get(node.members, node)
        low, high = max(node.low, other.low), min(node.high, other.high)
        if low > high + ROUNDING_ERROR:
            raise InputError(node.field, node.text, f"this contradicts {other.text}", "Change one of the two")
        source = node.field if other.field == "ratios" else other.field
        merged[node.members] = ConstrainedSet(node.members, low, high, source)
    return sorted(merged.values(), key=lambda s: (len(s.members), sorted_symbols(s.members)))


def _nested(root: ConstrainedSet, sets: Sequence[ConstrainedSet]) -> ConstrainedSet:
    """The tree of the sets, which are given by ascending size. Raises InputError for two sets that partly overlap."""
    outermost: list[ConstrainedSet] = []
    for node in sets:
        inner = [s for s in outermost if s.members <= node.members]
        for s in outermost:
            if s.members & node.members and s not in inner:
                raise InputError(node.field, node.text,
                                 f"this set partly overlaps with {', '.join(sorted_symbols(s.members))}",
                                 "Make the two sets nested or disjoint")  # fmt: skip
        outermost = [s for s in outermost if s not in inner] + [replace(node, subsets=tuple(inner))]
    return replace(root, subsets=tuple(outermost))


def _feasible_bounds(constraints: CompositionConstraints, node: ConstrainedSet) -> tuple[float, float]:
    """Bounds of a set that follow from its own bounds and those of all sets inside. Raises InputError if they cross."""
    inner = [_feasible_bounds(constraints, s) for s in node.subsets]
    x_const = {s: constraints.fixed.get(s, 0.0) + constraints.floors.get(s, 0.0) for s in node.direct_members}
    free = any(s not in constraints.fixed for s in node.direct_members)
    lower = sum(low for low, _ in inner) + sum(x_const.values())
    upper = 1.0 if free else sum(high for _, high in inner) + sum(x_const.values())
    shown = "all elements" if node is constraints.root else node.text
    if lower > node.high + ROUNDING_ERROR:
        raise InputError(node.field, shown, f"the lower bounds of its elements add up to {lower:.4g}, more "
                         f"than {node.high:.4g}", "Lower these bounds, or raise the upper bound")  # fmt: skip
    if upper < node.low - ROUNDING_ERROR:
        raise InputError(node.field, shown, f"the upper bounds of its elements add up to {upper:.4g}, less "
                         f"than {node.low:.4g}", "Raise these bounds, or add elements")  # fmt: skip
    return max(lower, node.low), min(upper, node.high)
