"""Chunks of rows give the values and the gradient of the whole."""

import pytest
import torch

from core.predictors.layers.row_chunks import in_chunks

INPUTS = torch.linspace(-2, 2, 35, dtype=torch.float64).view(7, 5)


def cubes(x: torch.Tensor) -> torch.Tensor:
    """The sum of the cubes of each row (n, 5) -> (n, 1)."""
    return x.pow(3).sum(1, keepdim=True)


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_values_and_gradient_of_the_whole(rows):
    x = INPUTS.clone().requires_grad_()
    values = in_chunks(cubes, x, rows)
    assert torch.allclose(values, cubes(INPUTS))
    weight = torch.arange(1.0, 8.0, dtype=torch.float64)[:, None]
    (gradient,) = torch.autograd.grad((weight * values).sum(), x)
    assert torch.allclose(gradient, weight * 3 * INPUTS.square())


def test_at_most_so_many_rows_at_a_time_and_no_gradient_unless_needed():
    seen = []

    def noting(x):
        seen.append((len(x), x.requires_grad))
        return cubes(x)

    in_chunks(noting, INPUTS, 3)
    in_chunks(noting, INPUTS.clone().requires_grad_(), 3)
    assert seen == [(3, False), (3, False), (1, False), (3, True), (3, True), (1, True)]
