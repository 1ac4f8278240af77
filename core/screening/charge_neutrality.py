"""Charge neutrality and Pauling's electronegativity test of a composition.

The paper's screen is SMACT (Davies et al., J. Open Source Softw. 4, 1361 (2019), doi:10.21105/joss.01361):
`smact_validity(formula, include_alloys=True, oxidation_states_set="smact14")`. SMACT enumerates every product of
oxidation states, which takes minutes for nine elements. The same results follow from the set of reachable total
charges, stored as the bits of one integer: bit q is set if the charge q is reachable, and an element of n atoms with
the states s turns `bits` into the union of `bits << n * s`.

For hydrides and other mixed-valence compounds the paper lets every atom take its own oxidation state (KIAGO 3.6) and
omits the electronegativity test. This is the rule "every_atom", see `core.screening.mixed_valence`.
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

MAX_ATOMS = 1_000_000  # per reduced formula unit: bounds the memory for the reachable charges

_NO_PAULING = "neutral, but no assignment gives the anions the higher electronegativity"


@dataclass(frozen=True)
class ChargeBalance:
    """Result of the charge screens for one composition.

    Alloys (metals only) and single elements pass both tests without an assignment of oxidation states.

    charge_neutral : whether some assignment has the total charge 0
    pauling_ok : whether some assignment has the total charge 0 and every anion more electronegative than every cation;
        equal to charge_neutral under the rule "every_atom", which omits this test
    reason : explanation of the result, a short sentence without a full stop
    oxidation_states : (symbol, state), electropositive elements first, of an assignment that passes both tests,
        otherwise of a neutral one; empty if none is neutral. Under the rule "every_atom" an element may occur several
        times
    nearest_charge : reachable total charge closest to 0, in elementary charges per reduced formula unit, the positive
        one of two equally close; None if an element has no oxidation state, or if the composition passes without an
        assignment
    atoms : number of atoms, per reduced formula unit, with each of `oxidation_states`
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
    counts: np.ndarray, rule: str = ONE_STATE, units: Sequence[float] | None = None, state_set: str = elements.SMACT14
) -> list[ChargeBalance]:
    """Apply the charge screens to integer atom counts, shape (n, 118), which are reduced by their gcd.

    rule : "one_state": one oxidation state per element; "every_atom": every atom takes any state of its element
    units : number of formula units in each reduced row, for the texts: Ba3K2Fe10As10 has five of Ba0.6K0.4Fe2As2.
        1 by default
    state_set : SMACT's set of oxidation states, "smact14" as in the papers, or "icsd24"

    If several assignments pass, the reported one is selected by a fixed rule. Every element has a usual state (see
    `usual_state`). The elements with the fewest states are assigned first; each takes the state nearest to its usual
    one that the other elements can still balance. Of several divisions into cations and anions, the one with the
    smallest sum of absolute deviations from the usual states is reported; of equal ones, the one with most cations.

    Raises ValueError for a wrong shape, counts that are not whole numbers >= 0, a row without atoms, more than
    MAX_ATOMS atoms in a reduced formula unit, or an unknown rule or set of states.
    """
    if rule not in (ONE_STATE, EVERY_ATOM):
        raise ValueError(f"the charge rule must be {ONE_STATE} or {EVERY_ATOM}, not {rule!r}")
    rows = _checked(counts, elements.with_states_of(state_set))
    return [_balance(row, rule, unit) for row, unit in zip(rows, units or [1.0] * len(rows), strict=True)]


def _checked(counts: np.ndarray, everything: Sequence[Element]) -> list[list[tuple[Element, int]]]:
    """The elements of each row with their counts, reduced by the gcd."""
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[1] != elements.N_ELEMENTS:
        raise ValueError(f"counts must have shape (n, {elements.N_ELEMENTS}), not {counts.shape}")
    if counts.dtype.kind not in "biuf":
        raise ValueError(f"counts must be whole numbers >= 0, not of type {counts.dtype}")
    with np.errstate(invalid="ignore"):
        wrong = ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        symbol = elements.symbols()[column]
        raise ValueError(f"row {row}: {counts[row, column]} atoms of {symbol}; counts must be whole numbers >= 0")
    return [_reduced(row, place, everything) for place, row in enumerate(counts)]


def _reduced(row: np.ndarray, place: int, everything: Sequence[Element]) -> list[tuple[Element, int]]:
    present = np.flatnonzero(row)
    if not len(present):
        raise ValueError(f"row {place}: a composition needs at least one atom")
    amounts = [int(row[i]) for i in present]
    divisor = math.gcd(*amounts)
    if sum(amounts) // divisor > MAX_ATOMS:
        raise ValueError(f"row {place}: more than {MAX_ATOMS} atoms in one formula unit")
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
    element, _ = atom
    return (_electronegativity(element), element.atomic_number)


def _electronegativity(element: Element) -> float:
    """Electronegativity on Pauling's scale; infinite if unknown."""
    return math.inf if element.electronegativity is None else element.electronegativity


def _written(states: tuple[tuple[str, int], ...], atoms: tuple[int, ...], units: float) -> str:
    """Oxidation states as chemists write them: "La 3+, O 2-". For an element with several states, the number of atoms
    in each is added: "La 2+, 4 H 1+, 6 H 1-"."""
    named = [symbol for symbol, _ in states]
    texts = []
    for (symbol, state), n in zip(states, atoms, strict=True):
        number = f"{round(n / units, 4):.10g} " if named.count(symbol) > 1 else ""
        sign = "+" if state > 0 else "-" if state < 0 else ""
        texts.append(f"{number}{symbol} {abs(state)}{sign}")
    return ", ".join(texts)


