"""Training reduces the error, and a resumed training gives the same weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import InputError
from core.training.loop import FitSettings, fit

SETTINGS = FitSettings(epochs=4, steps_per_epoch=25, learning_rate=0.05, weight_decay=0.0, averaging=0.9)


def batches(epoch: int):
    random = np.random.default_rng(epoch)
    for _ in range(SETTINGS.steps_per_epoch):
        x = torch.from_numpy(random.standard_normal((32, 3))).float()
        yield x, x @ torch.tensor([1.0, -2.0, 0.5])


def loss(model: nn.Module, batch):
    x, y = batch
    return (model(x).squeeze(1) - y).square().mean()


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))


class Killed(Exception):
    pass


def test_resumed_training_gives_the_same_weights(tmp_path):
    straight = fit(network(), batches, loss, SETTINGS, tmp_path / "a", lambda m: {})
    epochs = []

    def killed_at_the_third(epoch):
        epochs.append(epoch)
        if epoch == 2 and len(epochs) == 3:
            raise Killed
        return batches(epoch)

    try:
        fit(network(), killed_at_the_third, loss, SETTINGS, tmp_path / "b", lambda m: {})
        raise AssertionError("the training was not killed")
    except Killed:
        pass
    resumed = fit(network(), killed_at_the_third, loss, SETTINGS, tmp_path / "b", lambda m: {})
    assert epochs == [0, 1, 2, 2, 3]
    for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_training_reduces_the_error(tmp_path):
    seen = []

    def report(model):
        x, y = next(iter(batches(99)))
        with torch.no_grad():
            seen.append(float(loss(model, (x, y))))
        return {"loss_held_out": seen[-1]}

    fit(network(), batches, loss, SETTINGS, tmp_path, report)
    assert seen[-1] < 0.05 < seen[0]


def test_a_resume_point_of_other_settings_is_refused(tmp_path):
    fit(network(), batches, loss, SETTINGS, tmp_path, lambda m: {})
    with pytest.raises(InputError, match="other settings"):
        fit(network(), batches, loss, replace(SETTINGS, epochs=5), tmp_path, lambda m: {})
