"""The page of the models: every card has a section, with its own figures."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.paths import CHECKPOINTS
from core.predictors.checkpoint import read_card
from tests.app.pages import opened, said


@pytest.fixture(scope="module")
def models() -> AppTest:
    return opened("models")


def test_every_card_has_a_section_with_its_figures(models):
    cards = [json.loads(path.read_text()) for path in CHECKPOINTS.glob("*.json")]
    assert len(models.subheader) == len(cards) >= 6
    assert all(card["what"] in said(models) for card in cards)
    shown = {metric.value for metric in models.metric}
    assert f"{read_card('tc-ensemble')['metrics_held_out']['tc_mae_K']:.2f} K" in shown


def test_new_systems_and_intervals_are_those_of_the_card(models):
    held_out = read_card("tc-ensemble")["metrics_held_out"]
    systems = held_out["systems_held_out"]
    assert f"MAE {systems['tc_mae_K']:.2f} K, R² {systems['tc_r2']:.3f}" in said(models)
    for intervals in (systems["inside_intervals"], held_out["inside_intervals"]):
        for share in ("50%", "90%"):
            assert f"{intervals[share]:.0%}" in said(models)


def test_settings_within_settings_are_written_out(models):
    rows = [str(value) for table in models.table for value in table.value.to_numpy().ravel()]
    assert not any("{" in row or "None" in row for row in rows)
    network = read_card("tc-ensemble")["settings"]["networks"][0]
    assert any(f"epochs {network['epochs']}, batch {network['batch']}" in row for row in rows)
