"""The loss of crystals: its parts, its independence of padding and groups."""

import math

import numpy as np
import pytest
import torch

from core.generation.diffusion.noise_schedule import STEPS
from core.structures.diffusion.crystals import Groups
from core.structures.diffusion.lattice_numbers import LatticeScale
from core.structures.diffusion.network import CrystalNet, CrystalNetSize, Prediction
from core.training.crystal_loss import LossSettings, divided, held_out_losses, noise_prediction_loss
from core.training.shared_loss import with_gradient
from tests.no_synchronisation import no_synchronisation

SCALE = LatticeScale((1.0,) * 6, (0.3,) * 6)
SMALL = CrystalNetSize(width=16, layers=2, frequencies=4, radial=4, encoding=8, adapter=True, adapter_width=8)
CPU = torch.device("cpu")


def columns(*atoms: int):
    torch.manual_seed(0)
    b = len(atoms)
    kinds = torch.randint(0, 90, (b, 20)).to(torch.uint8)
    return kinds, torch.rand(b, 20, 3), torch.randn(b, 6), torch.tensor(atoms), torch.rand(b) * 20


def nothing(crystals, step, condition=None):
    return Prediction(*(torch.zeros_like(each) for each in (crystals.lattice, crystals.positions, crystals.types)))


def test_a_network_without_output_has_the_variances_as_loss():
    data = columns(*sorted(np.random.default_rng(0).integers(10, 21, 200).tolist()))
    found = held_out_losses(nothing, data)
    assert found["any formula"]["lattice"] == pytest.approx(1, abs=0.1)
    assert found["any formula"]["positions"] == pytest.approx(1 - 1 / 15, abs=0.05)
    assert found["any formula"]["types"] == pytest.approx(math.log(100))
    assert found["any formula"]["loss"] == pytest.approx(2 + math.log(100), abs=0.2)
    assert found["given formula"].keys() == {"lattice", "positions"}


def test_the_training_loss_has_the_same_parts():
    data, groups = columns(*[4] * 100, *[6] * 100), Groups(((100, 4), (100, 6)))
    loss = noise_prediction_loss(CPU, groups, LossSettings(known_share=0.5, bfloat16=False))
    assert float(loss(nothing, data)) == pytest.approx(2 + math.log(100), abs=0.2)


def test_known_types_have_no_loss():
    data, groups = columns(*[4] * 50), Groups(((50, 4),))
    loss = noise_prediction_loss(CPU, groups, LossSettings(known_share=1.0, bfloat16=False))
    assert float(loss(nothing, data)) == pytest.approx(2, abs=0.4)


def test_held_out_losses_repeat_and_do_not_change_random_numbers():
    torch.manual_seed(0)
    network, data = CrystalNet(SCALE, SMALL).eval(), columns(2, 3, 3, 7)
    state = torch.get_rng_state()
    first = held_out_losses(network, data)
    assert torch.equal(torch.get_rng_state(), state)
    assert held_out_losses(network, data) == first
    assert held_out_losses(network, data, with_tc=True) == first  # the adapter is at zero


def test_steps_of_held_out_crystals_are_spread_over_the_schedule():
    seen = []

    def recorded(crystals, step, condition=None):
        seen.append(step)
        return nothing(crystals, step)

    held_out_losses(recorded, columns(*[3] * 10))
    assert sorted(seen[0].tolist()) == [STEPS // 20 + k * STEPS // 10 for k in range(10)]


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_loss_and_its_gradient_do_not_wait_for_a_device(bfloat16):
    network, data, groups = CrystalNet(SCALE, SMALL), columns(2, 4, 5, 5), Groups(((2, 4), (2, 5)))
    loss = noise_prediction_loss(CPU, groups, LossSettings(dropped_share=0.2, bfloat16=bfloat16))
    with no_synchronisation():
        loss(network, data).backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    assert gradients["entry.weight"].abs().max() > 0 and gradients["adapters.0.mixin.weight"].abs().max() > 0


def test_threads_share_the_groups_and_give_the_same_gradient():
    data, groups = columns(2, 4, 5, 5, 6, 7), Groups(((2, 4), (2, 5), (2, 7)))

    def found(threads):
        torch.manual_seed(0)
        network = CrystalNet(SCALE, SMALL)
        loss = noise_prediction_loss(CPU, groups, LossSettings(dropped_share=0.2, bfloat16=False), threads)
        value = with_gradient(loss, network, data)
        return torch.cat([value[None], *(parameter.grad.flatten() for parameter in network.parameters())])

    alone = found(1)
    assert alone.abs().max() > 0
    for threads in (2, 3, 8):
        assert found(threads) == pytest.approx(alone, rel=1e-4, abs=1e-6)


def test_two_threads_repeat_their_gradient_exactly_in_bfloat16():
    data, groups = columns(*[4] * 8, *[6] * 8, *[9] * 8, *[12] * 8), Groups(((8, 4), (8, 6), (8, 9), (8, 12)))
    size = CrystalNetSize(width=64, layers=2, frequencies=8, radial=4, encoding=16)

    def found():
        torch.manual_seed(0)
        network = CrystalNet(SCALE, size)
        with_gradient(noise_prediction_loss(CPU, groups, LossSettings(bfloat16=True), 2), network, data)
        return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])

    first = found()
    assert all(torch.equal(found(), first) for _ in range(20))


def test_shares_of_groups_have_similar_work():
    assert divided(8, 2) == [[0, 3, 4, 7], [1, 2, 5, 6]]
    assert divided(3, 2) == [[0], [1, 2]]
    assert divided(2, 4) == [[0], [1]]
    assert divided(4, 1) == [[0, 1, 2, 3]]
