"""A user's own measurements on the page Predict."""

from __future__ import annotations

from core.runs.measurements import Measurement, measurements
from tests.app.pages import html_text, open_page


def field(test, start: str):
    return next(each for each in [*test.text_area, *test.button_group] if (each.key or "").startswith(start))


def test_measurements_correct_the_page_and_are_left_out_by_a_click(empty_runs_folder):
    test = open_page("predict", formula="LaFeAsO0.85F0.15")
    field(test, "predict.measured").set_value("LaFeAsO0.9F0.1, 60\nMgB2, 39").run()
    assert not test.exception
    assert measurements() == {"LaFeAsO0.9F0.1": Measurement(60.0), "MgB2": Measurement(39.0)}
    measured = next(table.value for table in test.table if "Measured (K)" in table.value)
    row = measured.loc["LaFeAsO0.9F0.1"]
    before, after = (float(row[name].split()[0]) for name in ("Model (K)", "Corrected (K)"))
    assert before < after <= 60 and row["Measured (K)"] == "60.0"
    field(test, "predict.measured_in_use").set_value(["MgB2"]).run()
    assert not measurements()["LaFeAsO0.9F0.1"].in_use and not test.exception
    measured = next(table.value for table in test.table if "Measured (K)" in table.value)
    assert abs(float(measured.loc["LaFeAsO0.9F0.1"]["Corrected (K)"].split()[0]) - before) < 1
    field(test, "predict.measured").set_value("Mgb2x, 39").run()
    assert not test.exception and len(measurements()) == 2 and "Mgb2x" in html_text(test)
    assert field(test, "predict.measured").value == "Mgb2x, 39"  # to be corrected
