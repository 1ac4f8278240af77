"""The card of one candidate."""

from __future__ import annotations

import pandas as pd
import pytest

from app.results.candidate_card.card import screening_text
from app.results.candidate_card.charges import (
    balance_of,
    charges_html,
    mean_charges_html,
    unusual_states_text,
    usual_text,
)
from app.results.candidate_card.novelty import compound_text, differing, nearest_text, superconductor_text
from app.results.candidate_card.overview import (
    control_model_html,
    doped_html,
    predictions_html,
    probability_html,
    warnings,
)
from app.results.candidate_card.stability import above_hull_html, meaning, parse_decomposition
from core.evaluation.columns import COLUMNS, DERIVED_COLUMNS
from core.problem.settings import EVERY_ATOM, ONE_STATE
from core.screening.usual_charges import usual_charges

EMPTY = {"str": "", "float64": 0.0, "bool": False, "boolean": pd.NA, "int64": 1}
BASE = {"tc_K": 15.0, "formation_energy_eV_per_atom": -1.8, "tc_judge_K": 14.0}


def row(**values: object) -> pd.Series:
    return pd.Series({column.name: EMPTY[column.dtype] for column in (*COLUMNS, *DERIVED_COLUMNS)} | values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"extrapolating": True, "nearest_known": "MgB2"}, ["this Tc is very uncertain"]),
        ({"extrapolating": False, "nearest_known": "MgB2"}, ["Tc of a new composition is extrapolated"]),
        ({"nearest_known": "MgB2"}, ["Tc of a new composition is extrapolated"]),
        ({"extrapolating": False, "nearest_known": "MgB2", "known": True}, []),
        ({"hydrogen_rich": True, "rounding_distance": 0.2}, ["Hydrogen-rich", "exchanged 20% of the atoms"]),
        ({"hydrogen_rich": True, "caveat": "LaH10: above 130 GPa"}, ["not a Tc at ambient pressure"]),
        ({"caveat": "As written, copper is formally +2.00"}, ["formally +2.00"]),
    ],
)
def test_warnings_are_given_where_they_apply(values, expected):
    found = warnings(row(**values))
    assert len(found) == len(expected) and all(part in text for part, text in zip(expected, found, strict=True))


def test_the_card_names_the_screen_that_the_candidate_fails():
    assert screening_text("") == "passes every screen"
    assert screening_text("pauling_ok") == "fails the screen “Pauling test”"
    assert screening_text("of_another_version") == "fails the screen “of_another_version”"


def test_the_card_says_that_the_models_differ():
    assert "The models differ" not in control_model_html(row(tc_K=50.0, tc_judge_K=20.0), BASE)
    assert "The models differ" in control_model_html(row(tc_K=50.0, tc_judge_K=20.0, control_disagrees=True), BASE)


def test_the_doped_form_is_shown_with_its_defects():
    values = {"parent": "LaFeAsO", "doped_as": "LaFeAsO0.9", "defects": "10% of the O sites vacant"}
    assert doped_html(row(**values)).endswith("LaFeAsO<sub>0.9</sub></span>: 10% of the O sites vacant.</p>")
    assert doped_html(row(**(values | {"defects": ""}))).endswith("LaFeAsO<sub>0.9</sub></span>.</p>")


def test_expected_deviations_are_shown_with_the_numbers():
    uncertain = row(tc_K=50.0, tc_std_K=12.34, formation_energy_std_eV_per_atom=0.0456)
    shown = predictions_html(uncertain, BASE)
    assert "50.0 ± 12.3" in shown and "± 0.046" in shown


def test_a_model_without_an_error_estimate_shows_no_deviation():
    missing = row(tc_K=50.0, tc_std_K=float("nan"), formation_energy_std_eV_per_atom=float("nan"))
    assert "±" not in predictions_html(missing, BASE)


def test_the_control_model_is_shown_with_its_gain():
    assert "20.0 K, a gain of 6.0 K; the Tc model predicts a gain of 35.0 K" in control_model_html(
        row(tc_K=50.0, tc_judge_K=20.0), BASE
    )


def test_the_distance_to_the_hull_is_shown_with_its_deviation():
    shown = above_hull_html(row(energy_above_hull_eV_per_atom=-0.0204, energy_above_hull_std_eV_per_atom=0.0456))
    assert "−0.020 ± 0.046 eV/atom" in shown
    missing = row(energy_above_hull_eV_per_atom=0.0204, energy_above_hull_std_eV_per_atom=float("nan"))
    assert ">0.020 eV/atom" in above_hull_html(missing)


