"""The periodic-table image."""

import torch

from core.chemistry.composition import compositions
from core.predictors.features.periodic_table_image import periodic_table_image


def test_pixels_of_hydrogen_and_chlorine_are_those_of_the_paper():
    image = periodic_table_image(torch.tensor(compositions(["HCl3"])))
    assert image.shape == (1, 4, 7, 32)
    assert image[0, 0, 0, 0] == 0.25  # H: s, row 1, column 1
    assert image[0, 1, 2, 30] == 0.75  # Cl: p, row 3, column 31
    assert image.count_nonzero() == 2


def test_every_element_has_its_own_pixel():
    image = periodic_table_image(torch.eye(118)).flatten(1)
    assert torch.equal(image.sum(1), torch.ones(118))
    assert len(set(image.argmax(1).tolist())) == 118


def test_linear_and_differentiable():
    x = torch.rand(3, 118, dtype=torch.float64, requires_grad=True)
    y = torch.rand(3, 118, dtype=torch.float64)
    assert torch.allclose(periodic_table_image(2 * x + y), 2 * periodic_table_image(x) + periodic_table_image(y))
    assert torch.autograd.gradcheck(periodic_table_image, x[:1, :])
