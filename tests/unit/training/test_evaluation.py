"""Model cards are compared with computed figures; these tests need no raw data."""

from __future__ import annotations

import json

import pytest

from core.cli.main import main
from core.predictors import checkpoint
from core.training import registry
from core.training.evaluation import Figure, evaluate, flat, write

FOUND = {"mae_K": 4.0, "n": 10, "by_family": {"cuprate": {"n": 3, "mae_K": 9.0}}}


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """A folder with one card, whose weights give the figures FOUND."""
    monkeypatch.setattr(registry, "held_out_figures", lambda name, data, folder: FOUND)
    checkpoint.rewrite_card("tc", {"name": "tc", "sha256": "of the weights", "metrics_held_out": FOUND}, tmp_path)
    return tmp_path


def lie(folder, **figures):
    card = checkpoint.read_card("tc", folder)
    checkpoint.rewrite_card("tc", card | {"metrics_held_out": card["metrics_held_out"] | figures}, folder)


def command(folder, *more):
    return main(["evaluate", "tc", "--data", str(folder), "--checkpoints", str(folder), *more])


def test_a_card_with_the_computed_figures_agrees(checkpoints, capsys):
    assert all(figure.agrees for figure in evaluate("tc", checkpoints, checkpoints))
    assert command(checkpoints) == 0
    assert "by_family: cuprate: mae_K: 9 on the card, 9 found, ok" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [
        {"mae_K": 3.9},
        {"mae_K": 4.005},
        {"by_family": {"cuprate": {"n": 3, "mae_K": 8.0}}},
        {"by_family": {}},
        {"made_up": 1.0},
        {"mae_K": float("nan")},
    ],
)
def test_a_wrong_figure_is_found_and_fails(checkpoints, capsys, wrong):
    lie(checkpoints, **wrong)
    assert command(checkpoints) == 1
    assert "DIFFERS" in capsys.readouterr().out


def test_write_corrects_the_figures_and_keeps_the_rest_of_the_card(checkpoints):
    lie(checkpoints, mae_K=1.0, made_up=1.0)
    assert command(checkpoints, "--write") == 0
    card = checkpoint.read_card("tc", checkpoints)
    assert card == {"name": "tc", "sha256": "of the weights", "metrics_held_out": FOUND}


def test_a_figure_may_differ_by_a_thousandth():
    assert Figure("mae_K", 4.0, 4.003).agrees
    assert not Figure("mae_K", 4.0, 4.01).agrees
    assert Figure("n", 0, 0).agrees


def test_only_shares_of_refitted_models_may_differ_by_a_hundredth():
    anew, as_stored = "systems_held_out: inside_intervals: 50%", "inside_intervals: 50%"
    assert Figure(anew, 0.475, 0.484).agrees and not Figure(anew, 0.475, 0.486).agrees
    assert not Figure(as_stored, 0.475, 0.484).agrees and not Figure("systems_held_out: tc_r2", 0.874, 0.876).agrees


def test_compositions_may_move_between_groups_of_refitted_models():
    group = "systems_held_out: interval_90: predicted below 1 K"
    assert Figure(f"{group}: n", 254, 260).agrees and not Figure(f"{group}: n", 254, 270).agrees
    assert Figure(f"{group}: share_inside", 0.915, 0.92).agrees


def test_groups_of_figures_are_flattened_and_restored(checkpoints):
    assert flat(FOUND)["by_family: cuprate: n"] == 3
    write("tc", [Figure(key, None, value) for key, value in flat(FOUND).items()], checkpoints)
    assert json.loads((checkpoints / "tc.json").read_text(encoding="utf-8"))["metrics_held_out"] == FOUND
