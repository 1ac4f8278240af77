"""The batched charge screens agree with `charge_balance`."""

import numpy as np
import pytest

from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.problem.settings import EVERY_ATOM, ONE_STATE
from core.screening.charge_neutrality import charge_balance
from core.screening.neutrality_filter import balanced_compounds, passes_at_once


def counts(*formulas: str) -> np.ndarray:
    amounts = [parse_formula(formula) for formula in formulas]
    return np.stack([composition_vector(a) * sum(a.values()) for a in amounts]).round().astype(np.int64)


def test_by_hand():
    rows = counts("LaFeAsO", "NaCl", "LaF4", "Fe3O4", "CaTi", "O2", "ArO", "LiB")
    # Fe 8/3+ needs two states; Ca and Ti are an alloy; oxygen alone is an element; argon has no state; Li and B both +.
    assert balanced_compounds(rows).tolist() == [True, True, False, False, False, False, False, False]
    assert passes_at_once(rows).tolist() == [False, False, False, False, True, True, False, False]
    assert balanced_compounds(rows, EVERY_ATOM).tolist() == [True, True, False, True, False, False, False, False]


def random_counts(seed: int, n: int, most: int) -> np.ndarray:
    """Rows of 1 to 7 elements, half of them with oxygen; elements without electronegativity occur too."""
    random = np.random.default_rng(seed)
    rows = np.zeros((n, 118), dtype=np.int64)
    for i, row in enumerate(rows):
        chosen = random.choice(103, random.integers(1, 8), replace=False)
        row[chosen] = random.integers(1, most, len(chosen))
        row[7] += i % 2 * random.integers(1, most)
    return rows


@pytest.mark.parametrize("rule", [ONE_STATE, EVERY_ATOM])
@pytest.mark.parametrize("most", [4, 12, 90])
def test_random_formulas_agree_with_charge_balance(rule, most):
    rows = random_counts(most, 1000, most)
    alone = charge_balance(rows, rule)
    at_once = np.array([balance.reason.startswith(("a single element", "all metals")) for balance in alone])
    passing = np.array([balance.pauling_ok for balance in alone])
    assert passes_at_once(rows).tolist() == at_once.tolist()
    assert balanced_compounds(rows, rule).tolist() == (passing & ~at_once).tolist()
    assert 50 < (passing & ~at_once).sum() < 950


def test_charges_beyond_one_word():
    rows = counts("Ca199Cl398", "Ca199Cl397", "Ta500O1250", "Ta500O1249")
    assert balanced_compounds(rows).tolist() == [balance.pauling_ok for balance in charge_balance(rows)]


def test_no_element_has_the_state_zero():
    """Therefore no cut before the first or after the last element can balance a formula."""
    assert not any(0 in e.oxidation_states for e in elements.all_elements())
