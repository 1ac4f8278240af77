"""The gradient of guidance is that of each sample alone, and orthogonal to its positive amounts."""

import pytest
import torch

from core.chemistry import elements
from core.generation.diffusion.guidance import Guidance, normalised
from tests.unit.generation.diffusion.toys import ENERGY, GUIDANCE, TC


def noisy(rows: int) -> torch.Tensor:
    return torch.randn(rows, 96, generator=torch.Generator().manual_seed(5)).double()


def gradient(amounts, guidance=GUIDANCE):
    return guidance.gradient(amounts, TC_DOUBLE, ENERGY_DOUBLE)


class _Double:
    def __init__(self, predictor):
        self.linear, self.square = predictor.linear.double(), predictor.square.double()

    def __call__(self, composition):
        return composition @ self.linear + composition.square() @ self.square


TC_DOUBLE, ENERGY_DOUBLE = _Double(TC), _Double(ENERGY)


def test_fractions_are_those_of_the_positive_amounts_of_known_elements():
    known = torch.ones(118, dtype=torch.bool)
    known[1] = False
    amounts = torch.zeros(1, 96)
    amounts[0, :4] = torch.tensor([1.0, 5.0, -2.0, 3.0])
    torch.testing.assert_close(normalised(amounts, known)[0, :4], torch.tensor([0.25, 0.0, 0.0, 0.75]))
    assert normalised(amounts, known).shape == (1, elements.N_ELEMENTS)


def test_the_gradient_is_orthogonal_to_the_positive_amounts_and_zero_for_negative_ones():
    amounts = noisy(7)
    found = gradient(amounts)
    assert (found * amounts.clamp(min=0)).sum(1).abs().max() < 1e-9
    assert (found[amounts < 0] == 0).all() and (found[amounts > 0] != 0).all()


def test_the_gradient_agrees_with_finite_differences():
    amounts, step = noisy(1), 1e-5

    def loss(x):
        _, tc, energy = GUIDANCE.predictions(x, TC_DOUBLE, ENERGY_DOUBLE)
        return (-tc + 4.0 * energy)[0]

    for column in (0, 10, 40):
        moved = torch.zeros_like(amounts)
        moved[0, column] = step
        slope = (loss(amounts + moved) - loss(amounts - moved)) / (2 * step)
        assert float(gradient(amounts)[0, column]) == pytest.approx(float(slope), rel=1e-5, abs=1e-8)


def test_a_sample_does_not_depend_on_the_others():
    amounts = noisy(6)
    torch.testing.assert_close(gradient(amounts)[:2], gradient(amounts[:2]))


def test_unknown_elements_have_no_gradient():
    known = torch.ones(118, dtype=torch.bool)
    known[3] = False
    assert (gradient(noisy(4), Guidance(known, 4.0))[:, 3] == 0).all()


def test_a_sample_without_positive_amounts_has_no_prediction():
    amounts = torch.stack([-torch.ones(96), torch.ones(96)])
    fractions, tc, energy = GUIDANCE.predictions(amounts, TC, ENERGY)
    assert tc.isnan().tolist() == energy.isnan().tolist() == [True, False]
    assert fractions.sum(1).tolist() == pytest.approx([0, 1])
