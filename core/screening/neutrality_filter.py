"""Charge neutrality and Pauling's test of many formulas at once: the results of `charge_balance` without its texts.

As in `charge_balance`, the reachable charges of some elements are the bits of a number, and an element of n atoms with
the states s turns `bits` into the union of `bits << n s`. Here the number is a row of 64-bit words, and one step
treats all formulas. Elements are sorted by electronegativity; a formula passes if for some cut the elements before it
as cations can reach the same absolute charge as those after it as anions.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from core.chemistry import elements
from core.problem.settings import ONE_STATE
from core.screening.charge_neutrality import charge_balance

BATCH = 32_768  # formulas at once, which bounds the memory
NO_ELEMENT = elements.N_ELEMENTS  # index that pads formulas with fewer elements than others


def passes_at_once(counts: np.ndarray) -> np.ndarray:
    """Whether atom counts (n, 118) pass untested, as single elements or as alloys (metals only): (n,) bool."""
    present = np.asarray(counts) > 0
    return (present.sum(1) == 1) | ~(present & ~_element_arrays().metal).any(1)


def balanced_compounds(counts: np.ndarray, rule: str = ONE_STATE) -> np.ndarray:
    """Whether atom counts (n, 118) are compounds that pass charge neutrality and Pauling's test: (n,) bool.

    Equal to `pauling_ok` of `charge_balance` under the same rule, but False where `passes_at_once` is True.
    """
    counts = np.asarray(counts, dtype=np.int64)
    facts = _element_arrays()
    present = counts > 0
    balanced = np.zeros(len(counts), dtype=bool)
    compound = ~passes_at_once(counts) & ~(present & facts.stateless).any(1)
    if rule == ONE_STATE:
        alone = compound & (present & np.isnan(facts.scale)).any(1)  # left to `charge_balance`
        together = compound & ~alone
    else:
        within = (counts @ facts.lowest <= 0) & (counts @ facts.highest >= 0)
        alone, together = compound & within, np.zeros_like(compound)
    balanced[alone] = [balance.pauling_ok for balance in charge_balance(counts[alone], rule)]
    rows = np.flatnonzero(together)
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        balanced[part] = _balanced(counts[part])
    return balanced


class _ElementArrays:
    """Data of the elements as arrays.

    scale : (118,) electronegativity, NaN if unknown
    metal, stateless : (118,) bool
    lowest, highest : (118,) oxidation states, 0 for an element without any
    states : sign -> (119, s) absolute values of the states of this sign, padded with ABSENT; the last row is that of
        NO_ELEMENT
    """

    def __init__(self):
        every = elements.all_elements()
        self.scale = np.array([np.nan if e.electronegativity is None else e.electronegativity for e in every])
        self.metal = np.array([e.metal for e in every])
        self.stateless = np.array([not e.oxidation_states for e in every])
        self.lowest = np.array([min(e.oxidation_states, default=0) for e in every])
        self.highest = np.array([max(e.oxidation_states, default=0) for e in every])
        self.states = {sign: _table([[sign * s for s in e.oxidation_states if sign * s >= 0] for e in every])
                       for sign in (1, -1)}  # fmt: skip


ABSENT = 1 << 40  # marks a missing state; as a shift it would move every bit out of the words


def _table(states: list[list[int]]) -> np.ndarray:
    table = np.full((len(states) + 1, max(map(len, states))), ABSENT, dtype=np.int64)
    for row, own in enumerate(states):
        table[row, : len(own)] = own
    table[-1, 0] = 0
    return table


@cache
def _element_arrays() -> _ElementArrays:
    return _ElementArrays()


def _balanced(counts: np.ndarray) -> np.ndarray:
    """Whether compounds (n, 118), whose elements have oxidation states and electronegativities, pass: (n,) bool."""
    scale = np.where(counts > 0, _element_arrays().scale, np.inf)
    k = int((counts > 0).sum(1).max())
    element = np.argsort(scale, axis=1, kind="stable")[:, :k]
    amount, scale = np.take_along_axis(counts, element, 1), np.take_along_axis(scale, element, 1)
    element = np.where(amount > 0, element, NO_ELEMENT)
    divides = scale[:, :-1] < scale[:, 1:]  # no cut between equal values
    possible, most = _in_range(element, amount, divides)
    balanced = np.any(possible, axis=1)
    rows = np.flatnonzero(balanced)
    if len(rows):
        words = int(most[rows].max()) // 64 + 1
        cations = _reachable(element[rows], amount[rows], _element_arrays().states[1], words)
        anions = _reachable(element[rows, ::-1], amount[rows, ::-1], _element_arrays().states[-1], words)
        met = [(cations[cut] & anions[k - cut]).any(1) & possible[rows, cut - 1] for cut in range(1, k)]
        balanced[rows] = np.any(met, axis=0)
    return balanced


def _in_range(element: np.ndarray, amount: np.ndarray, divides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cuts (n, k - 1) at which the charge ranges of both sides overlap, and an upper limit (n,) of the charge of either
    side in a balanced formula. Most formulas have no such cut and need no further test."""
    least, most = {}, {}
    for sign, table in _element_arrays().states.items():
        low, high = table.min(1), np.where(table < ABSENT, table, 0).max(1)
        forth = slice(None, None, sign)  # cations are counted from the left, anions from the right
        least[sign], most[sign] = ((amount * q[element])[:, forth].cumsum(1)[:, forth] for q in (low, high))
    cation_least, cation_most = least[1][:, :-1], most[1][:, :-1]
    anion_least, anion_most = least[-1][:, 1:], most[-1][:, 1:]
    possible = divides & (cation_least <= anion_most) & (anion_least <= cation_most)
    return possible, np.where(possible, np.minimum(cation_most, anion_most), 0).max(1)


def _reachable(element: np.ndarray, amount: np.ndarray, states: np.ndarray, words: int) -> list[np.ndarray]:
    """For the first 0, 1, ... elements: bits (n, words) of their reachable total charges."""
    bits = np.zeros((len(element), words), dtype=np.uint64)
    bits[:, 0] = 1
    reached = [bits]
    for j in range(element.shape[1]):
        own = states[element[:, j]]
        bits = np.zeros_like(bits)
        for s in range(own.shape[1]):
            rows = np.flatnonzero(own[:, s] < ABSENT)
            bits[rows] |= _shifted(reached[-1][rows], amount[rows, j] * own[rows, s])
        reached.append(bits)
    return reached


def _shifted(bits: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Rows of words (n, words) shifted up by `by` (n,) bits; bits beyond the last word are lost."""
    words = bits.shape[1]
    padded = np.concatenate([np.zeros_like(bits), np.zeros_like(bits[:, :1]), bits], axis=1)
    whole, part = np.minimum(by // 64, words), (by % 64).astype(np.uint64)[:, None]
    place = words + 1 + np.arange(words) - whole[:, None]
    here, below = np.take_along_axis(padded, place, 1), np.take_along_axis(padded, place - 1, 1)
    return here << part | below >> np.uint64(1) >> (np.uint64(63) - part)
