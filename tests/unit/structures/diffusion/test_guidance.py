"""The algebra of guidance, and what is computed for it."""

from dataclasses import replace

import pytest
import torch

from core.structures.diffusion.guidance import combined, guided
from core.structures.diffusion.network import Condition, Prediction
from tests.unit.structures.diffusion.conftest import SMALL, network_of, noisy_crystals

STEP = torch.tensor([300])


def prediction(value: float) -> Prediction:
    return Prediction(torch.full((1, 6), value), torch.full((1, 2, 3), value), torch.full((1, 2, 100), value))


@pytest.mark.parametrize(("weight", "expected"), [(-1, 5.0), (0, 3.0), (2, -1.0), (0.5, 2.0)])
def test_predictions_are_combined_by_the_equation_of_the_paper(weight, expected):
    for part in combined(prediction(3.0), prediction(5.0), weight):
        torch.testing.assert_close(part, torch.full_like(part, expected))


@torch.no_grad()
def test_the_weights_minus_1_and_0_are_the_network_without_and_with_the_condition():
    network, crystals = network_of(replace(SMALL, adapter=True)), noisy_crystals(3)
    free = network(crystals, STEP)
    conditioned = network(crystals, STEP, Condition(torch.tensor([10.0]), torch.ones(1)))
    free, conditioned = (each._replace(types=each.types.log_softmax(-1)) for each in (free, conditioned))
    results = {weight: guided(network, crystals, STEP, 10.0, weight) for weight in (-1.0, 0.0, 2.0)}
    for i in range(3):
        torch.testing.assert_close(results[-1.0][i], free[i])
        torch.testing.assert_close(results[0.0][i], conditioned[i])
        torch.testing.assert_close(results[2.0][i], 3 * conditioned[i] - 2 * free[i], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(guided(network, crystals, STEP, None, 2.0)[i], free[i])
