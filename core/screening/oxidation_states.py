"""Oxidation state of an element in a known material: the default of a substitution.

The state that balances the formula is proposed only if the balance needs no unusual states. The only balanced
assignment of YBa2Cu3O7 has Y 1+ and Cu 3+, which is wrong: its copper has mixed valence. For such a formula the usual
state of the element is proposed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from core.chemistry import elements
from core.chemistry.elements import Element
from core.problem.substitution_sites import takers
from core.screening.charge_neutrality import MAX_ATOMS, charge_balance, usual_state


def proposed_state(amounts: Mapping[str, float], symbol: str) -> int | None:
    """Proposed oxidation state of an element of a formula (symbol -> atoms).

    The state that balances the formula (see `balancing_state`), otherwise the usual state.
    None for elements without oxidation states, such as helium.
    """
    balancing = balancing_state(amounts, symbol)
    return _usual(elements.element(symbol)) if balancing is None else balancing


def balancing_state(amounts: Mapping[str, float], symbol: str) -> int | None:
    """The state that balances the formula with all other elements in their usual states (Fe 2+ in LaFeAsO), or None."""
    states = dict(_balanced_states(tuple(amounts.items())))
    possible = all(s in takers(q) for s, q in states.items() if q)  # no Pt 1-
    usual = all(q == usual_state(elements.element(s), 1 if q > 0 else -1) for s, q in states.items() if s != symbol)
    return (states.get(symbol) or None) if possible and usual else None


def _usual(element: Element) -> int | None:
    anion = not element.metal and any(q < 0 for q in element.oxidation_states)
    state = usual_state(element, -1 if anion else 1)
    return state if state in element.oxidation_states else None


@cache
def _balanced_states(amounts: tuple[tuple[str, float], ...]) -> tuple[tuple[str, int], ...]:
    """Oxidation states that balance a formula, one per element; none if an amount is not whole (mixed valence)."""
    if any(amount != round(amount) for _, amount in amounts) or sum(amount for _, amount in amounts) > MAX_ATOMS:
        return ()
    counts = np.zeros((1, elements.N_ELEMENTS))
    for symbol, amount in amounts:
        counts[0, elements.element(symbol).index] = amount
    balance = charge_balance(counts)[0]
    return balance.oxidation_states if balance.pauling_ok else ()
