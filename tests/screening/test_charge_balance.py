"""The screen must give SMACT's verdicts exactly; SMACT itself is the reference."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smact.screening import smact_validity

from core import elements
from core.composition import parse_formula
from core.screening.charge_balance import MAX_ATOMS, charge_balance

IN_SMACT = elements.symbols()[:103]  # SMACT has no data beyond Lr and raises KeyError
# Elements with something special: no state, no electronegativity, equal electronegativities, many states.
ODD = (
    "He",
    "Ar",
    "Pm",
    "Rn",
    "Lr",
    "Kr",
    "Xe",
    "Ru",
    "Pd",
    "Os",
    "Ir",
    "Pt",
    "At",
    "H",
    "Na",
    "Sn",
    "Se",
    "C",
)


def counts_of(*formulas):
    rows = np.zeros((len(formulas), elements.N_ELEMENTS), int)
    for row, formula in zip(rows, formulas, strict=True):
        for symbol, amount in parse_formula(formula).items():
            row[elements.element(symbol).index] = int(amount)
    return rows


def verdict(formula):
    return charge_balance(counts_of(formula))[0]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("LaFeAsO", "balanced: La 3+, Fe 2+, As 3-, O 2-"),
        ("La2CuO4", "balanced: La 3+, Cu 2+, O 2-"),
        ("BaFe2As2", "balanced: Ba 2+, Fe 2+, As 3-"),
        ("HgBa2Ca2Cu3O8", "balanced: Ba 2+, Ca 2+, Cu 2+, Hg 2+, O 2-"),
        ("LiFePO4", "balanced: Li 1+, Fe 2+, P 5+, O 2-"),
        ("NaClO4", "balanced: Na 1+, Cl 7+, O 2-"),
        ("BaPbO3", "balanced: Ba 2+, Pb 4+, O 2-"),
        ("BN", "balanced: B 3+, N 3-"),
        ("OF2", "balanced: O 2+, F 1-"),
    ],
)
def test_a_sensible_assignment_is_shown(formula, reason):
    result = verdict(formula)
    assert result.charge_neutral and result.pauling_ok
    assert result.reason == reason
    assert result.nearest_charge == 0


@pytest.mark.parametrize(
    ("formula", "neutral", "pauling", "reason", "charge"),
    [
        ("Nb3Sn", True, True, "all metals: passes as an alloy", None),
        ("S", True, True, "a single element", None),
        ("Og", True, True, "a single element", None),
        ("NaCl2", False, False, "nearest charge is +1 per formula unit", 1),  # -1 is as near
        ("MgB2", False, False, "nearest charge is +3 per formula unit", 3),
        ("LaH10", False, False, "nearest charge is -7 per formula unit", -7),
        ("ArO", False, False, "Ar has no known oxidation state", None),
        ("RfO2", False, False, "Rf has no known oxidation state", None),
        ("PmO", True, False, "neutral, but Pm has no known electronegativity", 0),
        # Se 2.55 and C 2.55: equal electronegativities may not face each other as cation and anion.
        ("CSe2", True, False, "neutral, but no assignment gives the anions the higher electronegativity", 0),
        ("SiC", True, True, "balanced: Si 4+, C 4-", 0),
    ],
)
def test_every_kind_of_verdict(formula, neutral, pauling, reason, charge):
    result = verdict(formula)
    assert (result.charge_neutral, result.pauling_ok) == (neutral, pauling)
    assert (result.reason, result.nearest_charge) == (reason, charge)


def test_counts_are_reduced_and_order_is_kept():
    once, twice, other = charge_balance(np.array([*counts_of("NaCl2", "Na7Cl14", "H2O")]))
    assert once == twice != other
    assert charge_balance(counts_of("H2O").astype(float)) == [other]
    assert charge_balance(np.zeros((0, elements.N_ELEMENTS))) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row * 0.5, "whole numbers"),
        (lambda row: -row, "whole numbers"),
        (lambda row: row * np.nan, "whole numbers"),
        (lambda row: row.astype(str), "whole numbers"),
        (lambda row: row * 0, "at least one atom"),
        (lambda row: row[:, :86], "shape"),
        (lambda row: row[0], "shape"),
        (lambda row: row * MAX_ATOMS + counts_of("O"), "atoms in one formula unit"),
    ],
)
def test_bad_counts_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        charge_balance(change(counts_of("H2O")))


compositions = st.dictionaries(
    st.one_of(st.sampled_from(IN_SMACT), st.sampled_from(ODD)), st.integers(1, 6), min_size=2, max_size=4
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(compositions)
def test_agrees_with_smact(amounts):
    formula = "".join(f"{symbol}{n}" for symbol, n in amounts.items())
    result = verdict(formula)
    options = {"include_alloys": True, "oxidation_states_set": "smact14"}
    assert result.charge_neutral == smact_validity(formula, use_pauling_test=False, **options)
    assert result.pauling_ok == smact_validity(formula, use_pauling_test=True, **options)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(compositions)
def test_the_evidence_agrees_with_the_verdict(amounts):
    result = verdict("".join(f"{symbol}{n}" for symbol, n in amounts.items()))
    states = dict(result.oxidation_states)
    assert not result.pauling_ok or result.charge_neutral
    if result.nearest_charge is None:
        assert not states
        return
    divisor = np.gcd.reduce(list(amounts.values()))
    facts = [elements.element(symbol) for symbol in amounts]
    charges = {
        sum(n // divisor * state for n, state in zip(amounts.values(), combination, strict=True))
        for combination in itertools.product(*(fact.oxidation_states for fact in facts))
    }
    assert result.nearest_charge == min(charges, key=lambda charge: (abs(charge), -charge))
    assert bool(states) == result.charge_neutral
    if states:
        assert sum(amounts[symbol] * state for symbol, state in states.items()) == 0
        assert all(state in elements.element(symbol).oxidation_states for symbol, state in states.items())
    if result.pauling_ok:
        cations = [elements.element(s).electronegativity for s, state in states.items() if state > 0]
        anions = [elements.element(s).electronegativity for s, state in states.items() if state < 0]
        assert max(cations) < min(anions)


def test_nine_elements_with_large_counts():
    rng = np.random.default_rng(0)
    rows = np.zeros((50, elements.N_ELEMENTS), int)
    for row in rows:
        row[rng.choice(103, 9, replace=False)] = rng.integers(1, 201, 9)
    first = charge_balance(rows)
    assert first == charge_balance(rows)
    assert len({(r.charge_neutral, r.pauling_ok) for r in first}) == 3
