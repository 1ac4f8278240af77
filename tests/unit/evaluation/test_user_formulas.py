"""Predictions and screens of formulas that a user enters."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.evaluation import user_formulas
from core.predictors.registry import PUBLISHED

DETAILS = [
    "tc_std_K", "tc_judge_K", "superconducting_probability", "formation_energy_std_eV_per_atom", "distance_to_training",
    "extrapolating", "pressure_suspected", "off_stoichiometry_suspected", "caveat",
]  # fmt: skip
PREDICT_COLUMNS = ["formula", "read_as", "tc_K", "formation_energy_eV_per_atom", *DETAILS, "error", "suggestion"]
SCREEN_COLUMNS = [*PREDICT_COLUMNS[:-2], *user_formulas.SCREENED, *user_formulas.REFUSED]
MIXED = ["Nb3Sn", "Xx2", "NaCl", "LaFeAs(O", "PoO2", "", "MgB2"]  # valid and invalid formulas
GOOD = [0, 2, 6]
READABLE = [0, 2, 4, 6]  # with PoO2, whose formation energy cannot be predicted
OF_ENERGY = {name for name in SCREEN_COLUMNS if name.startswith(("formation_energy", "energy"))} | {"decomposition"}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def screened(one_thread) -> pd.DataFrame:
    return user_formulas.screen(MIXED, device="cpu")


def test_rows_keep_their_order():
    formulas = ["MgB2", "YBa2Cu3O7", "NaCl", "Nb3Sn", "MgB2"]
    there, back = user_formulas.predict(formulas, device="cpu"), user_formulas.predict(formulas[::-1], device="cpu")
    assert there["formula"].tolist() == formulas and back["formula"].tolist() == formulas[::-1]
    assert there.index.tolist() == list(range(5))
    for name in user_formulas.PREDICTED:
        assert np.allclose(there[name], back[name][::-1], atol=1e-3)
        assert there[name].nunique() >= 3  # so that a wrong order is detected
    assert there["tc_K"].iloc[1] > there["tc_K"].iloc[0] > there["tc_K"].iloc[2]


def test_invalid_formulas_have_an_error_and_the_others_are_predicted():
    table = user_formulas.predict(MIXED, device="cpu")
    assert list(table.columns) == PREDICT_COLUMNS and table["formula"].tolist() == MIXED
    assert [i for i, error in enumerate(table["error"]) if error == ""] == GOOD
    words = {1: "“Xx” is not an element", 3: "never closed", 4: "formation-energy model does not know Po", 5: "nothing"}
    for i, expected in words.items():
        assert expected in table["error"][i]
    for name in user_formulas.PREDICTED:
        assert [i for i, value in enumerate(table[name]) if np.isfinite(value)] == (
            GOOD if name in OF_ENERGY else READABLE
        )


def test_compounds_far_from_the_training_data_are_marked():
    table = user_formulas.predict(["MgB2", "NaCl"], device="cpu").set_index("formula")
    assert table["distance_to_training"]["MgB2"] < 0.01 < table["distance_to_training"]["NaCl"]
    assert table["extrapolating"].tolist() == [False, True]
    assert (table["formation_energy_std_eV_per_atom"] > 0).all()


def test_the_error_is_missing_for_models_without_an_error_estimate():
    table = user_formulas.predict(["MgB2"], PUBLISHED, device="cpu")
    assert table[["tc_std_K", "distance_to_training", "extrapolating"]].isna().all(axis=None)
    assert np.isfinite(table["tc_judge_K"][0])


def test_an_element_unknown_to_both_models_is_reported_once():
    (error,) = user_formulas.predict(["NeHe2"], device="cpu")["error"]
    assert "does not know He" in error and error.count("“NeHe2”") == 1


def test_screen_adds_columns_to_those_of_predict(screened):
    assert list(screened.columns) == SCREEN_COLUMNS
    pd.testing.assert_frame_equal(screened[PREDICT_COLUMNS], user_formulas.predict(MIXED, device="cpu"))


def test_screens_are_missing_for_invalid_formulas(screened):
    for name in user_formulas.SCREENED:
        there = [i for i, value in enumerate(screened[name]) if not pd.isna(value)]
        if name != "usual_charges":  # empty for alloys and borides
            assert there == (GOOD if name in OF_ENERGY else READABLE), name


def test_an_element_unknown_to_one_model_costs_the_columns_of_that_model_only(screened):
    row = screened.iloc[4]
    assert "does not know Po" in row["error"] and row["tc_K"] >= 0 and row["tc_judge_K"] >= 0
    assert row["oxidation_states"] == "Po 4+, O 2-" and row["charge_neutral"] and row["nearest_known"]
    assert row[["formation_energy_eV_per_atom", "energy_above_hull_eV_per_atom", "decomposition"]].isna().all()


def test_screens_are_in_the_row_of_their_formula(screened):
    alloy, salt, boride = (screened.iloc[i] for i in GOOD)
    assert alloy["reason"] == "all metals: passes as an alloy" and alloy["nearest_known"] == "Nb3Sn"
    assert salt["reason"] == "balanced: Na 1+, Cl 1-" and salt["oxidation_states"] == "Na 1+, Cl 1-"
    assert boride["reason"] == "nearest charge is +3 per formula unit" and not boride["charge_neutral"]
    assert [bool(row["pauling_ok"]) for row in (alloy, salt, boride)] == [True, True, False]
    assert "Cl" in salt["decomposition"] and "B" in boride["decomposition"] and "B" not in alloy["decomposition"]
    assert [row["known_phase"] for row in (alloy, salt)] == ["Nb3Sn", "NaCl"]


def test_the_distance_to_the_hull_has_an_error_only_for_an_ensemble(screened):
    assert (screened["energy_above_hull_std_eV_per_atom"][GOOD] > 0).all()
    published = user_formulas.screen(["NaCl"], PUBLISHED, device="cpu")
    assert published["energy_above_hull_std_eV_per_atom"].isna().all()
    assert published["energy_above_hull_eV_per_atom"].notna().all()


def test_results_do_not_depend_on_how_the_formula_is_written():
    table = user_formulas.screen(["La1.85Sr0.15CuO4", "O80Cu20Sr3La37", "(La1.85Sr0.15)CuO4"], device="cpu")
    for name in (*user_formulas.PREDICTED, "energy_above_hull_eV_per_atom", "nearest_known_tc_K", "distance_to_known"):
        assert np.ptp(table[name]) < 1e-3
    for name in ("charge_neutral", "pauling_ok", "reason", "oxidation_states", "nearest_known"):
        assert table[name].nunique() == 1


@pytest.mark.parametrize(
    ("function", "columns"), [(user_formulas.predict, PREDICT_COLUMNS), (user_formulas.screen, SCREEN_COLUMNS)]
)
def test_no_formulas_give_no_rows(function, columns):
    table = function([], device="cpu")
    assert list(table.columns) == columns and len(table) == 0


def test_an_unavailable_device_is_an_error():
    with pytest.raises(InputError) as caught:
        user_formulas.predict(["MgB2"], device="abacus")
    assert caught.value.field == "device" and "cpu" in caught.value.remedy
