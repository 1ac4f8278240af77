"""The speed of trainings: what is timed, and that every training of a network can be measured."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from core.errors import InputError
from core.training import speed
from core.training.batches import ShuffledColumns
from core.training.loop import FitSettings, Fitting
from core.training.registry import TRAINABLES

STEP_S, REPORT_S = 0.02, 0.05
COLUMNS = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(40)


def drawn(epoch: int):
    return zip(COLUMNS[0].split(4), COLUMNS[1].split(4), strict=True)


def fitting(batches, members: int = 2) -> Fitting:
    def loss(model, batch):
        time.sleep(STEP_S)
        return (model(batch[0]).squeeze(1) - batch[1]).square().mean()

    def report(model):
        time.sleep(REPORT_S)
        return {}

    settings = FitSettings(epochs=7, steps_per_epoch=10, learning_rate=0.01, weight_decay=0.0)
    return Fitting("test", [nn.Linear(3, 1) for _ in range(members)], [batches] * members, loss, settings, report)


@pytest.mark.parametrize("batches", [ShuffledColumns(COLUMNS, 4, seed=0), drawn])
@pytest.mark.parametrize("on_gpu", [False, True])
def test_times_of_one_epoch_of_all_members(batches, on_gpu, request):
    """Sleeps are lower bounds of the times; the second epoch alone, or it would be twice as long."""
    if on_gpu:
        request.getfixturevalue("as_on_a_gpu")
    row = speed.measured(replace(fitting(batches), times=3), steps=5)
    assert (row["networks"], row["batch"], row["steps_measured"]) == (2, 4, 5)
    assert row["ms_per_step"] >= 1000 * 2 * STEP_S
    assert row["epoch_s"] == pytest.approx(row["ms_per_step"] * 10 / 1000)
    assert row["samples_per_s"] == pytest.approx(2 * 4 / row["ms_per_step"] * 1000)
    assert row["report_s"] >= 2 * REPORT_S
    assert row["whole_training_s"] == pytest.approx(3 * 7 * (row["epoch_s"] + row["report_s"]))


def test_a_whole_epoch_by_default_and_at_least_one_step():
    assert speed.measured(fitting(drawn, members=1))["steps_measured"] == 10
    with pytest.raises(InputError, match="at least one step"):
        speed.measured(fitting(drawn), steps=0)


def test_every_name_is_that_of_a_training():
    assert set(speed.FITTINGS) <= set(TRAINABLES)


def test_a_row_for_each_fit(monkeypatch, tmp_path):
    asked = []

    def fittings(name, folder, out, seed):
        asked.append((name, folder))
        return [fitting(drawn, members=1)] * 2

    monkeypatch.setattr(speed, "resolve_name", lambda _: fittings)
    lines = []
    table = speed.training_speed(2, tmp_path, names=("tc", "tc-ensemble"), log=lines.append)
    assert list(table["training"]) == ["tc", "tc", "tc-ensemble", "tc-ensemble"]
    assert asked == [("tc", tmp_path), ("tc-ensemble", tmp_path)] and lines == ["training of test"] * 4