def only_every_atom_balances(counts: Mapping[str, int], state_set: str = elements.SMACT14) -> bool:
    """Whether a formula (symbol -> whole atoms) is neutral only if every atom may take its own state: Ba3K2Fe10As10."""
    row = np.zeros((1, elements.N_ELEMENTS), dtype=np.int64)
    for symbol, n in counts.items():
        row[0, elements.element(symbol).index] = n
    one, every = (charge_balance(row, rule, None, state_set)[0] for rule in (ONE_STATE, EVERY_ATOM))
    return every.charge_neutral and not one.charge_neutral


def balancing_states(counts: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """For each element of a formula (symbol -> whole atoms), the states that the other elements can balance, ascending.

    With one state per element and without the electronegativity test.
    """
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


# Usual states. They determine which of several assignments is reported, but not whether a composition passes.


@cache
def usual_state(element: Element, sign: int) -> int:
    """Usual state of an element as a cation (sign 1) or an anion (sign -1), from its position in the periodic table.

    Anions fill the shell: group number minus 18 (O 2-, Cl 1-, As 3-). Cations empty it: groups 1 to 5 and 12 to 18 lose
    all valence electrons (Ca 2+, Ti 4+, Al 3+, S 6+), except that Tl, Pb and Bi keep two; the f block and group 3 are
    3+, groups 6 to 11 are 2+.
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
    """All states, the most usual first; metals begin with the positive ones, other elements with the negative ones."""
    first = 1 if element.metal else -1
    return tuple(dict.fromkeys(_states(element, first) + _states(element, -first)))


# Reachable charges.

Step = Callable[[int, int, tuple[int, ...], int], int]  # bits, count, states, lowest -> bits


def _step(bits: int, count: int, states: tuple[int, ...], lowest: int = 0) -> int:
    """Add an element: bit q of the result is set if bit q - count * (state - lowest) is set for any of its states."""
    reached = 0
    for state in states:
        reached |= bits << count * (state - lowest)
    return reached


def _nearest_charge(choices: Choices, step: Step) -> int:
    """The reachable total charge closest to 0; the positive one of two equally close."""
    bits, zero = 1, 0  # bit `zero` represents charge 0
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
    """States with total charge 0, in the order of `choices`. The caller ensures that they exist."""
    fewest_first = sorted(choices, key=lambda choice: (len(choice[2]), choice[0].atomic_number))
    rest = [(1, 0)]  # for each tail of the list: its reachable charges, and the bit that represents charge 0
    for _, count, states in reversed(fewest_first):
        bits, zero = rest[-1]
        lowest = min(states)
        rest.append((_step(bits, count, states, lowest), zero - count * lowest))
    found, charge = {}, 0
    for (element, count, states), (bits, zero) in zip(fewest_first, reversed(rest[:-1]), strict=True):
        for state in states:
            place = zero - (charge + count * state)  # the other elements must have the opposite charge
            if place >= 0 and bits >> place & 1:
                found[element.symbol] = state
                charge += count * state
                break
    return tuple((element.symbol, found[element.symbol]) for element, _, _ in choices)


def _pauling_assignment(atoms: list[tuple[Element, int]]) -> tuple[tuple[str, int], ...] | None:
    """States with total charge 0 and every cation less electronegative than every anion, or None.

    `atoms` are sorted by electronegativity. SMACT compares all pairs and rejects `cation >= anion`. This is equivalent
    to a cut in the sorted list, never between equal values, with no anion before it and no cation after it.
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
    """States that pass the paper's screen if an electronegativity is missing (Pm, Rn, Lr), or None.

    The paper's SMACT (2.5) compared pairs in the order of atomic numbers, the first element with all others first, and
    treated a comparison with a missing value as passed. Therefore the test ends at the first missing value: the first
    element must have the opposite sign, and must not fail against an element in between. SMACT since 2.6 rejects all
    these compositions instead, so that no compound of promethium passes.
    """
    ordered = sorted(atoms, key=lambda atom: atom[0].atomic_number)
    place = next(i for i, (element, _) in enumerate(ordered) if element.electronegativity is None)
    place = max(place, 1)  # if the first element has none, its first comparison is with the second element
    for sign in (1, -1):
        choices = []
        for i, (element, count) in enumerate(ordered):
            if i in (0, place):
                allowed = _strict(element, sign if i == 0 else -sign)
            elif i < place and not _opposite_sign_passes(ordered[0][0], element, sign):
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


def _opposite_sign_passes(first: Element, other: Element, sign: int) -> bool:
    """Whether the anion is the more electronegative one if `first` has this sign and `other` the opposite one."""
    cation, anion = (first, other) if sign > 0 else (other, first)
    return _electronegativity(cation) < _electronegativity(anion)


def _balanced_cuts(atoms: list[tuple[Element, int]]) -> list[int]:
    """Every k for which the charges can balance with the first k elements as cations and the others as anions."""
    n = len(atoms)
    positive, negative = [1], [1]  # reachable charges of the first k elements; those of the last k, sign reversed
    for element, count in atoms:
        positive.append(_step(positive[-1], count, _states(element, 1)))
    for element, count in reversed(atoms):
        negative.append(_step(negative[-1], count, tuple(-s for s in _states(element, -1))))
    scale = [_electronegativity(element) for element, _ in atoms]
    divides = [k in (0, n) or scale[k - 1] < scale[k] for k in range(n + 1)]
    return [k for k in range(n + 1) if divides[k] and positive[k] & negative[n - k]]
