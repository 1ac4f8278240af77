"""Charge balance in which every atom may have any oxidation state of its element (KIAGO 3.6).

LaH10 cannot balance with one state per element; it balances with La 2+, six H 1- and four H 1+. The paper enumerates
all assignments and is therefore limited to 15 atoms. Here the reachable charges are the bits of one integer (see
`core.screening.charge_neutrality`), and the number of atoms is not limited: of n atoms with states from lowest to
highest, fewer than m = highest - lowest need a state between these two. For among any m atoms, some have deviations
from the lowest state that sum to a multiple of m (two of the m + 1 partial sums agree modulo m); the same number of
atoms in the lowest and the highest state can have the same total charge. All other atoms have one of these two states,
and doubling covers their sums in log2(n) steps.
"""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

from core.chemistry.elements import Element

Choices = list[tuple[Element, int, tuple[int, ...]]]  # element, number of atoms, states (most usual first)
Atoms = tuple[tuple[str, int, int], ...]  # (symbol, state, number of atoms in this state)


def add_atoms(bits: int, count: int, states: tuple[int, ...], lowest: int = 0) -> int:
    """Add `count` atoms of an element to the reachable charges `bits`, each atom in any of the states.

    `lowest` is subtracted from the state of every atom: with the lowest state, bit 0 is the lowest charge.
    """
    bottom, spread = min(states), max(states) - min(states)
    free = min(count, max(spread - 1, 0))  # atoms that may need a state between the lowest and the highest
    for _ in range(free):
        reached = 0
        for state in states:
            reached |= bits << state - bottom
        bits = reached
    left, jump = count - free, 1
    while left and spread:  # 0, 1, ... or all of the other atoms in the highest state
        taken = min(jump, left)
        bits |= bits << taken * spread
        left, jump = left - taken, 2 * jump
    return bits << count * (bottom - lowest)


def assign(choices: Choices) -> Atoms:
    """States with total charge 0, in the order of `choices`. The caller ensures that they exist.

    Nonmetals are assigned first, by descending electronegativity, then metals, by ascending number of states. Each
    element takes the total charge nearest to that of its most usual state that the others can balance. As a result, the
    holes of YBa2Cu3O7 are on the copper, as is conventional.
    """
    ordered = sorted(choices, key=_assignment_order)
    rest = [(1, 0)]  # for each tail of the list: its reachable charges, and the bit that represents charge 0
    for _, count, states in reversed(ordered):
        bits, zero = rest[-1]
        rest.append((add_atoms(bits, count, states, min(states)), zero - count * min(states)))
    found, charge = {}, 0
    for (element, count, states), (bits, zero) in zip(ordered, reversed(rest[:-1]), strict=True):
        own, bottom = add_atoms(1, count, states, min(states)), count * min(states)
        balanced = own & _reversed(bits, zero - charge - bottom)
        total = bottom + _nearest_set(balanced, count * states[0] - bottom)
        found[element.symbol] = _split(count, total, states)
        charge += total
    return tuple((element.symbol, *part) for element, _, _ in choices for part in found[element.symbol])


def _assignment_order(choice: tuple[Element, int, tuple[int, ...]]) -> tuple[float, ...]:
    element, _, states = choice
    if element.metal:
        return (1, len(states), element.atomic_number)
    return (0, -(element.electronegativity or 0.0), element.atomic_number)


def _reversed(bits: int, top: int) -> int:
    """Bit p of the result is bit top - p; bits above `top` are dropped."""
    backwards = int(bin(bits)[:1:-1], 2)  # bit p is bit (length - 1 - p)
    shift = bits.bit_length() - 1 - top
    return backwards >> shift if shift >= 0 else backwards << -shift


def _nearest_set(bits: int, place: int) -> int:
    """Position of the set bit nearest to `place` >= 0, the higher one of two; at least one bit is set."""
    above, below = bits >> place, bits & ((1 << place) - 1)
    up = place + (above & -above).bit_length() - 1 if above else None
    down = below.bit_length() - 1 if below else None
    return min((p for p in (up, down) if p is not None), key=lambda p: (abs(p - place), -p))


def _split(count: int, total: int, states: tuple[int, ...]) -> list[tuple[int, int]]:
    """(state, atoms) of `count` atoms with the total charge `total`.

    Of the divisions into at most two states, the one that deviates least from the most usual state; if there is none,
    the division with the fewest atoms between the lowest and the highest state.

    Raises ValueError if the total charge is out of reach.
    """
    if total == count * states[0]:
        return [(states[0], count)]
    ways = []
    for one, other in combinations(states, 2):
        most, odd = divmod(total - count * other, one - other)
        if not odd and 0 <= most <= count:
            parts = [(one, most), (other, count - most)]
            ways.append([part for part in parts if part[1]])
    if ways:
        return min(ways, key=lambda parts: sum(n * abs(state - states[0]) for state, n in parts))
    low, high = min(states), max(states)
    between = [state for state in states if low < state < high]
    for few in range(min(count, high - low - 1) + 1):
        for inner in combinations_with_replacement(between, few):
            most, odd = divmod(total - sum(inner) - (count - few) * low, high - low)
            if not odd and 0 <= most <= count - few:
                ends = [(high, most), (low, count - few - most)]
                return [(s, n) for s, n in [*ends, *((s, inner.count(s)) for s in dict.fromkeys(inner))] if n]
    raise ValueError(f"{count} atoms with the states {states} cannot have the charge {total}")
