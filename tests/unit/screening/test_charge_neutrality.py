"""Charge neutrality: cases with expected values by hand, enumeration, and SMACT."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smact.screening import smact_validity

from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.chemistry.formula_reader import parse_formula
from core.screening.charge_neutrality import MAX_ATOMS, ChargeBalance, charge_balance, only_every_atom_balances
from tests.unit.screening.older_smact import older_pauling

UNKNOWN_TO_SMACT = {"Pm", "Rn", "Lr"}  # states, but no electronegativity: SMACT since 2.6 rejects them
NONMETALS = [e.symbol for e in elements.all_elements() if not e.metal and e.oxidation_states]
METALS = [e.symbol for e in elements.all_elements() if e.metal]
NOT_PAULING = "neutral, but no assignment gives the anions the higher electronegativity"


def counts_of(amounts: dict[str, float]) -> np.ndarray:
    """One row of atom counts, (1, 118)."""
    row = np.zeros((1, elements.N_ELEMENTS), dtype=np.int64)
    for symbol, amount in amounts.items():
        row[0, elements.element(symbol).index] = int(amount)
    return row


def screened(formula: str) -> ChargeBalance:
    return charge_balance(counts_of(parse_formula(formula)))[0]


def random_amounts(random: np.random.Generator, symbols: list[str], most: int, atoms: int) -> dict[str, int]:
    """1 to `most` different elements with 1 to `atoms` atoms each."""
    chosen = random.choice(symbols, random.integers(1, most + 1), replace=False)
    return {str(symbol): int(random.integers(1, atoms + 1)) for symbol in chosen}


# Expected values by hand. The states are SMACT's: Na -1 +1; Cl -1 +1..+7; O -2 -1 +1 +2; La +2 +3; Cu +1..+4; Y +1..+3;
# Ba, Ca +2 (Ca +1 too); Mg +1 +2; B +1..+3; F -1; Nd +2 +3.


@pytest.mark.parametrize(
    ("formula", "states"),
    [
        ("NaCl", {"Na": 1, "Cl": -1}),
        ("CO2", {"C": 4, "O": -2}),
        ("OF2", {"O": 2, "F": -1}),  # oxygen is the cation here: fluorine is more electronegative
        ("LaFeAsO", {"La": 3, "Fe": 2, "As": -3, "O": -2}),
        ("La2CuO4", {"La": 3, "Cu": 2, "O": -2}),  # 2 * 3 + 2 = 4 * 2
        # One state per element, so that copper cannot be 2+ and 3+ at once: 1 + 2 * 2 + 3 * 3 = 7 * 2.
        ("YBa2Cu3O7", {"Y": 1, "Ba": 2, "Cu": 3, "O": -2}),
    ],
)
def test_balanced_by_hand(formula, states):
    result = screened(formula)
    assert (result.charge_neutral, result.pauling_ok, result.nearest_charge) == (True, True, 0)
    assert dict(result.oxidation_states) == states


def test_texts_of_the_reason():
    assert screened("NaCl").reason == "balanced: Na 1+, Cl 1-"
    assert screened("La2CuO4").reason == "balanced: La 3+, Cu 2+, O 2-"
    assert screened("YBa2Cu3O7").reason == "balanced: Ba 2+, Y 1+, Cu 3+, O 2-"  # most electropositive first


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("Nb3Sn", "all metals: passes as an alloy"),
        ("NbTi", "all metals: passes as an alloy"),
        ("Fe", "a single element"),
        ("O2", "a single element"),
        ("Og", "a single element"),  # even one without oxidation states
    ],
)
def test_metals_and_single_elements_pass_without_oxidation_states(formula, reason):
    assert screened(formula) == ChargeBalance(True, True, reason, (), None)


@pytest.mark.parametrize(
    ("formula", "charge"),
    [
        ("MgB2", 3),  # in SMACT boron is neither a metal nor an anion: at least 1 + 2 * 1
        ("CaF4", -2),  # at most 2 - 4 * 1
        ("NaCl3", 2),  # Cl+ gives 3 - 1 = 2, Cl- gives -3 + 1 = -2: the positive one of two equally near
        ("Nd37O82", -8),  # 37 * 2 - 82 * 1 = -8; with Nd 3+ the nearest is 111 - 82 = 29
    ],
)
def test_not_balanced_by_hand(formula, charge):
    result = screened(formula)
    assert (result.charge_neutral, result.pauling_ok) == (False, False)
    assert result.nearest_charge == charge and result.oxidation_states == ()
    assert result.reason == f"nearest charge is {charge:+d} per formula unit"


def test_an_element_without_oxidation_states_is_named():
    assert screened("HeO") == ChargeBalance(False, False, "He has no known oxidation state", (), None)


def test_a_neutral_assignment_with_an_electropositive_anion_fails_the_pauling_test():
    # Only 2 Na- and Cl 2+ are neutral, but chlorine is the more electronegative of the two.
    result = screened("Na2Cl")
    assert (result.charge_neutral, result.pauling_ok, result.nearest_charge) == (True, False, 0)
    assert result.reason == NOT_PAULING and dict(result.oxidation_states) == {"Na": -1, "Cl": 2}


def test_counts_are_reduced_first():
    one, many = counts_of({"Ca": 1, "F": 4}), counts_of({"Ca": 7, "F": 28})
    assert charge_balance(one) == charge_balance(many)
    assert charge_balance(counts_of({"Na": 10 * MAX_ATOMS, "Cl": 10 * MAX_ATOMS})) == [screened("NaCl")]


def test_rows_are_independent():
    formulas = ["NaCl", "Nb3Sn", "Na2Cl", "MgB2", "HeO"]
    together = charge_balance(np.concatenate([counts_of(parse_formula(f)) for f in formulas]))
    assert together == [screened(f) for f in formulas]
    assert charge_balance(np.zeros((0, elements.N_ELEMENTS))) == []


def with_one(value: float) -> np.ndarray:
    row = np.zeros((1, elements.N_ELEMENTS))
    row[0, [10, 16]] = [1, value]
    return row


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.ones(118), "shape"),
        (np.ones((2, 117)), "shape"),
        (np.full((1, 118), "1"), "whole numbers"),
        (with_one(0.5), "0.5 atoms of Cl"),
        (with_one(-1), "atoms of Cl"),
        (with_one(np.nan), "atoms of Cl"),
        (with_one(np.inf), "atoms of Cl"),
        (np.zeros((1, 118)), "at least one atom"),
        (with_one(MAX_ATOMS), "more than"),
    ],
)
def test_invalid_counts_are_rejected(counts, words):
    with pytest.raises(ValueError, match=words):
        charge_balance(counts)


# Against enumeration of every product of oxidation states.


def reachable_charges(amounts: dict[str, int]) -> set[int]:
    """The total charges of all assignments, by enumeration; amounts in lowest terms."""
    divisor = np.gcd.reduce(list(amounts.values()))
    choices = [[s * n // divisor for s in elements.element(e).oxidation_states] for e, n in amounts.items()]
    return {sum(charges) for charges in itertools.product(*choices)}


compositions = st.tuples(
    st.dictionaries(st.sampled_from(NONMETALS), st.integers(1, 12), min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(METALS), st.integers(1, 12), max_size=2),
).map(lambda parts: parts[0] | parts[1])


@settings(deadline=None, max_examples=400, derandomize=True)
@given(compositions.filter(lambda amounts: len(amounts) > 1))
def test_agrees_with_enumeration(amounts):
    (result,) = charge_balance(counts_of(amounts))
    charges = reachable_charges(amounts)
    assert result.charge_neutral == (0 in charges)
    assert result.nearest_charge == min(charges, key=lambda q: (abs(q), -q))
    assert result.pauling_ok == older_pauling(amounts)


def test_agrees_with_enumeration_if_an_electronegativity_is_missing():
    """The result depends on the order of atomic numbers: the element without a value is first, last or in between."""
    random = np.random.default_rng(61)
    others = [e.symbol for e in elements.all_elements() if e.oxidation_states and e.symbol not in UNKNOWN_TO_SMACT]
    heavy = [symbol for symbol in others if elements.element(symbol).atomic_number > 61]
    seen = {True: 0, False: 0}
    for i in range(1000):
        partners = random_amounts(random, heavy if i % 2 else others, 3, 4)
        amounts = partners | random_amounts(random, sorted(UNKNOWN_TO_SMACT), 1, 4)
        (result,) = charge_balance(counts_of(amounts))
        assert result.pauling_ok == older_pauling(amounts), formula_of(amounts)
        seen[result.pauling_ok] += 1
    assert min(seen.values()) > 40  # both answers were put to the test


@settings(deadline=None, max_examples=400, derandomize=True)
@given(compositions)
def test_the_reported_states_exist_and_sum_to_zero(amounts):
    """If the Pauling test passes, every anion is also more electronegative than every cation."""
    (result,) = charge_balance(counts_of(amounts))
    shown = dict(result.oxidation_states)
    if not shown:
        assert result.nearest_charge is None or not result.charge_neutral
        return
    assert set(shown) == set(amounts)
    assert sum(state * amounts[symbol] for symbol, state in shown.items()) == 0
    facts = {symbol: elements.element(symbol) for symbol in shown}
    assert all(state in facts[symbol].oxidation_states for symbol, state in shown.items())
    if result.pauling_ok and not UNKNOWN_TO_SMACT & set(amounts):
        cations = [facts[symbol].electronegativity for symbol, state in shown.items() if state > 0]
        anions = [facts[symbol].electronegativity for symbol, state in shown.items() if state < 0]
        assert max(cations) < min(anions)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(compositions)
def test_the_reason_agrees_with_the_states(amounts):
    """The charges in the reason ("La 3+, O 2-"), times the atoms, sum to zero."""
    (result,) = charge_balance(counts_of(amounts))
    if not result.reason.startswith("balanced: "):
        assert result.oxidation_states == () or result.reason == NOT_PAULING
        return
    read = re.findall(r"([A-Z][a-z]?) (\d+)([+-])", result.reason)
    charges = {symbol: int(size) * (1 if sign == "+" else -1) for symbol, size, sign in read}
    assert charges == dict(result.oxidation_states)
    assert sum(charge * amounts[symbol] for symbol, charge in charges.items()) == 0


# Against SMACT.


def test_agrees_with_smact():
    random = np.random.default_rng(14)
    known = [s for s in elements.symbols()[:103] if s not in UNKNOWN_TO_SMACT]
    nonmetals = [s for s in known if not elements.element(s).metal]
    seen = {True: 0, False: 0}
    for _ in range(400):
        amounts = random_amounts(random, known, 2, 6) | random_amounts(random, nonmetals, 2, 6)
        formula = formula_of(amounts)
        (result,) = charge_balance(counts_of(amounts))
        neutral, pauling = (
            smact_validity(formula, use_pauling_test=test, include_alloys=True, oxidation_states_set="smact14")
            for test in (False, True)
        )
        assert (result.charge_neutral, result.pauling_ok) == (neutral, pauling), formula
        seen[pauling] += 1
    assert min(seen.values()) > 50  # both answers were put to the test


# Many elements, where enumeration takes minutes.


def test_compositions_of_nine_elements_are_screened():
    random = np.random.default_rng(9)
    counts = np.zeros((1000, elements.N_ELEMENTS), dtype=np.int64)
    for row in counts:
        row[random.choice(elements.N_ELEMENTS, 9, replace=False)] = random.integers(1, 40, 9)
    results = charge_balance(counts)
    assert len(results) == 1000 and {r.pauling_ok for r in results} == {True, False}
    kinds = r"nearest charge is [+-]\d+ per formula unit|[A-Z][a-z]? has no known oxidation state|" + NOT_PAULING
    for row, result in zip(counts, results, strict=True):
        assert result.charge_neutral or not result.pauling_ok
        if not result.pauling_ok:
            assert re.fullmatch(kinds, result.reason)
        total = sum(state * row[elements.element(symbol).index] for symbol, state in result.oxidation_states)
        assert total == 0


def test_doped_compounds_and_hydrides_balance_only_with_one_state_per_atom():
    assert only_every_atom_balances({"Ba": 3, "K": 2, "Fe": 10, "As": 10}) and only_every_atom_balances(
        {"La": 1, "H": 10}
    )
    assert not only_every_atom_balances({"Na": 1, "Cl": 1}) and not only_every_atom_balances({"Mg": 1, "B": 2})


def test_the_set_of_states_can_be_chosen():
    borides = counts_of({"Mg": 1, "B": 2})  # B is 1- in icsd24 only
    assert not charge_balance(borides)[0].charge_neutral
    assert charge_balance(borides, state_set="icsd24")[0].charge_neutral
    with pytest.raises(ValueError, match="smact14, icsd24"):
        charge_balance(borides, state_set="mine")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_icsd24_agrees_with_smact(seed):
    random = np.random.default_rng(seed)
    chosen = [e.symbol for e in elements.all_elements() if e.icsd24_oxidation_states and e.electronegativity]
    amounts = random_amounts(random, chosen, 4, 6)
    expected = smact_validity(formula_of(amounts), include_alloys=True, oxidation_states_set="icsd24")
    assert charge_balance(counts_of(amounts), state_set="icsd24")[0].pauling_ok == expected
