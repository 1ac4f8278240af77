"""The most plausible oxidation states, and whether they are usual."""

import numpy as np
import pytest

from core.chemistry import elements
from core.chemistry.formula_reader import parse_formula
from core.reference_data.references import load_references
from core.screening.usual_charges import BORON, HYDRIDE, METALS_ONLY, shares, usual_charges


def found(formula: str):
    return usual_charges(parse_formula(formula))


@pytest.mark.parametrize(
    ("formula", "states"),
    [
        ("NaCl", "Na 1+, Cl 1-"),
        ("YBa2Cu3O7", "Ba 2+, Y 3+, Cu 2.33+, O 2-"),
        ("La1.85Sr0.15CuO4", "Sr 2+, La 3+, Cu 2.15+, O 2-"),
        ("Bi2Sr2CaCu2O8", "Sr 2+, Ca 2+, Cu 2+, Bi 3+, O 2-"),
        ("LaFeAsO", "La 3+, Fe 2+, As 3-, O 2-"),
        ("LaFeAsO0.9F0.1", "La 3+, Fe 1.9+, As 3-, O 2-, F 1-"),
        ("Ba0.6K0.4Fe2As2", "K 1+, Ba 2+, Fe 2.2+, As 3-"),
        ("Nd0.8Sr0.2NiO2", "Sr 2+, Nd 3+, Ni 1.2+, O 2-"),
        ("LiFePO4", "Li 1+, Fe 2+, P 5+, O 2-"),
        ("CuFeO2", "Fe 3+, Cu 1+, O 2-"),
        ("Fe3O4", "Fe 2.67+, O 2-"),
        ("NH4Cl", "H 1+, N 3-, Cl 1-"),
        ("Pm2O3", "Pm 3+, O 2-"),
        ("XeF2", "Xe 2+, F 1-"),
    ],
)
def test_usual_states_by_hand(formula, states):
    result = found(formula)
    assert result.usual is True and result.written == states


@pytest.mark.parametrize("formula", ["BaO2", "K2O2", "H2O2"])
def test_oxygen_is_one_minus_in_peroxides_only(formula):
    assert dict(found(formula).states)["O"] == -1 and found(formula).usual is True


@pytest.mark.parametrize("formula", ["CsCl2", "KFe2Se2", "Fe2O5", "YO2", "NaCl2"])
def test_formulas_that_balance_with_unusual_states_or_not_at_all(formula):
    result = found(formula)
    assert result.usual is False
    assert not result.states or "unusual" in result.reason


@pytest.mark.parametrize(
    ("formula", "reason"), [("Nb3Sn", METALS_ONLY), ("PmNi", METALS_ONLY), ("MgB2", BORON), ("LaH10", HYDRIDE)]
)
def test_what_is_beyond_charge_counting_is_said(formula, reason):
    result = found(formula)
    assert (result.usual, result.states, result.reason) == (None, (), reason)


def test_every_assignment_is_neutral_and_no_state_is_absurd():
    formulas = load_references().known_formulas[::60]
    for formula in formulas:
        amounts = parse_formula(formula)
        states = dict(usual_charges(amounts).states)
        if not states:
            continue
        assert sum(n * states[s] for s, n in amounts.items()) == pytest.approx(0, abs=1e-5 * sum(amounts.values()))
        assert states.get("O", -2) in (-2, -1) and states.get("F", -1) == -1
        assert all(states[s] == 1 for s in ("Li", "Na", "K", "Rb", "Cs") if s in states)
        assert all(states[s] == 2 for s in ("Mg", "Ca", "Sr", "Ba") if s in states)


def test_most_known_superconductors_have_usual_charges_or_are_beyond_counting():
    formulas = load_references().known_formulas[::20]
    results = [usual_charges(parse_formula(formula)).usual for formula in formulas]
    assert np.mean([usual is not False for usual in results]) > 0.85


def test_the_result_does_not_depend_on_the_formula_unit():
    for formula, other in (("YBa2Cu3O7", "Y2Ba4Cu6O14"), ("LiFePO4", "O8P2Fe2Li2"), ("SrFeO3", "Sr3Fe3O9")):
        assert found(formula) == found(other)


def test_shares_sum_to_one_over_the_entries():
    for element in elements.all_elements():
        if element.icsd_states:
            listed = {state for state, _ in element.icsd_states}
            assert sum(p for state, p in shares(element) if state in listed) == pytest.approx(1)


def test_a_pinned_state_holds_and_counts_as_usual():
    amounts = parse_formula("BiFeAsO")
    assert dict(usual_charges(amounts, {"Bi": 3}).states)["Bi"] == 3
    result = usual_charges(parse_formula("BaFe2As2"), {"Fe": 4})
    assert result.states == () or dict(result.states)["Fe"] == 4
    assert usual_charges(parse_formula("SrFeO3"), {"Fe": 4}).usual is True
