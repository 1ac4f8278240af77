"""Rotation, order of the atoms, origin and whole cells do not matter to the network; the adapter starts at zero."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry.structure import lattice_matrix
from core.structures.diffusion.crystals import Crystals, Groups, centred
from core.structures.diffusion.lattice_numbers import lattice_of, numbers_of
from core.structures.diffusion.network import Condition, CrystalNet, CrystalNetSize
from tests.no_synchronisation import no_synchronisation
from tests.unit.structures.diffusion.conftest import SCALE, SMALL, network_of, noisy_crystals

STEP = torch.tensor([10, 700])
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@torch.no_grad()
def test_another_origin_and_whole_cells_change_nothing(network):
    crystals = noisy_crystals(3, 5)
    moved = replace(crystals, positions=crystals.positions + torch.tensor([0.31, -0.2, 4.7]))
    whole = torch.randint(-3, 4, crystals.positions.shape, generator=torch.Generator().manual_seed(1))
    for other in (moved, replace(crystals, positions=crystals.positions + whole)):
        for found, expected in zip(network(other, STEP), network(crystals, STEP), strict=True):
            torch.testing.assert_close(found, expected, **CLOSE)


@torch.no_grad()
def test_the_order_of_the_atoms_is_that_of_the_results(network):
    crystals, order = noisy_crystals(5, 5), torch.tensor([3, 0, 4, 1, 2])
    other = replace(crystals, types=crystals.types[:, order], positions=crystals.positions[:, order])
    found, expected = network(other, STEP), network(crystals, STEP)
    torch.testing.assert_close(found.lattice, expected.lattice, **CLOSE)
    torch.testing.assert_close(found.positions, expected.positions[:, order], **CLOSE)
    torch.testing.assert_close(found.types, expected.types[:, order], **CLOSE)


@torch.no_grad()
def test_a_rotated_crystal_is_the_same_input(network):
    cell = lattice_matrix((3, 5, 7, 80, 70, 65))
    turned, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    crystals, results = noisy_crystals(4), []
    for lattice in (cell, cell @ turned):
        standard = SCALE.standard(numbers_of(lattice[None]), np.array([4]))
        results.append(network(replace(crystals, lattice=torch.from_numpy(standard).float()), STEP[:1]))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, **CLOSE)


@torch.no_grad()
def test_padding_and_the_other_crystals_change_nothing(network):
    crystals = noisy_crystals(2, 6)
    alone = network(crystals.part(slice(0, 1), 2), STEP[:1])
    together = network(crystals, STEP)
    torch.testing.assert_close(together.lattice[:1], alone.lattice, **CLOSE)
    torch.testing.assert_close(together.positions[:1, :2], alone.positions, **CLOSE)
    torch.testing.assert_close(together.types[:1, :2], alone.types, **CLOSE)


@torch.no_grad()
def test_distances_are_the_shortest_of_all_images_in_a_niggli_cell(network):
    cell = lattice_matrix((3, 4, 5, 75, 80, 85))
    standard = SCALE.standard(numbers_of(cell[None]), np.array([4]))
    crystals = replace(noisy_crystals(4), lattice=torch.from_numpy(standard).float())
    x = crystals.positions[0].double().numpy()
    images = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), -1).reshape(-1, 3)
    made = lattice_of(numbers_of(cell))
    expected = np.linalg.norm((x[None] - x[:, None])[:, :, None] @ made + images @ made, axis=-1).min(-1)
    np.testing.assert_allclose(network._distances_A(crystals)[0].numpy(), expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_results_depend_on_time_lattice_types_hidden_types_and_distances(network):
    crystals = noisy_crystals(3, 3)
    reference = network(crystals, STEP).types
    for other in (
        network(crystals, STEP + 1),
        network(replace(crystals, lattice=crystals.lattice + 0.1), STEP),
        network(replace(crystals, types=crystals.types.roll(1, dims=2)), STEP),
        network(replace(crystals, types=torch.zeros_like(crystals.types)), STEP),
        network(replace(crystals, positions=crystals.positions * 0.9), STEP),
    ):  # fmt: skip
        assert not torch.allclose(other.types, reference)


@torch.no_grad()
def test_an_adapter_at_zero_gives_exactly_the_base_network():
    torch.manual_seed(0)
    base, with_adapter = CrystalNet(SCALE, SMALL), CrystalNet(SCALE, replace(SMALL, adapter=True))
    assert with_adapter.load_state_dict(base.state_dict(), strict=False).unexpected_keys == []
    crystals, condition = noisy_crystals(3, 4), Condition(torch.tensor([10.0, 110.0]), torch.ones(2))
    for found, expected in zip(with_adapter(crystals, STEP, condition), base(crystals, STEP), strict=True):
        assert torch.equal(found, expected)


@torch.no_grad()
def test_the_adapter_acts_only_where_a_tc_is_given():
    network, crystals = network_of(replace(SMALL, adapter=True)), noisy_crystals(3, 4)
    without = network(crystals, STEP)
    found = network(crystals, STEP, Condition(torch.tensor([10.0, 10.0]), torch.tensor([0.0, 1.0])))
    torch.testing.assert_close(found.lattice[0], without.lattice[0])
    assert not torch.allclose(found.lattice[1], without.lattice[1])


def test_the_published_size_has_about_the_published_number_of_parameters():
    published = CrystalNet(SCALE, CrystalNetSize(width=512, layers=6, frequencies=128, radial=0))
    count = sum(parameter.numel() for parameter in published.parameters())
    assert count == pytest.approx(12.35e6, rel=0.03)  # without the product of two layers that no function separates


def test_the_network_and_its_gradient_do_not_wait_for_a_device():
    network, crystals = network_of(replace(SMALL, adapter=True)), noisy_crystals(3, 4)
    condition = Condition(torch.tensor([10.0, 20.0]), torch.ones(2))
    with no_synchronisation():
        found = network(crystals, STEP, condition)
        (found.lattice.sum() + found.positions.square().sum() + found.types.sum()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_groups_divide_crystals_by_size():
    groups = Groups.of([1, 2, 2, 5, 6], 2)
    assert groups.shapes == ((2, 2), (2, 5), (1, 6))
    parts = groups.split(noisy_crystals(1, 2, 2, 5, 6))
    assert [(len(part), part.positions.shape[1]) for part in parts] == list(groups.shapes)
    with pytest.raises(ValueError, match="order"):
        Groups.of([2, 1], 2)


def test_centred_vectors_have_no_mean_and_nothing_at_padding():
    crystals = noisy_crystals(2, 4)
    found = centred(torch.randn(2, 4, 3), crystals.real)
    torch.testing.assert_close(found.sum(1), torch.zeros(2, 3), atol=1e-6, rtol=0)
    assert (found[0, 2:] == 0).all()


def test_crystals_with_wrong_shapes_are_refused():
    crystals = noisy_crystals(2, 3)
    with pytest.raises(ValueError, match="lattice"):
        Crystals(crystals.types, crystals.positions, crystals.lattice[:, :5], crystals.atoms)
