"""The wrapped normal distribution: its score against the sum, its normalisation, its limits."""

import math

import numpy as np
import pytest
import torch

from core.structures.diffusion.coordinate_noise import score, score_rms, sigmas


def density(x: float, sigma: float) -> float:
    return sum(math.exp(-((x + k) ** 2) / (2 * sigma**2)) for k in range(-30, 31)) / (sigma * math.sqrt(2 * math.pi))


@pytest.mark.parametrize(
    ("sigma", "x"),
    [(0.005, 0.001), (0.005, -0.01), (0.03, 0.2), (0.03, 0.49), (0.2, -0.01), (0.2, 0.49), (0.5, 0.2), (0.5, 0.49)],
)
def test_the_score_is_the_derivative_of_the_logarithm_of_the_explicit_sum(sigma, x):
    h = 1e-6
    expected = (math.log(density(x + h, sigma)) - math.log(density(x - h, sigma))) / (2 * h)
    found = float(score(torch.tensor(x, dtype=torch.float64), torch.tensor(sigma, dtype=torch.float64)))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_the_score_does_not_change_by_whole_cells():
    x, sigma = torch.linspace(-0.4, 0.4, 9, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    for cells in (-7, 1, 25):
        torch.testing.assert_close(score(x + cells, sigma), score(x, sigma), rtol=1e-9, atol=1e-9)


def test_the_score_vanishes_at_the_atom_and_half_a_cell_away():
    sigma = torch.tensor([0.02, 0.3, 0.5], dtype=torch.float64)
    for x in (0.0, 0.5):
        assert score(torch.full((3,), x, dtype=torch.float64), sigma).abs().max() < 1e-9


def test_the_root_mean_square_is_that_of_drawn_coordinates():
    rms, sigma = score_rms(), sigmas()
    z = torch.randn(10_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for step in (0, 500, 800, 999):
        drawn = score(sigma[step] * z, torch.tensor(sigma[step])).square().mean().sqrt()
        assert rms[step] == pytest.approx(float(drawn), rel=0.03)


def test_without_overlap_of_the_images_the_root_mean_square_is_that_of_a_normal_distribution():
    np.testing.assert_allclose(score_rms()[:400], 1 / sigmas()[:400], rtol=1e-6)


def test_the_widths_rise_geometrically_from_0_005_to_0_5():
    sigma = sigmas()
    assert (len(sigma), sigma[0], sigma[-1]) == (1000, pytest.approx(0.005), pytest.approx(0.5))
    np.testing.assert_allclose(sigma[1:] / sigma[:-1], 100 ** (1 / 999))
