"""Training reduces the error, and a resumed training gives the same weights."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import InputError
from core.training.loop import FitSettings, fit, fit_members

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


def test_a_step_for_a_graph_gives_the_same_and_does_not_synchronise(tmp_path, as_on_a_gpu, monkeypatch):
    def smooth() -> nn.Module:  # batch norm makes the gradient of a bias before it mere rounding
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))

    there = fit(smooth(), batches, loss, SETTINGS, tmp_path / "graph", lambda m: {})
    monkeypatch.undo()
    here = fit(smooth(), batches, loss, SETTINGS, tmp_path / "plain", lambda m: {})
    for a, b in zip(there.state_dict().values(), here.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_a_training_for_a_graph_resumes(tmp_path, as_on_a_gpu):
    straight = fit(network(), batches, loss, SETTINGS, tmp_path / "a", lambda m: {})

    def killed(epoch):
        if epoch == 2:
            raise Killed
        return batches(epoch)

    with pytest.raises(Killed):
        fit(network(), killed, loss, SETTINGS, tmp_path / "b", lambda m: {})
    resumed = fit(network(), batches, loss, SETTINGS, tmp_path / "b", lambda m: {})
    for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def other_batches(epoch: int):
    return [(x + 1, y + 1) for x, y in batches(epoch)]


@pytest.mark.parametrize("on_gpu", [False, True])
def test_members_are_trained_as_alone(tmp_path, request, on_gpu):
    if on_gpu:
        request.getfixturevalue("as_on_a_gpu")
    data = (batches, other_batches)
    alone = [fit(network(), each, loss, SETTINGS, tmp_path / f"{i}", lambda m: {}) for i, each in enumerate(data)]
    places = [tmp_path / f"together-{i}" for i in range(2)]
    together = fit_members([network(), network()], data, loss, SETTINGS, places, lambda m: {})
    for one, other in zip(alone, together, strict=True):
        assert all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))
    # One member was interrupted: each continues from its own epoch.
    shutil.rmtree(places[1])
    again = fit_members([network(), network()], data, loss, SETTINGS, places, lambda m: {})
    for one, other in zip(together, again, strict=True):
        assert all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))


def test_constant_nadam_without_average_and_clip(tmp_path):
    """As a loop written with torch alone."""
    settings = replace(
        SETTINGS, averaging=None, gradient_clip=None, optimiser="nadam", schedule="constant", learning_rate=0.01
    )
    found = fit(network(), batches, loss, settings, tmp_path, lambda m: {})
    model = network()
    optimiser = torch.optim.NAdam(model.parameters(), 0.01)
    for epoch in range(settings.epochs):
        for batch in batches(epoch):
            optimiser.zero_grad()
            loss(model, batch).backward()
            optimiser.step()
    assert all(torch.equal(*pair) for pair in zip(found.parameters(), model.parameters(), strict=True))
    resumed = fit(network(), batches, loss, settings, tmp_path, lambda m: {})
    assert all(torch.equal(*pair) for pair in zip(found.parameters(), resumed.parameters(), strict=True))
