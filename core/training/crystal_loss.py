"""The loss of the network of crystals, for training and on held-out crystals.

loss = lattice + positions + types: mean squared errors of the velocity of the lattice and of the score of the
coordinates, and the cross entropy of the hidden types. DiffCSP predicts the noise of the types instead, with a weight
of 20, see `core.structures.diffusion.noise`. A share of the crystals has no hidden types, so that the same network also
finds the structure of a given formula; DiffCSP trains two networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from core.generation.diffusion.noise_schedule import STEPS
from core.structures.diffusion.crystals import Crystals, Groups, one_hot
from core.structures.diffusion.network import Condition, Prediction
from core.structures.diffusion.noise import Drawn, NoiseTables, Target, hidden_atoms, noise_tables, with_noise
from core.training.batches import Batch
from core.training.shared_loss import SharedLoss, Term

HELD_OUT_GROUP = 32  # held-out crystals that are computed together
HELD_OUT_SEED = 0


@dataclass(frozen=True)
class LossSettings:
    """Settings of the loss.

    known_share : share of crystals whose types are not hidden
    dropped_share : share of crystals whose Tc is not given; None: no Tc is ever given
    bfloat16 : whether the network multiplies in bfloat16
    """

    known_share: float = 0.5
    dropped_share: float | None = None
    bfloat16: bool = True


class Losses(NamedTuple):
    """Mean squared errors of lattice and positions, and mean cross entropy of the types, of one batch."""

    lattice: torch.Tensor
    positions: torch.Tensor
    types: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The loss."""
        return self.lattice + self.positions + self.types


def crystals_of(batch: Batch) -> Crystals:
    """The crystals of columns of a `CrystalTable`; padding has the type of the first element."""
    kinds, positions, lattice, atoms = batch[:4]
    return Crystals(one_hot(kinds), positions, lattice, atoms)


def noise_prediction_loss(device: torch.device, groups: Groups, settings: LossSettings, threads: int = 1) -> SharedLoss:
    """(network, columns of crystals in these groups) -> loss, with steps and noise drawn on the device.

    threads : among which the groups of a batch are divided
    """
    tables, shares = noise_tables(device), divided(len(groups.shapes), threads)

    def terms(network: nn.Module, batch: Batch) -> list[Term]:
        crystals = crystals_of(batch)
        b, size = crystals.positions.shape[:2]
        drawn = Drawn(
            torch.randint(0, STEPS, (b,), device=device),
            (torch.rand(b, device=device) < settings.known_share).float(),
            torch.randn(b, 6, device=device),
            torch.randn(b, size, 3, device=device),
            torch.rand(b, size, device=device),
        )
        condition = None
        if settings.dropped_share is not None:
            condition = Condition(batch[4], (torch.rand(b, device=device) >= settings.dropped_share).float())
        counts = counted(crystals, drawn, tables)

        def term(share: Sequence[int]) -> torch.Tensor:
            # The cache of converted weights belongs to all threads, and the first one to finish clears it.
            alone = len(shares) == 1
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.bfloat16, cache_enabled=alone):
                predicted = _by_group(network, crystals, drawn, groups, condition, tables, share)
            return losses(predicted, counts).total

        return [partial(term, share) for share in shares]

    return SharedLoss(terms, len(shares))


def divided(groups: int, threads: int) -> list[list[int]]:
    """Groups, in the order of their size, divided into shares of similar work: each other turn goes backwards."""
    count = min(threads, groups)
    turns = [list(range(first, min(first + count, groups))) for first in range(0, groups, count)]
    shares: list[list[int]] = [[] for _ in range(count)]
    for number, turn in enumerate(turns):
        for share, group in zip(shares if number % 2 == 0 else shares[::-1], turn, strict=False):
            share.append(group)
    return shares


Part = tuple[Crystals, Prediction, Target]  # of a group: without noise, predicted, wanted


class Counts(NamedTuple):
    """What the means are over: crystals, their atoms, and atoms whose types are hidden."""

    crystals: int
    atoms: torch.Tensor
    hidden: torch.Tensor


def counted(crystals: Crystals, drawn: Drawn, tables: NoiseTables) -> Counts:
    """The counts of all crystals of a batch."""
    return Counts(len(crystals), crystals.real.sum(), hidden_atoms(crystals, drawn, tables).sum().clamp(min=1))


def _by_group(
    network: nn.Module, crystals: Crystals, drawn: Drawn, groups: Groups, condition: Condition | None,
    tables: NoiseTables, share: Sequence[int],
) -> list[Part]:  # fmt: skip
    """What the network predicts for the groups of a share, given by their places."""
    parts = []
    starts = np.cumsum([0, *(rows for rows, _ in groups.shapes)])
    for place in share:
        rows = slice(int(starts[place]), int(starts[place + 1]))
        size = groups.shapes[place][1]
        group, own = crystals.part(rows, size), drawn.part(rows, size)
        noisy, target = with_noise(group, own, tables)
        given = None if condition is None else Condition(condition.tc_K[rows], condition.given[rows])
        parts.append((group, network(noisy, own.step, given), target))
    return parts


def losses(parts: list[Part], counts: Counts) -> Losses:
    """Sums over the crystals, and over their atoms, divided by the counts of all."""
    lattice, positions, types = [], [], []
    for group, predicted, target in parts:
        lattice.append((predicted.lattice - target.lattice).square().mean(1).sum())
        positions.append(((predicted.positions - target.positions).square().mean(2) * group.real).sum())
        types.append((-(predicted.types.log_softmax(-1) * target.types).sum(2) * target.hidden).sum())
    sums = [torch.stack(each).sum() for each in (lattice, positions, types)]
    return Losses(*(each / count for each, count in zip(sums, counts, strict=True)))


@torch.no_grad()
def held_out_losses(network: nn.Module, columns: Batch, with_tc: bool = False) -> dict[str, dict[str, float]]:
    """Losses on crystals (n, ...), in the order of their size, at steps that are evenly spread and with fixed noise.

    with_tc : whether the Tc of the crystals is given

    "any formula": types are hidden; "given formula": none is. Means over the whole set, in float32.
    """
    crystals, device = crystals_of(columns), columns[1].device
    tables, b = noise_tables(device), len(crystals)
    generator = torch.Generator().manual_seed(HELD_OUT_SEED)
    order = torch.from_numpy(np.random.default_rng(HELD_OUT_SEED).permutation(b))
    step = ((order + 0.5) * (STEPS / b)).long()  # each part of the schedule as often, whatever the size of the crystal
    normal = [torch.randn(shape, generator=generator) for shape in ((b, 6), tuple(crystals.positions.shape))]
    numbers = [each.to(device) for each in (*normal, torch.rand(crystals.positions.shape[:2], generator=generator))]
    groups = Groups.of(columns[3].tolist(), HELD_OUT_GROUP)
    condition = Condition(columns[4], torch.ones(b, device=device)) if with_tc else None
    found = {}
    for name, known in (("any formula", 0.0), ("given formula", 1.0)):
        drawn = Drawn(step.to(device), torch.full((b,), known, device=device), *numbers)
        parts = _by_group(network, crystals, drawn, groups, condition, tables, range(len(groups.shapes)))
        made = losses(parts, counted(crystals, drawn, tables))
        found[name] = {"lattice": float(made.lattice), "positions": float(made.positions)}
        if not known:
            found[name] |= {"types": float(made.types), "loss": float(made.total)}
    return found
