"""The page of the models: every card has a section, with its own figures."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.paths import CHECKPOINTS, PROJECT
from core.predictors.checkpoint import read_card


@pytest.fixture(scope="module")
def opened() -> AppTest:
    test = AppTest.from_file(str(PROJECT / "app" / "main.py"), default_timeout=120)
    test.switch_page(str(PROJECT / "app" / "views" / "models.py"))
    test.run()
    assert not test.exception, test.exception
    return test


def said(test: AppTest) -> str:
    return "\n".join(e.value for kind in ("markdown", "caption", "info") for e in test.get(kind))


def test_every_card_has_a_section_with_its_figures(opened):
    cards = [json.loads(path.read_text()) for path in CHECKPOINTS.glob("*.json")]
    assert len(opened.subheader) == len(cards) >= 6
    assert all(card["what"] in said(opened) for card in cards)
    shown = {metric.value for metric in opened.metric}
    assert f"{read_card('tc-ensemble')['metrics_held_out']['tc_mae_K']:.2f} K" in shown


def test_new_systems_and_intervals_are_those_of_the_card(opened):
    held_out = read_card("tc-ensemble")["metrics_held_out"]
    systems = held_out["systems_held_out"]
    assert f"MAE {systems['tc_mae_K']:.2f} K, R² {systems['tc_r2']:.3f}" in said(opened)
    for intervals in (systems["inside_intervals"], held_out["inside_intervals"]):
        for share in ("50%", "90%"):
            assert f"{intervals[share]:.0%}" in said(opened)


def test_settings_within_settings_are_written_out(opened):
    rows = [str(value) for table in opened.table for value in table.value.to_numpy().ravel()]
    assert not any("{" in row or "None" in row for row in rows)
    network = read_card("tc-ensemble")["settings"]["networks"][0]
    assert any(f"epochs {network['epochs']}, batch {network['batch']}" in row for row in rows)
