"""A loss in terms that threads compute: the same value and gradient as in one thread."""

import threading

import pytest
import torch
from torch import nn

from core.training.shared_loss import SharedLoss, with_gradient

BATCH = (torch.randn(12, 3, generator=torch.Generator().manual_seed(0)),)


def terms(network, batch):
    """The mean of the squares of the outputs, in four terms."""
    return [lambda rows=rows: network(rows).square().sum() / len(batch[0]) for rows in batch[0].split(3)]


def gradient(loss):
    torch.manual_seed(1)
    network = nn.Linear(3, 2)
    value = with_gradient(loss, network, BATCH)
    assert not value.requires_grad
    return value, torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_terms_in_threads_have_the_value_and_the_gradient_of_the_sum(threads):
    def whole(network, batch):
        return network(batch[0]).square().sum() / len(batch[0])

    (value, found), (wanted_value, wanted) = gradient(SharedLoss(terms, threads)), gradient(whole)
    assert value == pytest.approx(float(wanted_value), rel=1e-6)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_called_it_is_the_loss_itself():
    torch.manual_seed(1)
    network = nn.Linear(3, 2)
    called = SharedLoss(terms, 2)(network, BATCH)
    assert called.requires_grad and float(called.detach()) == pytest.approx(float(gradient(SharedLoss(terms, 2))[0]))


def test_two_threads_compute_side_by_side_and_one_is_the_calling_one():
    met = threading.Barrier(2, timeout=60)

    def waiting(network, batch):
        def term():
            met.wait()  # passes only if another thread is here too
            return network(batch[0]).sum()

        return [term, term]

    gradient(SharedLoss(waiting, 2))
    seen = []

    def recorded(network, batch):
        def term():
            seen.append(threading.current_thread())
            return network(batch[0]).sum()

        return [term]

    gradient(SharedLoss(recorded, 1))
    assert seen == [threading.current_thread()]


def test_an_error_in_a_term_is_raised():
    def broken(network, batch):
        def term():
            raise ValueError("a broken term")

        return [term, term]

    with pytest.raises(ValueError, match="a broken term"):
        gradient(SharedLoss(broken, 2))
