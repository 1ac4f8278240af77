"""Charge balance with a state for each atom: cases with expected values by hand, and enumeration."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.chemistry import elements
from core.chemistry.formula_reader import parse_formula
from core.problem.settings import EVERY_ATOM
from core.screening.charge_neutrality import ChargeBalance, charge_balance
from core.screening.mixed_valence import add_atoms
from tests.unit.screening.test_charge_neutrality import counts_of


def screened(formula: str) -> ChargeBalance:
    return charge_balance(counts_of(parse_formula(formula)), EVERY_ATOM)[0]


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("LaH10", "La 2+, 6 H 1-, 4 H 1+"),  # KIAGO 3.6: "{La2+, H1- x 6, H1+ x 4}"
        ("PdH", "H 1-, Pd 1+"),
        ("YBa2Cu3O7", "Ba 2+, Y 3+, 2 Cu 2+, 1 Cu 3+, O 2-"),  # 2 * 2 + 3 + (2 * 2 + 3) = 7 * 2
        ("Ba6K4Fe20As20", "K 1+, Ba 2+, 8 Fe 2+, 2 Fe 3+, As 3-"),  # per half: 2 + 6 + (8 * 2 + 2 * 3) = 10 * 3
        ("NaCl", "Na 1+, Cl 1-"),
    ],
)
def test_balanced_by_hand(formula, written):
    result = screened(formula)
    assert (result.charge_neutral, result.pauling_ok, result.nearest_charge) == (True, True, 0)
    assert result.written == written and result.reason == f"balanced: {written}"


def test_no_assignment_balances():
    # Ca is 1+ or 2+ and F 1-: three F at most 3-; Ca4 at least 4+.
    result = screened("Ca4F3")
    assert (result.charge_neutral, result.pauling_ok, result.nearest_charge) == (False, False, 1)
    assert result.reason == "nearest charge is +1 per formula unit" and result.atoms == ()


def test_the_number_of_atoms_is_not_limited():
    """50,001 La have a charge of at least 100,002+; 100,001 H have odd charges from 100,001- up."""
    assert screened("La50001H100001").nearest_charge == 1
    result = screened("La40001H100001")
    assert result.charge_neutral
    charges = dict.fromkeys(("La", "H"), 0)
    for (symbol, state), n in zip(result.oxidation_states, result.atoms, strict=True):
        charges[symbol] += state * n
    assert charges["La"] + charges["H"] == 0 and sum(result.atoms) == 140_002


states = st.sets(st.integers(-5, 8), min_size=1, max_size=5).map(tuple)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(states, st.integers(1, 9), states, st.integers(1, 4))
def test_reachable_charges_are_those_of_all_assignments(one, n, other, m):
    """Doubling needs more atoms than the spread of their states: 9 atoms, spread up to 13."""
    for count, its in ((n, one), (30, one[:2])):
        bits, zero = add_atoms(1, count, its, min(its)), -count * min(its)
        sums = {sum(chosen) for chosen in itertools.combinations_with_replacement(its, count)}
        assert {place - zero for place in range(bits.bit_length()) if bits >> place & 1} == sums
    bits = add_atoms(add_atoms(1, n, one, min(one)), m, other, min(other))
    zero = -n * min(one) - m * min(other)
    sums = {
        sum(a) + sum(b)
        for a in itertools.combinations_with_replacement(one, n)
        for b in itertools.combinations_with_replacement(other, m)
    }
    assert {place - zero for place in range(bits.bit_length()) if bits >> place & 1} == sums


def test_twenty_atoms_of_three_states_with_a_gap():
    """States 0, 3, 7: sums of 20 are all but those that 3 a + 7 b (a + b <= 20) misses; the middle has no gap."""
    bits = add_atoms(1, 20, (0, 3, 7))
    expected = {3 * a + 7 * b for a in range(21) for b in range(21 - a)}
    assert {place for place in range(141) if bits >> place & 1} == expected


SYMBOLS = ["H", "La", "S", "Fe", "O", "Ca", "F", "Mn", "N", "Y"]
compositions = st.dictionaries(st.sampled_from(SYMBOLS), st.integers(1, 3), min_size=2, max_size=3)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(compositions)
def test_agrees_with_enumeration_and_the_states_are_valid(amounts):
    metals = all(elements.element(symbol).metal for symbol in amounts)
    (result,) = charge_balance(counts_of(amounts), EVERY_ATOM)
    if metals:
        assert result.charge_neutral and result.nearest_charge is None
        return
    divisor = math.gcd(*amounts.values())
    atoms = {symbol: n // divisor for symbol, n in amounts.items()}
    sums = [
        {sum(c) for c in itertools.combinations_with_replacement(elements.element(s).oxidation_states, n)}
        for s, n in atoms.items()
    ]
    totals = {sum(parts) for parts in itertools.product(*sums)}
    assert result.charge_neutral == (0 in totals)
    if not result.charge_neutral:
        assert abs(result.nearest_charge) == min(map(abs, totals))
        return
    for symbol, n in atoms.items():
        assert sum(k for (s, _), k in zip(result.oxidation_states, result.atoms, strict=True) if s == symbol) == n
    assert sum(q * k for (_, q), k in zip(result.oxidation_states, result.atoms, strict=True)) == 0
    assert all(q in elements.element(s).oxidation_states for s, q in result.oxidation_states)


def test_half_a_million_atoms_are_assigned():
    """400,000 F 1- and one S 2- leave 400,002+ for 200,000 Mn, whose usual state is 2+."""
    result = screened("Mn200000S1F400000")
    assert result.written == "199998 Mn 2+, 2 Mn 3+, S 2-, F 1-"
