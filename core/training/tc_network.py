"""Tune a network of `formation-energy-ensemble` for the critical temperature of superconductors.

What it has learnt from a hundred thousand formation energies is what makes it useful here: the same network with new
weights overfits the ten thousand superconductors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.chemistry import elements
from core.predictors import checkpoint
from core.predictors.layers.composition_attention import CompositionAttention
from core.training import loop
from core.training.loop import Batch, FitSettings

SCALE_K = 20.0  # the network is trained on Tc in this unit, near 1


@dataclass(frozen=True)
class NetworkSettings:
    """How the network is tuned; all of it goes into the card.

    member : of `formation-energy-ensemble`, with whose weights it starts
    averaging : decay per step of the averaged weights
    jitter : relative noise on the fractions, three times what a synthesis hits: doping series are smooth
    trace : fraction far below which the others do not notice an element: unlike energies, Tc falls with a per cent of
        some, and what learns that overdoes it
    traced : share of the rows to which a little of another row is added, as much as `traces` says (from, to; drawn
        logarithmically): every sample has traces of everything, and its Tc does not know
    linear_from_K : smaller errors count by their squares
    """

    member: int = 0
    epochs: int = 25
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    averaging: float = 0.99
    jitter: float = 0.03
    trace: float = 1e-3
    traced: float = 0.5
    traces: tuple[float, float] = (1e-6, 1e-4)
    linear_from_K: float = 6.0


def fit(
    start: CompositionAttention,
    compositions: np.ndarray,
    tc_K: np.ndarray,
    trust: np.ndarray,
    settings: NetworkSettings,
    seed: int,
    resume: Path,
) -> CompositionAttention:
    """A network (batch, 118) -> (batch, 1) that says Tc in K; `start` stays as it is.

    compositions (n, 118), tc_K (n,), trust (n,) : the weight of each row. Its weights are rounded to the 16 bits that a
    checkpoint holds. `resume` : folder of the resume point, see `loop.fit`. Raises InputError as `loop.fit` does.
    """
    x, y, weight = (torch.from_numpy(values).float() for values in (compositions, tc_K / SCALE_K, trust))
    model = CompositionAttention(replace(start.size, trace=settings.trace))
    model.load_state_dict(start.state_dict())
    last = model.head[-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    steps = len(y) // settings.batch

    def batches(epoch: int) -> Iterator[Batch]:
        random = np.random.default_rng([seed, epoch])
        order = torch.from_numpy(random.permutation(len(y)))
        for rows in order.split(settings.batch)[:steps]:
            noise = 1 + settings.jitter * random.standard_normal((len(rows), elements.N_ELEMENTS))
            noisy = x[rows] * torch.from_numpy(noise.clip(0)).float()
            noisy /= noisy.sum(1, keepdim=True)
            share = np.exp(random.uniform(*np.log(settings.traces), len(rows)))
            share *= random.random(len(rows)) < settings.traced
            noisy = noisy.lerp(noisy[random.permutation(len(rows))], torch.from_numpy(share).float()[:, None])
            yield noisy, y[rows], weight[rows]

    def loss(network: CompositionAttention, batch: Batch) -> torch.Tensor:
        fractions, wanted, counts = batch
        beta = settings.linear_from_K / SCALE_K
        return (
            counts * functional.smooth_l1_loss(network(fractions).squeeze(1), wanted, reduction="none", beta=beta)
        ).mean()

    fitting = FitSettings(
        settings.epochs, steps, settings.learning_rate, settings.weight_decay, averaging=settings.averaging
    )
    found = loop.fit(model, batches, loss, fitting, resume, lambda _: {})
    with torch.no_grad():
        found.head[-1].weight *= SCALE_K
        found.head[-1].bias *= SCALE_K
    found.load_state_dict({key: value.float() for key, value in checkpoint.to_storage(found.state_dict()).items()})
    return found.requires_grad_(False)
