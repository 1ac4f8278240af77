"""The network has the published size, and treats the samples of a batch separately."""

import pytest
import torch

from core.generation.diffusion.network import N_POSITIONS, UNet, UNetSize

SMALL = UNetSize(width=8, multipliers=(1, 2), heads=2, head_width=4, groups=4)


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_published_network_has_the_published_number_of_parameters():
    assert count(UNet()) == 5_566_177


@pytest.mark.parametrize("size", [SMALL, UNetSize()])
def test_a_sample_does_not_depend_on_the_others_of_its_batch(size):
    torch.manual_seed(0)
    network = UNet(size).eval()
    amounts, step = torch.randn(3, N_POSITIONS), torch.tensor([0, 500, 999])
    with torch.no_grad():
        together = network(amounts, step)
        alone = torch.cat([network(amounts[k : k + 1], step[k : k + 1]) for k in range(3)])
    assert together.shape == amounts.shape
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_result_depends_on_the_step_and_reaches_across_the_periodic_table():
    torch.manual_seed(0)
    network = UNet(SMALL)
    amounts = torch.randn(1, N_POSITIONS, requires_grad=True)
    early, late = (network(amounts, torch.tensor([t])) for t in (0, 900))
    assert not torch.allclose(early, late)
    (gradient,) = torch.autograd.grad(early[0, 0], amounts)
    assert gradient[0, -1] != 0
