"""Pauling test of SMACT 2.5 by enumeration, which gives the paper's flags if an electronegativity is missing."""

import itertools

import numpy as np

from core.chemistry import elements


def electronegativity_unknown(amounts):
    """Whether the composition has an element with oxidation states but no electronegativity."""
    facts = [elements.element(symbol) for symbol in amounts]
    return any(fact.electronegativity is None and fact.oxidation_states for fact in facts)


def older_pauling(amounts):
    """Whether any neutral assignment passes, elements in order of atomic number."""
    facts = sorted((elements.element(symbol) for symbol in amounts), key=lambda fact: fact.index)
    counts = np.array([int(amounts[fact.symbol]) for fact in facts])
    everything = np.array(list(itertools.product(*(fact.oxidation_states for fact in facts))), dtype=np.int64)
    neutral = everything[everything @ counts == 0].tolist()
    scale = [fact.electronegativity for fact in facts]
    return any(_passes(states, scale) for states in neutral)


def _passes(states, scale):
    for (state, x), (other, y) in itertools.combinations(list(zip(states, scale, strict=True)), 2):
        if state * other < 0 and (x is None or y is None):
            return True  # a comparison with None raised TypeError, which counted as passed
        if x is None or y is None:
            return False
        if (state > 0 > other and x >= y) or (state < 0 < other and x <= y):
            return False
    return True
