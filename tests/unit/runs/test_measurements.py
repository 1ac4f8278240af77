"""A chemist's own measurements in the folder of all runs."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.runs.measurements import MEASUREMENTS, MOST, Measurement, measurements, read_rows, store


def test_what_is_stored_is_read_again(tmp_path):
    kept = {"MgB2": Measurement(39.0), "LaFeAsO": Measurement(0.0, in_use=False)}
    store(kept, tmp_path / "runs")
    assert measurements(tmp_path / "runs") == kept
    store({}, tmp_path / "runs")
    assert measurements(tmp_path / "runs") == {} == measurements(tmp_path / "elsewhere")


def test_rows_are_read_with_any_separator():
    assert read_rows("MgB2, 39\n\nNb3Sn\t18.3 \nLaFeAsO;26K") == {
        "MgB2": Measurement(39.0), "Nb3Sn": Measurement(18.3), "LaFeAsO": Measurement(26.0)
    }  # fmt: skip


@pytest.mark.parametrize("text", ["MgB2", "MgB2 39 K extra", "MgB2, warm", "Mgb2x, 39", "MgB2, -1", "MgB2, nan"])
def test_other_lines_are_refused(text):
    with pytest.raises(InputError):
        read_rows(text)


def test_too_many_measurements_are_refused(tmp_path):
    with pytest.raises(InputError, match=str(MOST)):
        store({f"MgB{n}": Measurement(1.0) for n in range(1, MOST + 2)}, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"measurements": {"MgB2": {"tc_K": "39", "in_use": true}}}',
                                  '{"measurements": {"MgB2": {"tc_K": -3, "in_use": true}}}'])  # fmt: skip
def test_a_damaged_file_is_named_and_kept(tmp_path, text):
    (tmp_path / MEASUREMENTS.file).write_text(text)
    with pytest.raises(InputError, match="damaged"):
        measurements(tmp_path)
    assert (tmp_path / MEASUREMENTS.file).read_text() == text
