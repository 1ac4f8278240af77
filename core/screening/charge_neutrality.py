"""Can the composition be charge neutral, with the more electronegative elements as the anions?

The paper's screen is SMACT (Davies et al., J. Open Source Softw. 4, 1361 (2019), doi:10.21105/joss.01361):
`smact_validity(formula, include_alloys=True, oxidation_states_set="smact14")`. SMACT tries every product of
oxidation states, which takes minutes for nine elements. The same verdicts follow from the charges that can be
reached at all, kept as the bits of one integer: bit q is set if the charge q can be reached, and an element
of n atoms with the states s turns `bits` into the union of `bits << n * s`.

For hydrides, and for whatever else mixes valences, the paper lets every atom take its own state (KIAGO 3.6) and
asks for no electronegativity: the other rule here, see `core.screening.mixed_valence`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from core.chemistry import elements
from core.chemistry.elements import Element
from core.problem.settings import EVERY_ATOM, ONE_STATE
from core.screening import mixed_valence
from core.screening.mixed_valence import Choices

MAX_ATOMS = 1_000_000  # per reduced formula unit; the memory for the reachable charges grows with it

_NO_PAULING = "neutral, but no assignment gives the anions the higher electronegativity"


@dataclass(frozen=True)
class ChargeBalance:
    """Verdict of the screen on one composition.

    charge_neutral : SMACT's verdict without the electronegativity test
    pauling_ok : the verdict with it: charge neutral and every anion more electronegative than every
        cation, or passed at once, as alloys (metals only) and single elements are. Where every atom is free
        this is not asked, and the verdict is that of charge_neutral
    reason : one short sentence without a full stop
    oxidation_states : (symbol, state), electropositive elements first; of the assignment that passes both
        tests if there is one, else of a neutral one; empty if there is none, or none was needed. Where every
        atom is free an element may come several times
    nearest_charge : the total charge (elementary charges per reduced formula unit) closest to 0 that any
        assignment gives, the positive one of two equally close; 0 if neutral; None if an element has no
        oxidation state, or the composition passed at once
    atoms : how many, per reduced formula unit, have each of `oxidation_states`
    written : the oxidation states as text: "La 3+, Fe 2+, As 3-, O 2-"; empty if there are none
    """

    charge_neutral: bool
    pauling_ok: bool
    reason: str
    oxidation_states: tuple[tuple[str, int], ...]
    nearest_charge: int | None
    atoms: tuple[int, ...] = ()
    written: str = ""


def charge_balance(
    counts: np.ndarray, rule: str = ONE_STATE, units: Sequence[float] | None = None
) -> list[ChargeBalance]:
    """Screen compositions given as integer atom counts, shape (n, 118), which are reduced by their gcd.

    rule : "one_state" for each element, or "every_atom" is free to take any state of its element
    units : formula units in each reduced row, for the texts: Ba3K2Fe10As10 is five of Ba0.6K0.4Fe2As2. By default 1

    Where several assignments pass, the one shown is found by a fixed rule: every element has a usual state
    (see `usual_state`), the elements with the fewest choices settle first, each on the state nearest its
    usual one that the rest can still balance; of several ways to divide cations from anions, the one that
    deviates least from the usual states (sum of absolute deviations) is shown, of equal ones the one with
    most cations.

    Raises ValueError for a wrong shape, counts that are not whole numbers >= 0, a row without atoms,
    more than MAX_ATOMS atoms in a reduced formula unit, or an unknown rule.
    """
    if rule not in (ONE_STATE, EVERY_ATOM):
        raise ValueError(f"the rule of the oxidation states is {ONE_STATE} or {EVERY_ATOM}, not {rule!r}")
    rows = _checked(counts)
    return [_balance(row, rule, unit) for row, unit in zip(rows, units or [1.0] * len(rows), strict=True)]


def _checked(counts: np.ndarray) -> list[list[tuple[Element, int]]]:
    """Rows of (element, count), counts reduced."""
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[1] != elements.N_ELEMENTS:
        raise ValueError(f"counts must have shape (n, {elements.N_ELEMENTS}), not {counts.shape}")
    if counts.dtype.kind not in "biuf":
        raise ValueError(f"counts are whole numbers >= 0, not of type {counts.dtype}")
    with np.errstate(invalid="ignore"):
        wrong = ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        symbol = elements.symbols()[column]
        raise ValueError(f"row {row}: {counts[row, column]} atoms of {symbol}; counts are whole numbers >= 0")
    return [_reduced(row, place) for place, row in enumerate(counts)]


def _reduced(row: np.ndarray, place: int) -> list[tuple[Element, int]]:
    present = np.flatnonzero(row)
    if not len(present):
        raise ValueError(f"row {place}: a composition needs at least one atom")
    amounts = [int(row[i]) for i in present]
    divisor = math.gcd(*amounts)
    if sum(amounts) // divisor > MAX_ATOMS:
        raise ValueError(f"row {place}: more than {MAX_ATOMS} atoms in one formula unit")
    everything = elements.all_elements()
    return [(everything[i], n // divisor) for i, n in zip(present, amounts, strict=True)]


def _balance(atoms: list[tuple[Element, int]], rule: str, units: float) -> ChargeBalance:
    if len(atoms) == 1:
        return ChargeBalance(True, True, "a single element", (), None)
    if all(element.metal for element, _ in atoms):
        return ChargeBalance(True, True, "all metals: passes as an alloy", (), None)
    stateless = [element.symbol for element, _ in atoms if not element.oxidation_states]
    if stateless:
        return ChargeBalance(False, False, f"{stateless[0]} has no known oxidation state", (), None)

    atoms = sorted(atoms, key=_electropositive_first)
    if rule == EVERY_ATOM:
        return _every_atom_free(atoms, units)
    unknown = [element.symbol for element, _ in atoms if element.electronegativity is None]
    states = _assignment_without_scale(atoms) if unknown else _pauling_assignment(atoms)
    counts = {element.symbol: n for element, n in atoms}
    if states is not None:
        return _balanced(states, tuple(counts[symbol] for symbol, _ in states), units)
    choices = [(element, n, _all_states(element)) for element, n in atoms]
    charge = _nearest_charge(choices, _step)
    if charge != 0:
        return _unbalanced(charge, units)
    states = _assign(choices)
    found = tuple(counts[symbol] for symbol, _ in states)
    return ChargeBalance(True, False, _NO_PAULING, states, 0, found, _written(states, found, units))


def _every_atom_free(atoms: list[tuple[Element, int]], units: float) -> ChargeBalance:
    choices = [(element, n, _all_states(element)) for element, n in atoms]
    charge = _nearest_charge(choices, mixed_valence.add_atoms)
    if charge != 0:
        return _unbalanced(charge, units)
    found = mixed_valence.assign(choices)
    return _balanced(tuple((symbol, state) for symbol, state, _ in found), tuple(n for _, _, n in found), units)


def _balanced(states: tuple[tuple[str, int], ...], atoms: tuple[int, ...], units: float) -> ChargeBalance:
    written = _written(states, atoms, units)
    return ChargeBalance(True, True, f"balanced: {written}", states, 0, atoms, written)


def _unbalanced(charge: int, units: float) -> ChargeBalance:
    return ChargeBalance(
        False, False, f"nearest charge is {round(charge / units, 4):+.10g} per formula unit", (), charge
    )


def _electropositive_first(atom: tuple[Element, int]) -> tuple[float, int]:
    element = atom[0]
    known = element.electronegativity is not None
    return (element.electronegativity if known else math.inf, element.atomic_number)


def _written(states: tuple[tuple[str, int], ...], atoms: tuple[int, ...], units: float) -> str:
    """As a chemist writes them: "La 3+, O 2-"; of an element with several states also how many atoms have each:
    "La 2+, 4 H 1+, 6 H 1-"."""
    named = [symbol for symbol, _ in states]
    texts = []
    for (symbol, state), n in zip(states, atoms, strict=True):
        number = f"{round(n / units, 4):.10g} " if named.count(symbol) > 1 else ""
        sign = "+" if state > 0 else "-" if state < 0 else ""
        texts.append(f"{number}{symbol} {abs(state)}{sign}")
    return ", ".join(texts)


def balancing_states(counts: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """For each element of a formula (symbol -> whole atoms) the states, in ascending order, with which the others can
    balance it, each element with one state throughout. Electronegativities are not asked."""
    atoms = [(elements.element(symbol), n) for symbol, n in counts.items()]
    found = {}
    for element, n in atoms:
        bits, zero = 1, 0
        for other, m in atoms:
            if other is not element:
                states = other.oxidation_states or (0,)
                bits, zero = _step(bits, m, states, min(states)), zero - m * min(states)
        places = {q: zero - n * q for q in element.oxidation_states if q}
        found[element.symbol] = tuple(q for q, place in places.items() if place >= 0 and bits >> place & 1)
    return found


# Which state an element prefers: only for showing one assignment out of several, no verdict depends on it.


@cache
def usual_state(element: Element, sign: int) -> int:
    """The state that an element usually has as a cation (sign 1) or an anion (sign -1), from its place alone.

    Anions fill the shell: 18 less than the group number (O 2-, Cl 1-, As 3-). Cations empty it: groups 1 to
    5 and 12 to 18 give all valence electrons (Ca 2+, Ti 4+, Al 3+, S 6+), Tl, Pb and Bi keep two of them;
    the f block and group 3 are 3+, groups 6 to 11 are 2+.
    """
    group = element.group
    if sign < 0:
        return group - 18 if group is not None and group >= 14 else -1
    if group is None or element.block == "f":
        return 3
    if group <= 11:
        return group if group <= 5 else 2
    keeps_pair = element.period >= 6 and 13 <= group <= 15
    return group - 10 - (2 if keeps_pair else 0)


@cache
def _states(element: Element, sign: int) -> tuple[int, ...]:
    """States >= 0 (sign 1) or <= 0 (sign -1), the most usual first; 0 is neither cation nor anion."""
    usual = usual_state(element, sign)
    allowed = [s for s in element.oxidation_states if s * sign >= 0]
    return tuple(sorted(allowed, key=lambda s: (abs(s - usual), abs(s))))


@cache
def _all_states(element: Element) -> tuple[int, ...]:
    """All states, the most usual first; metals begin with their cations, all others with their anions."""
    first = 1 if element.metal else -1
    return tuple(dict.fromkeys(_states(element, first) + _states(element, -first)))


# Charges that can be reached.

Step = Callable[[int, int, tuple[int, ...], int], int]  # bits, count, states, lowest -> bits


def _step(bits: int, count: int, states: tuple[int, ...], lowest: int = 0) -> int:
    """Add one element: bit q of the result is set if a bit q - count * (state - lowest) was."""
    reached = 0
    for state in states:
        reached |= bits << count * (state - lowest)
    return reached


def _nearest_charge(choices: Choices, step: Step) -> int:
    """The reachable total charge closest to 0; of +q and -q, +q."""
    bits, zero = 1, 0  # bit `zero` stands for charge 0
    for _, count, states in choices:
        lowest = min(states)
        bits = step(bits, count, states, lowest)
        zero -= count * lowest
    if zero < 0:  # positive states only: the smallest charge is -zero
        return -zero
    above = bits >> zero
    below = bits & ((1 << zero) - 1)
    up = (above & -above).bit_length() - 1 if above else None
    down = below.bit_length() - 1 - zero if below else None
    return min((q for q in (up, down) if q is not None), key=lambda q: (abs(q), -q))


def _assign(choices: Choices) -> tuple[tuple[str, int], ...]:
    """States with total charge 0, in the order of `choices`; the caller knows that there are some."""
    rigid_first = sorted(choices, key=lambda choice: (len(choice[2]), choice[0].atomic_number))
    rest = [(1, 0)]  # for each tail of the list: its reachable charges, the place of charge 0 in them
    for _, count, states in reversed(rigid_first):
        bits, zero = rest[-1]
        lowest = min(states)
        rest.append((_step(bits, count, states, lowest), zero - count * lowest))
    found, charge = {}, 0
    for (element, count, states), (bits, zero) in zip(rigid_first, reversed(rest[:-1]), strict=True):
        for state in states:
            place = zero - (charge + count * state)  # the rest must bring the opposite charge
            if place >= 0 and bits >> place & 1:
                found[element.symbol] = state
                charge += count * state
                break
    return tuple((element.symbol, found[element.symbol]) for element, _, _ in choices)


def _pauling_assignment(atoms: list[tuple[Element, int]]) -> tuple[tuple[str, int], ...] | None:
    """States with total charge 0 and every cation less electronegative than every anion, or None.

    `atoms` come sorted by electronegativity. SMACT compares all pairs, `cation >= anion` fails; that is the
    same as a cut in the sorted list, never between equal values, with no anion before it and no cation
    after it.
    """
    best, least = None, math.inf
    for cut in reversed(_balanced_cuts(atoms)):
        signs = [1] * cut + [-1] * (len(atoms) - cut)
        signed = list(zip(atoms, signs, strict=True))
        states = _assign([(element, n, _states(element, sign)) for (element, n), sign in signed])
        usual = [usual_state(element, sign) for (element, _), sign in signed]
        deviation = sum(abs(state - u) for (_, state), u in zip(states, usual, strict=True))
        if deviation < least:
            best, least = states, deviation
    return best


def _assignment_without_scale(atoms: list[tuple[Element, int]]) -> tuple[tuple[str, int], ...] | None:
    """States that the paper's screen passes where an electronegativity is missing (Pm, Rn, Lr), or None.

    Its SMACT (2.5) compared pairs in the order of atomic numbers, the first element with all others first, and
    a comparison with a missing value counted as a pass. So the test ends at the first missing value: the first
    element must carry the opposite sign, and must not have failed against an element in between. SMACT since
    2.6 refuses every such composition instead, so that no compound of promethium could ever pass.
    """
    ordered = sorted(atoms, key=lambda atom: atom[0].atomic_number)
    place = next(i for i, (element, _) in enumerate(ordered) if element.electronegativity is None)
    place = max(place, 1)  # the first pair holds the missing value either way
    for sign in (1, -1):
        choices = []
        for i, (element, count) in enumerate(ordered):
            if i in (0, place):
                allowed = _strict(element, sign if i == 0 else -sign)
            elif i < place and not _opposite_is_fine(ordered[0][0], element, sign):
                allowed = _strict(element, sign)
            else:
                allowed = _all_states(element)
            choices.append((element, count, allowed))
        if all(allowed for _, _, allowed in choices) and _nearest_charge(choices, _step) == 0:
            found = dict(_assign(choices))
            return tuple(sorted(found.items(), key=lambda item: item[1] < 0))  # cations first
    return None


def _strict(element: Element, sign: int) -> tuple[int, ...]:
    """States of this sign, the most usual first."""
    return tuple(s for s in _states(element, sign) if s)


def _opposite_is_fine(first: Element, other: Element, sign: int) -> bool:
    """Whether `first` may have this sign and `other` the opposite one: the anion is the more electronegative."""
    cation, anion = (first, other) if sign > 0 else (other, first)
    return cation.electronegativity < anion.electronegativity


def _balanced_cuts(atoms: list[tuple[Element, int]]) -> list[int]:
    """Every k for which the charges can balance with the first k elements as cations, the rest as anions."""
    n = len(atoms)
    positive, negative = [1], [1]  # reachable charge of the first k elements; its opposite for the last k
    for element, count in atoms:
        positive.append(_step(positive[-1], count, _states(element, 1)))
    for element, count in reversed(atoms):
        negative.append(_step(negative[-1], count, tuple(-s for s in _states(element, -1))))
    scale = [element.electronegativity for element, _ in atoms]
    divides = [k in (0, n) or scale[k - 1] < scale[k] for k in range(n + 1)]
    return [k for k in range(n + 1) if divides[k] and positive[k] & negative[n - k]]
