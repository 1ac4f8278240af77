"""Tc and energy above hull along the amount of one element."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.evaluation.amount_line import AMOUNT, STEPS, VALUES, amount_line
from core.evaluation.user_formulas import Assessor, read_texts
from core.predictors.registry import PUBLISHED


@pytest.fixture(scope="module")
def assessor():
    return Assessor(PUBLISHED, "cpu")


def test_the_formula_itself_is_in_the_middle_and_one_amount_changes(assessor):
    line = amount_line("LaFeAsO", "O", assessor)
    assert len(line) == STEPS and line[AMOUNT].tolist() == pytest.approx(np.linspace(0, 2, STEPS).tolist())
    assert line["formula"].iloc[0] == "LaFeAs" and line["formula"].iloc[STEPS // 2] == "LaFeAsO"
    assert line["formula"].iloc[-1] == "LaFeAsO2" and line["formula"].iloc[1] == "LaFeAsO0.1"
    expected = assessor.screen(read_texts(["LaFeAsO2"])).iloc[0]
    assert line["tc_K"].iloc[-1] == pytest.approx(expected["tc_K"], abs=0.01)
    hull = "energy_above_hull_eV_per_atom"
    assert line[hull].iloc[-1] == pytest.approx(expected[hull], abs=1e-4)


def test_a_formula_without_the_element_is_refused(assessor):
    with pytest.raises(InputError, match="does not contain"):
        amount_line("MgB2", "O", assessor)


def test_nothing_is_left_out_of_an_element(assessor):
    line = amount_line("Nb", "Nb", assessor)
    assert len(line) == STEPS - 1 and line[AMOUNT].min() > 0
    assert line[list(VALUES)].notna().any().any()
