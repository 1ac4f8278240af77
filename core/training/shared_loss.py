"""A loss of several terms, which threads compute side by side, forward and backward.

The operations of a small network are too short to be divided among the cores; whole parts of a batch are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from core.generation.gradient.batch_parallel import BatchParallel
from core.training.batches import Batch

Loss = Callable[[nn.Module, Batch], torch.Tensor]
Term = Callable[[], torch.Tensor]


class SharedLoss:
    """(network, batch) -> scalar: the sum of the terms of the batch, each a function that gives a scalar.

    With two terms a gradient depends on these only; with more, its rounding also on the order in which threads end.
    """

    def __init__(self, terms: Callable[[nn.Module, Batch], Sequence[Term]], threads: int):
        """threads : that compute the terms in `backward`; with 1 the calling thread does"""
        self._terms, self._pool = terms, BatchParallel(threads if threads > 1 else 0)

    def __call__(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """The loss, computed in the calling thread."""
        return torch.stack([term() for term in self._terms(network, batch)]).sum()

    def backward(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """The loss, detached; its gradient is added to that of the parameters of the network."""
        terms = self._terms(network, batch)

        def share(rows: slice) -> torch.Tensor:
            return torch.stack([_backward(term()) for term in terms[rows]]).sum()

        return torch.stack(self._pool.map(share, len(terms), min_rows=1)).sum()


def with_gradient(loss: Loss | SharedLoss, network: nn.Module, batch: Batch) -> torch.Tensor:
    """The loss, detached; its gradient is added to that of the parameters of the network."""
    if isinstance(loss, SharedLoss):
        return loss.backward(network, batch)
    return _backward(loss(network, batch))


def _backward(value: torch.Tensor) -> torch.Tensor:
    value.backward()
    return value.detach()
