"""Fine-tune a network of `formation-energy-ensemble` for the critical temperature of superconductors.

The pretraining on a hundred thousand formation energies is essential: the same network with new weights overfits the
ten thousand superconductors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.chemistry import elements
from core.predictors import checkpoint
from core.predictors.layers.composition_attention import CompositionAttention
from core.training import loop
from core.training.batches import Batch
from core.training.loop import FitSettings, Fitting

SCALE_K = 20.0  # the network is trained on Tc / SCALE_K, which is of order 1


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of the fine-tuning; all of them are written to the card.

    member : of `formation-energy-ensemble`, whose weights are the initial weights
    averaging : decay per step of the averaged weights
    dropout : see `CompositionAttention`. With one network, MAE and R2 for two fifths of the chemical systems, each
        held out, without the test part: 6.73 K and 0.807 without, 6.45 K and 0.824 with 0.1, 6.48 K and 0.822 with 0.2
    jitter : relative noise on the fractions, three times the accuracy of a synthesis, because doping series are smooth
    trace : see `AttentionSize`. 1% of some elements lowers Tc, and the network would overestimate smaller amounts
    traced : fraction of the rows that are mixed with a little of another row, because every sample contains
        traces without effect on Tc
    traces : range of the fraction of the other row, drawn log-uniformly
    linear_from_K : error in K above which the loss is linear, and below which it is quadratic
    """

    member: int = 0
    epochs: int = 25
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    averaging: float = 0.99
    dropout: float = 0.15
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
    """A network (batch, 118) -> Tc in K (batch, 1); `start` is not changed.

    compositions (n, 118), tc_K (n,), trust (n,) : the weight of each row
    resume : folder of the resume point, see `loop.fit`

    The weights are rounded to the 16 bits of a checkpoint. Raises InputError as `loop.fit` does.
    """
    (tuned,) = fitting(start, compositions, tc_K, trust, settings, seed).run([resume])
    tuned = cast(CompositionAttention, tuned).with_capacity(None)
    last = cast(nn.Linear, tuned.head[-1])
    with torch.no_grad():
        last.weight.mul_(SCALE_K)
        last.bias.mul_(SCALE_K)
    tuned.load_state_dict({key: value.float() for key, value in checkpoint.to_storage(tuned.state_dict()).items()})
    return tuned.requires_grad_(False)


def fitting(
    start: CompositionAttention,
    compositions: np.ndarray,
    tc_K: np.ndarray,
    trust: np.ndarray,
    settings: NetworkSettings,
    seed: int,
) -> Fitting:
    """The fit of a network (batch, 118) -> Tc / SCALE_K (batch, 1), as `fit` begins it."""
    x, y, weight = (torch.from_numpy(values).float() for values in (compositions, tc_K / SCALE_K, trust))
    model = CompositionAttention(replace(start.size, trace=settings.trace))
    model.dropout = settings.dropout
    last = cast(nn.Linear, model.head[-1])
    own = {f"head.{len(model.head) - 1}.{key}": value for key, value in last.state_dict().items()}
    model.load_state_dict(start.state_dict() | own)  # the last layer has one output here, whatever it has in `start`
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    if loop.captures_steps():
        # A row is mixed with another one, and has at most the elements of both.
        model = model.with_capacity(2 * int((compositions > 0).sum(1).max()))
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
        fractions, target, weight = batch
        beta = settings.linear_from_K / SCALE_K
        return (
            weight * functional.smooth_l1_loss(network(fractions).squeeze(1), target, reduction="none", beta=beta)
        ).mean()

    fit_settings = FitSettings(
        settings.epochs, steps, settings.learning_rate, settings.weight_decay, averaging=settings.averaging
    )
    return Fitting("network of Tc", [model], [batches], loss, fit_settings, lambda _: {})
