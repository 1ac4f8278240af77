"""Lattices as six numbers: independent of the orientation, invertible, and Niggli cells are the same crystal."""

import numpy as np
import pytest
import torch

from core.chemistry.structure import Structure, lattice_matrix, lattice_parameters
from core.structures.diffusion.lattice_numbers import LatticeScale, lattice_of, metric, niggli, numbers_of
from core.structures.match import Reduced

CELLS = np.array(
    [lattice_matrix(cell) for cell in ((4, 4, 4, 90, 90, 90), (3.2, 5, 9, 80, 75, 62), (3, 3, 12, 90, 90, 120))]
)


def rotation(seed: int) -> np.ndarray:
    turned, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turned


def test_the_numbers_do_not_depend_on_the_orientation():
    for seed in range(3):
        np.testing.assert_allclose(numbers_of(CELLS @ rotation(seed)), numbers_of(CELLS), atol=1e-12)


def test_the_lattice_of_the_numbers_has_the_same_lengths_and_angles():
    for given, made in zip(CELLS, lattice_of(numbers_of(CELLS)), strict=True):
        np.testing.assert_allclose(lattice_parameters(made), lattice_parameters(given), atol=1e-9)
    np.testing.assert_allclose(np.exp(numbers_of(CELLS)[:, :3].sum(1)), np.linalg.det(CELLS))


def test_any_six_numbers_are_a_cell_with_a_volume():
    made = lattice_of(np.random.default_rng(0).normal(size=(20, 6)))
    assert (np.linalg.det(made) > 0).all()


def test_the_metric_is_that_of_the_lattice():
    numbers = torch.from_numpy(numbers_of(CELLS)).float()
    torch.testing.assert_close(
        metric(numbers).double(), torch.from_numpy(CELLS @ CELLS.swapaxes(1, 2)), rtol=1e-4, atol=1e-4
    )


def test_standard_numbers_have_mean_0_and_deviation_1_and_can_be_inverted():
    random = np.random.default_rng(1)
    atoms = random.integers(1, 20, 200)
    numbers = random.normal(size=(200, 6)) * 0.2 + np.log(atoms)[:, None] / 3
    scale = LatticeScale.of(numbers, atoms)
    standard = scale.standard(numbers, atoms)
    np.testing.assert_allclose(standard.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(standard.std(0), 1)
    np.testing.assert_allclose(scale.numbers(standard, atoms), numbers)
    with pytest.raises(ValueError, match="differ"):
        LatticeScale.of(numbers[:1], atoms[:1])


def test_the_niggli_cell_is_the_same_crystal_from_every_choice_of_the_cell():
    given = Structure(CELLS[1], ("Na", "Cl", "O"), np.array([[0.1, 0.2, 0.3], [0.6, 0.1, 0.9], [0.4, 0.5, 0.0]]))
    first = niggli(given)
    assert Reduced(first).matches(Reduced(given))
    assert first.volume_A3 == pytest.approx(given.volume_A3)
    for change in ([[1, 1, 0], [0, 1, 0], [0, 0, 1]], [[1, 0, 0], [2, 1, 0], [-1, 3, 1]]):
        other = np.array(change) @ given.lattice
        again = niggli(Structure(other, given.symbols, given.positions @ np.linalg.inv(change)))
        np.testing.assert_allclose(numbers_of(again.lattice), numbers_of(first.lattice), atol=1e-8)
        assert ((again.positions >= 0) & (again.positions < 1)).all()
