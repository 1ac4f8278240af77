"""The most plausible oxidation states of a formula, and whether they are usual ones.

The screen of the papers asks whether some states balance, and accepts Y 1+ and Cu 3+ in YBa2Cu3O7. Here the states are
ranked by how often they occur: a state s of an element with the share p(s) of its entries in the ICSD costs -log p(s)
per atom, and of all balanced assignments the one with the lowest total cost is taken. One metal may have mixed valence:
its atoms are divided between two neighbouring states (Cu 2.33+ in YBa2Cu3O7), which costs MIXING per atom more.

Cations must not be more electronegative than anions, but for TOLERANCE: arsenides and tellurides of noble metals exist.
A state is usual if its share is at least USUAL; a metal may also be doped by DOPED electrons or holes per atom
(Fe 1.9+ in LaFeAsO0.9F0.1), and oxygen is 1- in peroxides of alkali metals and alkaline earths. Assignments of usual
states only are tried first; the others are shown, but fail the test.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from core.chemistry import elements
from core.chemistry.elements import Element
from core.chemistry.families import HYDROGEN_RICH
from core.chemistry.tolerances import WHOLE_CHARGE

USUAL = 0.02  # share of an element's entries in the ICSD, those of the element itself not counted
MIXING = math.log(2)  # per atom of a mixed-valence metal
TOLERANCE = 0.3  # on Pauling's scale
DOPED = 0.3  # distance of a mean state of a metal from a usual state up to which it counts as doped: Fe 1.9+
POSSIBLE = 0.003  # share of a state that is shown if nothing usual balances: Fe 1+
RARE = 1e-3  # share of states that only SMACT lists
MOST_COMBINATIONS = 60_000  # of states; the rarest states of formulas with more are left out
_OF_LANTHANOIDS = 1.15  # electronegativity, for the order of the elements
_CLOSE = 1e-9  # costs that differ by rounding only

METALS_ONLY = "not tested: metals only"
ONE_ELEMENT = "not tested: a single element"
BORON = "not tested: a covalent boron network is beyond charge counting"
HYDRIDE = "not tested: a hydrogen-rich metal is beyond charge counting"
_BORIDE_PARTNERS = ("B", "C", "H", "Si")  # nonmetals in compounds with networks of boron


@dataclass(frozen=True)
class UsualCharges:
    """The most plausible oxidation states of a formula.

    usual : whether usual states balance; None if charge counting does not apply
    states : (symbol, mean oxidation state), electropositive elements first; empty if no states balance
    reason : a short sentence without a full stop
    """

    usual: bool | None
    states: tuple[tuple[str, float], ...]
    reason: str

    @property
    def written(self) -> str:
        """The states as chemists write them: "Y 3+, Ba 2+, Cu 2.33+, O 2-"."""
        return ", ".join(f"{symbol} {_charge(state)}" for symbol, state in self.states)


def usual_charges(amounts: Mapping[str, float], pinned: Mapping[str, int] | None = None) -> UsualCharges:
    """The most plausible states of a formula: symbol -> number of atoms, whole or not.

    pinned : states that some elements have, such as that of a substitution; these count as usual
    """
    pinned = pinned or {}
    atoms = sorted(((elements.element(s), float(n)) for s, n in amounts.items() if n > 0), key=_electropositive_first)
    if len(atoms) == 1:
        return UsualCharges(None, (), ONE_ELEMENT)
    if all(is_metal(element) for element, _ in atoms):
        return UsualCharges(None, (), METALS_ONLY)
    found = _most_plausible(atoms, USUAL, pinned)
    if found is not None:
        return UsualCharges(True, found, "usual states balance")
    if _may_be_peroxide(atoms):
        found = _most_plausible(atoms, POSSIBLE, pinned, peroxide=True)
        if found is not None and dict(found).get("O") == -1:
            return UsualCharges(True, found, "balances as a peroxide")
    beyond = _beyond_counting(atoms)
    if beyond:
        return UsualCharges(None, (), beyond)
    found = _most_plausible(atoms, POSSIBLE, pinned)
    if found is None:
        return UsualCharges(False, (), "no states balance")
    if all(s in pinned or _is_usual(elements.element(s), q) or _is_doped(elements.element(s), q) for s, q in found):
        return UsualCharges(True, found, "usual states balance with doping")
    named = [f"{s} {_charge(q)}" for s, q in found if not _is_usual(elements.element(s), q)]
    return UsualCharges(False, found, f"balances only with unusual states: {', '.join(named)}")


def is_metal(element: Element) -> bool:
    """Whether an element is a metal; SMACT does not count promethium, of which it has no electronegativity."""
    return element.metal or element.category == "lanthanoid"


def _may_be_peroxide(atoms: Sequence[tuple[Element, float]]) -> bool:
    symbols = {element.symbol for element, _ in atoms}
    return "O" in symbols and all(element.group in (1, 2) for element, _ in atoms if element.symbol != "O")


def _beyond_counting(atoms: Sequence[tuple[Element, float]]) -> str:
    """Why charge counting does not apply to a formula that does not balance; "" where it applies."""
    nonmetals = {element.symbol for element, _ in atoms if not is_metal(element)}
    if "B" in nonmetals and nonmetals <= set(_BORIDE_PARTNERS):
        return BORON
    hydrogen = sum(n for element, n in atoms if element.symbol == "H")
    if nonmetals == {"H"} and hydrogen >= HYDROGEN_RICH * sum(n for _, n in atoms):
        return HYDRIDE
    return ""


def _electropositive_first(atom: tuple[Element, float]) -> tuple[float, int]:
    element, _ = atom
    known = element.electronegativity
    return (_OF_LANTHANOIDS if known is None and is_metal(element) else known or math.inf, element.atomic_number)


@cache
def shares(element: Element) -> tuple[tuple[int, float], ...]:
    """(state, share of the element's entries in the ICSD), the most frequent first; states without entries are RARE."""
    total = sum(n for _, n in element.icsd_states)
    found = {state: n / total for state, n in element.icsd_states}
    for state in element.oxidation_states:
        if state:
            found.setdefault(state, RARE if total else 1.0)
    return tuple(sorted(found.items(), key=lambda item: (-item[1], abs(item[0]), item[0])))


@cache
def usual_states(element: Element) -> tuple[int, ...]:
    """The usual states of an element, ascending."""
    return tuple(sorted(state for state, share in shares(element) if share >= USUAL))


def _is_usual(element: Element, state: float) -> bool:
    """Whether a state, or both states between which a mean state lies, are usual."""
    usual = usual_states(element)
    if state == round(state) and int(state) in usual:
        return True
    return is_metal(element) and any(a < state < b for a, b in itertools.pairwise(usual) if a * b > 0)


def _is_doped(element: Element, state: float) -> bool:
    return is_metal(element) and any(abs(state - usual) <= DOPED + WHOLE_CHARGE for usual in usual_states(element))


def _charge(state: float) -> str:
    sign = "+" if state > 0 else "-" if state < 0 else ""
    return f"{abs(round(state, 2)):g}{sign}"


def _most_plausible(
    atoms: Sequence[tuple[Element, float]], least_share: float, pinned: Mapping[str, int], peroxide: bool = False
) -> tuple[tuple[str, float], ...] | None:
    """The balanced assignment of lowest cost from states of at least this share; None if none balances.

    pinned : symbol -> its only state
    peroxide : whether oxygen may be 1-
    """
    options = _limited([_options(element, least_share, pinned, peroxide) for element, _ in atoms])
    if not all(options):
        return None
    charge = _outer([[n * q for q, _ in states] for (_, n), states in zip(atoms, options, strict=True)])
    cost = _outer([[-n * math.log(p) for _, p in states] for (_, n), states in zip(atoms, options, strict=True)])
    cost = np.where(_in_order(atoms, options), cost, np.inf)
    scale = sum(n for _, n in atoms)
    best, least = None, math.inf
    balanced = np.where(np.abs(charge) <= WHOLE_CHARGE * scale, cost, np.inf)
    place = np.unravel_index(int(balanced.argmin()), balanced.shape)
    if balanced[place] < math.inf:
        best, least = [float(states[i][0]) for states, i in zip(options, place, strict=True)], float(balanced[place])
    for axis, mixed in _mixed(atoms, options, charge, cost):
        place = np.unravel_index(int(mixed.argmin()), mixed.shape)
        if mixed[place] < least - _CLOSE:
            least = float(mixed[place])
            best = [float(each[i][0]) for each, i in zip(options, place, strict=True)]
            best[axis] = 0.0
            others = sum(n * q for (_, n), q in zip(atoms, best, strict=True))
            best[axis] = -others / atoms[axis][1]
    return None if best is None else tuple((e.symbol, q) for (e, _), q in zip(atoms, best, strict=True))


def _options(
    element: Element, least_share: float, pinned: Mapping[str, int], peroxide: bool
) -> list[tuple[int, float]]:
    """The states of an element that are tried, with their shares."""
    if element.symbol in pinned:
        return [(pinned[element.symbol], 1.0)]
    return [
        (state, share)
        for state, share in shares(element)
        if share >= least_share and (peroxide or element.symbol != "O" or state != -1)
    ]


def _limited(options: list[list[tuple[int, float]]]) -> list[list[tuple[int, float]]]:
    """The states (the most frequent first) without the rarest ones, if there are too many combinations."""
    options = [list(states) for states in options]
    while math.prod(map(len, options)) > MOST_COMBINATIONS:
        rarest = min((states for states in options if len(states) > 1), key=lambda states: states[-1][1])
        rarest.pop()
    return options


def _outer(values: Sequence[Sequence[float]]) -> np.ndarray:
    """Sums of one value of each list, one axis per list."""
    total = np.zeros(())
    for each in values:
        total = np.add.outer(total, np.array(each))
    return total


def _in_order(atoms: Sequence[tuple[Element, float]], options: Sequence[Sequence[tuple[int, float]]]) -> np.ndarray:
    """Whether no cation is more electronegative than an anion, beyond TOLERANCE; unknown values are not tested."""
    highest, lowest = np.full((), -math.inf), np.full((), math.inf)
    for (element, _), states in zip(atoms, options, strict=True):
        chi = element.electronegativity
        known = chi is not None
        highest = np.maximum.outer(highest, np.array([chi if known and q > 0 else -math.inf for q, _ in states]))
        lowest = np.minimum.outer(lowest, np.array([chi if known and q < 0 else math.inf for q, _ in states]))
    return highest <= lowest + TOLERANCE


def _mixed(
    atoms: Sequence[tuple[Element, float]],
    options: Sequence[Sequence[tuple[int, float]]],
    charge: np.ndarray,
    cost: np.ndarray,
) -> Iterator[tuple[int, np.ndarray]]:
    """For each metal and two neighbouring states of it: its axis, and the costs of the mixtures that balance, infinite
    where none does.

    Metals outside the d block mix usual states only (Eu, Bi), and at the price of the most abundant d metal beside
    them: the holes of a cuprate are on the copper.
    """
    d_atoms = max((n for element, n in atoms if element.block == "d" and element.group != 3), default=0.0)
    for axis, ((element, n), states) in enumerate(zip(atoms, options, strict=True)):
        if not is_metal(element):
            continue
        weight = n if element.block == "d" else max(n, d_atoms)
        order = sorted(range(len(states)), key=lambda i: states[i][0])
        for low, high in itertools.pairwise(order):
            if states[low][0] * states[high][0] < 0:
                continue
            if element.block != "d" and min(states[low][1], states[high][1]) < USUAL:
                continue
            below, above = charge.take([low], axis), charge.take([high], axis)
            inside = (below < -WHOLE_CHARGE) & (above > WHOLE_CHARGE)
            part = np.divide(-below, above - below, out=np.zeros_like(below), where=inside)
            with np.errstate(invalid="ignore"):
                mixture = (1 - part) * cost.take([low], axis) + part * cost.take([high], axis) + weight * MIXING
            yield axis, np.where(inside, mixture, np.inf)