@pytest.mark.parametrize(
    ("formula", "above", "decomposition", "text"),
    [
        ("Sr2CuO3", -2e-8, "1.000 CuO3Sr2", "itself one of the reference phases"),
        ("Sr4Cu2O6", 1e-5, "0.500 SrO + 0.500 SrCuO2", "as stable as a mixture"),
        ("Sr4Cu2O5", -0.02, "0.500 SrO + 0.500 Cu2O", "within the accuracy of the model"),
        ("Sr4Cu2O5", -0.08, "0.500 SrO + 0.500 Cu2O", "Below the hull"),
        ("Sr4Cu2O5", 0.05, "0.500 SrO + 0.500 Cu2O", "90% of the known metastable"),
        ("Sr4Cu2O5", 0.3, "0.500 SrO + 0.500 Cu2O", "releases energy"),
    ],
)
def test_the_meaning_of_an_energy_above_hull(formula, above, decomposition, text):
    stored = {"formula": formula, "energy_above_hull_eV_per_atom": above, "decomposition": decomposition}
    assert text in meaning(pd.Series(stored | {"energy_above_hull_std_eV_per_atom": 0.05}))


def test_a_decomposition_is_parsed():
    assert parse_decomposition("0.500 La2O3 + 0.500 FeAs") == [("La2O3", 0.5), ("FeAs", 0.5)]
    assert parse_decomposition("") == []
    assert parse_decomposition("0.750 O3Y2 + 0.250 B2Mg") == [("Y2O3", 0.75), ("MgB2", 0.25)]  # of an earlier version


def test_a_known_superconductor_is_named_with_its_tc():
    known = row(known=True, nearest_known="B2Mg", nearest_known_tc_K=39.0)
    assert "Known superconductor: " in superconductor_text(known) and "39.0 K" in superconductor_text(known)
    assert 'class="formula">MgB<sub>2</sub>' in superconductor_text(known)
    assert superconductor_text(row()) == ""  # not tested: the candidate fails a screen


def test_reports_that_disagree_are_shown_with_their_numbers():
    ranges, caveat = "3.3–6.4 K (12), 15.7–22.1 K (11)", "Si: a semiconductor"
    known = row(known=True, nearest_known="Nb3Ge", nearest_known_tc_K=6.4, nearest_known_ranges=ranges)
    assert f"reported Tc 6.4 K, the median of {ranges}." in superconductor_text(known)
    assert caveat in superconductor_text(row(known=True, nearest_known="Si", nearest_known_caveat=caveat))
    assert "median" not in superconductor_text(row(known=True, nearest_known="NbN", nearest_known_ranges="16.0 K (1)"))


def test_the_probability_of_superconducting_is_shown():
    assert "superconducting: 25%" in probability_html(row(superconducting_probability=0.25))
    assert probability_html(row(superconducting_probability=float("nan"))) == ""


def test_a_compound_of_the_reference_phases_is_known_too():
    assert "NdFeAsO</span> is in the Materials Project" in compound_text("NdFeAsO", known_superconductor=False)
    assert compound_text("", known_superconductor=False).startswith("No compound of the Materials Project")
    assert compound_text("", known_superconductor=True) == ""


def test_the_distance_has_its_unit():
    text = nearest_text(row(formula="NaCl", nearest_known="KCl", distance_to_known=0.5, nearest_known_tc_K=1.0))
    assert "distance 0.50 steps; 50% of the atoms differ" in text
    assert differing("La2CuO4", "La1.9Sr0.1CuO4") == pytest.approx(0.1 / 7)


def test_unusual_oxidation_states_are_named():
    text = unusual_states_text((("Ba", 2), ("Ca", 1), ("Cu", 3), ("O", -2)))
    assert "Ca +1 (usually +2)." in text and "Ba" not in text and "Cu" not in text
    assert unusual_states_text((("La", 3), ("Fe", 2), ("As", -3), ("O", -2))) == ""


def test_charges_are_balanced_in_the_smallest_cell_with_whole_atoms():
    balance = balance_of("La1.85Sr0.15CuO4", EVERY_ATOM)
    assert sum(state * count for (_, state), count in zip(balance.oxidation_states, balance.atoms, strict=True)) == 0
    assert sum(balance.atoms) == 140  # La37 Sr3 Cu20 O80
    shown = charges_html((("La", 3), ("O", -2)), (2, 3))
    assert "<td>La</td><td>2</td><td>+3</td><td>+6</td>" in shown and "<td>−6</td>" in shown
    assert "<td>Sum</td><td></td><td></td><td>0</td>" in shown
    assert not balance_of("NaO4", ONE_STATE).oxidation_states


def test_the_most_plausible_states_are_shown_per_formula_unit():
    amounts = {"Y": 1.0, "Ba": 2.0, "Cu": 3.0, "O": 7.0}
    found = usual_charges(amounts)
    shown = mean_charges_html(found.states, amounts)
    assert "<td>Cu</td><td>3</td><td>+2.33</td><td>+7</td>" in shown and "<td>−14</td>" in shown
    assert usual_text(found) == "Usual charges: usual states balance."
    assert usual_text(usual_charges({"Mg": 1.0, "B": 2.0})).startswith("Charges: not tested")
