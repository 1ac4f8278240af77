"""Tc along a doping line, and the known superconductors on it."""

import pytest

from core.errors import InputError
from core.evaluation.doping_line import doping_line
from core.evaluation.user_formulas import Assessor, predict

pytestmark = pytest.mark.usefixtures("one_thread")
SERIES = "La2-xSrxCuO4, x = 0..0.3 in 7 steps"


@pytest.fixture(scope="module")
def assessor(one_thread) -> Assessor:
    return Assessor(device="cpu")


@pytest.fixture(scope="module")
def line(assessor):
    return doping_line(SERIES, assessor)


def test_predictions_are_those_of_the_members(line):
    assert line.variable == "x" and line.predicted["x"].tolist() == [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    assert line.predicted["tc_K"].tolist() == pytest.approx(predict([SERIES], device="cpu")["tc_K"].tolist(), abs=1e-3)


def test_known_superconductors_are_at_their_doping(line):
    reported = line.reported.set_index("formula")["x"]
    assert reported["La1.85Sr0.15CuO4"] == pytest.approx(0.15, abs=1e-3)
    assert reported["La1.9Sr0.1CuO4"] == pytest.approx(0.1, abs=1e-3)
    assert "La2CuO4.03" not in reported.index  # doped by oxygen
    assert (line.reported["tc_K"] > 0).all()


def test_the_table_has_both_kinds(line):
    table = line.table()
    assert table["kind"].value_counts().to_dict() == {"predicted": 7, "reported": len(line.reported)}
    assert list(table.columns)[:4] == ["kind", "x", "formula", "tc_K"]


@pytest.mark.parametrize(
    "text", ["La2-xSrxCuO4, x = 0.1", "LaFe1-xCoxAsO1-yFy, x = 0..0.1 in 2 steps, y = 0..0.1 in 2 steps", "La2CuO4"]
)
def test_one_variable_must_have_several_values(text, assessor):
    with pytest.raises(InputError):
        doping_line(text, assessor)
