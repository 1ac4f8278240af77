"""Training a small network of SuperDiff on a small file: the loss falls, and card and weights belong together."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import InputError
from core.generation.diffusion.network import UNet, UNetSize
from core.generation.diffusion.noise_schedule import cosine_schedule
from core.generation.diffusion.weights import load_noise_predictor
from core.predictors import checkpoint
from core.training.best_weights import BestWeights
from core.training.evaluation import flat
from core.training.superdiff import (
    VALIDATION_STEPS,
    SuperDiffSettings,
    held_out_figures,
    noise_prediction_loss,
    split,
    train,
    validation_loss,
)
from core.training.superdiff_data import FILE, read_amounts
from tests.no_synchronisation import no_synchronisation

SMALL = UNetSize(width=8, multipliers=(1, 2), heads=2, head_width=4, groups=4)
SETTINGS = SuperDiffSettings(epochs=25, batch=16, learning_rate=3e-3, size=SMALL)
CUPRATES = [f"La{2 - x / 100:.2f}Sr{x / 100:.2f}Cu1O4" for x in range(1, 61)]


@pytest.fixture
def folder(tmp_path):
    others = [("M1Ta1S2", "3"), ("D0.5Pd1", "3"), ("La1Fe1As1O1", "2"), ("La1.99Sr0.01Cu1O4", "1")]
    rows = [*((formula, "1") for formula in CUPRATES), *others]
    lines = [f"{number}\t{formula}\t10\t{code}" for number, (formula, code) in enumerate(rows)]
    with gzip.open(tmp_path / FILE, "wt", encoding="utf-8") as file:
        file.write("\n".join(["number\tformula\ttc_K\tclass", *lines]) + "\n")
    return tmp_path


def test_amounts_are_read_as_written(folder):
    table = read_amounts(folder, "cuprate")
    assert table.amounts.shape == (61, 96)
    np.testing.assert_allclose(table.amounts[0, [56, 37, 28, 7]], [1.99, 0.01, 1, 4])
    assert table.counts["repeats of an earlier composition"] == 1


def test_symbols_that_are_no_element_are_left_out_and_counted(folder):
    table = read_amounts(folder, "other")
    assert table.formulas == ("M1Ta1S2", "D0.5Pd1")
    np.testing.assert_allclose(table.amounts[0, [72, 15]], [1, 2])
    assert table.amounts[0].sum() == 3 and table.amounts[1, 0] == 0.5
    assert table.counts["with a symbol that is no element, read without it"] == 1


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_amounts(tmp_path, "other")


def test_one_row_in_twenty_is_for_validation_and_every_row_is_in_one_part():
    training, held_out = split(1368, 0)
    assert len(held_out) == 68
    assert sorted([*training, *held_out]) == list(range(1368))
    assert not np.array_equal(split(1368, 1)[1], held_out)


def test_a_network_without_output_has_the_variance_of_the_noise_as_loss():
    amounts = torch.rand(50, 96)
    losses = validation_loss(lambda x, t: torch.zeros_like(x), amounts)
    assert losses.shape == (20,)
    np.testing.assert_allclose(losses, 1, atol=0.1)
    loss = noise_prediction_loss(torch.device("cpu"))
    assert float(loss(lambda x, t: torch.zeros_like(x), (amounts,))) == pytest.approx(1, abs=0.1)


def test_the_exact_noise_has_no_loss():
    amounts = torch.rand(5, 96)
    signal = torch.from_numpy(cosine_schedule().signal).float()

    def exact(noisy, step):
        known = signal[step][:, None]
        return (noisy - known.sqrt() * amounts.repeat(len(noisy) // 5, 1)) / (1 - known).sqrt()

    assert validation_loss(exact, amounts).max() < 1e-6
    assert float(noise_prediction_loss(torch.device("cpu"))(exact, (amounts,))) < 1e-6


def test_validation_does_not_change_the_random_numbers_of_the_training():
    torch.manual_seed(0)
    network, amounts = UNet(SMALL), torch.rand(5, 96)
    state = torch.get_rng_state()
    first = validation_loss(network, amounts)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(first, validation_loss(network, amounts))


def test_training_lowers_the_loss_and_writes_a_card_that_matches_the_weights(folder, tmp_path):
    out = tmp_path / "out"
    card = train("cuprate", folder, out, 0, tmp_path / "build", SETTINGS)
    (first, *_, best) = (figures["validation_loss"] for figures in card["training"].values())
    assert best < 0.5 * first
    assert card["split"]["training"] == 58 and card["split"]["validation"] == 3
    stored = checkpoint.load("superdiff-cuprate", card["architecture"], out)[0]
    assert all(value.dtype == torch.float16 for value in stored.values())
    assert load_noise_predictor("superdiff-cuprate", out).size == SMALL
    computed = held_out_figures("superdiff-cuprate", folder, out)
    assert flat(computed) == pytest.approx(flat(card["metrics_held_out"]), rel=1e-4)
    assert card["metrics_held_out"]["noise_mse"] == pytest.approx(best, rel=0.05)
    assert len(card["metrics_held_out"]["by_step"]) == len(VALIDATION_STEPS)


def test_an_interrupted_training_gives_the_same_weights(folder, tmp_path, monkeypatch):
    settings = replace(SETTINGS, epochs=4)
    train("cuprate", folder, tmp_path / "straight", 0, tmp_path / "build-1", settings)

    def killed(best, network, call=BestWeights.__call__):
        if (tmp_path / "build-2" / "superdiff-cuprate-0" / "state-2.safetensors").exists():
            raise KeyboardInterrupt
        return call(best, network)

    with monkeypatch.context() as patched:
        patched.setattr(BestWeights, "__call__", killed)
        with pytest.raises(KeyboardInterrupt):
            train("cuprate", folder, tmp_path / "resumed", 0, tmp_path / "build-2", settings)
    train("cuprate", folder, tmp_path / "resumed", 0, tmp_path / "build-2", settings)
    straight, resumed = (checkpoint.paths("superdiff-cuprate", tmp_path / name) for name in ("straight", "resumed"))
    assert straight[0].read_bytes() == resumed[0].read_bytes()
    assert straight[1].read_text() == resumed[1].read_text()


def test_the_loss_and_its_gradient_do_not_wait_for_the_device():
    network, loss = UNet(SMALL), noise_prediction_loss(torch.device("cpu"))
    amounts = torch.rand(16, 96)
    with no_synchronisation():
        loss(network, (amounts,)).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
