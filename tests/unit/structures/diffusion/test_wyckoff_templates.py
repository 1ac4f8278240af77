"""Symmetry of samples: projections against the closed form, and samples that have the symmetry of their template."""

import numpy as np
import pytest
import torch

from core.chemistry.structure import Structure, lattice_matrix
from core.structures.diffusion.lattice_numbers import lattice_of, numbers_of
from core.structures.diffusion.sampler import SamplerSettings, Task, Wanted, run
from core.structures.diffusion.wyckoff_templates import BlockSymmetry, WyckoffTemplate
from core.structures.symmetry import space_group_of
from tests.unit.structures.diffusion.conftest import SCALE

CPU = torch.device("cpu")
LIFEAS = Structure(  # P4/nmm with two free heights
    lattice_matrix((3.8, 3.8, 6.4, 90, 90, 90)),
    ("Li", "Li", "Fe", "Fe", "As", "As"),
    np.array([[0.25, 0.25, 0.35], [0.75, 0.75, 0.65], [0.75, 0.25, 0], [0.25, 0.75, 0],
              [0.25, 0.25, 0.74], [0.75, 0.75, 0.26]]),
)  # fmt: skip
ROCK_SALT = Structure(
    lattice_matrix((4.0, 4.0, 4.0, 60, 60, 60)), ("Na", "Cl"), np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]])
)


def template(structure: Structure) -> WyckoffTemplate:
    return WyckoffTemplate.of(structure, structure.symbols)


def test_projections_have_the_free_numbers_of_the_wyckoff_positions():
    assert round(np.trace(template(LIFEAS).displacements)) == 2 and round(np.trace(template(LIFEAS).metrics)) == 2
    assert round(np.trace(template(ROCK_SALT).displacements)) == 0 and round(np.trace(template(ROCK_SALT).metrics)) == 1
    for each in (template(LIFEAS), template(ROCK_SALT)):
        np.testing.assert_allclose(each.displacements @ each.displacements, each.displacements, atol=1e-12)
        np.testing.assert_allclose(each.metrics @ each.metrics, each.metrics, atol=1e-12)


def test_the_metric_tensor_is_the_mean_over_the_operations():
    lattice = lattice_of(numbers_of(LIFEAS.lattice) + np.array([0.1, -0.1, 0.2, 0.05, 0.0, 0.1]))
    found = (template(LIFEAS).metrics @ (lattice @ lattice.T).ravel()).reshape(3, 3)
    a, b, c = np.diag(lattice @ lattice.T)
    np.testing.assert_allclose(np.sort(np.diag(found)), np.sort([(a + b) / 2, (a + b) / 2, c]), atol=1e-9)
    np.testing.assert_allclose(found, np.diag(np.diag(found)), atol=1e-9)


def test_symmetric_structures_are_not_changed_and_others_become_symmetric():
    block = BlockSymmetry([template(LIFEAS)] * 2, CPU)
    given = template(LIFEAS).positions
    moved = given + np.random.default_rng(0).normal(0, 0.02, given.shape)
    positions = torch.from_numpy(np.stack([given, moved])).float()
    shifted = positions + block.shift(positions)
    np.testing.assert_allclose(shifted[0], given, atol=1e-6)
    assert block.shift(positions)[1].abs().max() > 0.01 and block.shift(shifted).abs().max() < 1e-5
    atoms = torch.tensor([6, 6])
    standard = torch.from_numpy(SCALE.standard(np.stack([numbers_of(LIFEAS.lattice)] * 2), atoms.numpy())).float()
    standard[1] += torch.tensor([0.3, -0.2, 0.1, 0.2, 0.0, 0.1])
    made = block.symmetric_lattice(standard, atoms, SCALE)
    np.testing.assert_allclose(made[0], standard[0], atol=1e-4)
    np.testing.assert_allclose(block.symmetric_lattice(made, atoms, SCALE), made, atol=1e-4)


def test_a_template_of_other_atoms_is_refused():
    with pytest.raises(ValueError, match="has other atoms than Na Br"):
        WyckoffTemplate.of(ROCK_SALT, ("Na", "Br"))


def test_atoms_without_a_template_are_free():
    block = BlockSymmetry([WyckoffTemplate.none(3)], CPU)
    assert len(block) == 1 and block.shift(torch.rand(1, 3, 3)).abs().max() < 1e-6


@pytest.mark.parametrize("corrector", [False, True])
def test_samples_have_the_space_group_of_their_template(network, corrector):
    block = BlockSymmetry([template(LIFEAS)] * 3, CPU)
    settings = SamplerSettings(steps=8, corrector=corrector)
    task = Task(network, (), 3, 0, 3, Wanted(composition=LIFEAS.symbols), settings, CPU, block)
    made = [each for each in run(task) if each is not None]
    assert made and all(space_group_of(each, 1e-3) in (129, 123) or space_group_of(each, 1e-3) > 129 for each in made)
