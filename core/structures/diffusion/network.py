"""The denoising network of crystals: CSPNet of DiffCSP (Jiao et al. 2023, arXiv:2309.04475) with an adapter for Tc.

Every atom sends a message to every atom of the cell, itself included. A message depends on both atoms, the lattice, and
sines and cosines of their difference in fractional coordinates, which whole cells and the choice of the origin do not
change; the lattice is in a form that rotations do not change, see `lattice_numbers`. The first layer of a message is a
sum of a part for each atom, one for the lattice and one for the difference, so that only the last one is computed for
each pair.

An atom whose type is hidden begins as a vector of its own, like one more element.

The adapter (as in MatterGen, Zeni et al. 2023, arXiv:2312.03687): the Tc as sines and cosines goes through
four linear layers and a mixin that starts at zero, and is added to the atoms after each layer where a Tc is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from core.predictors.device import matmul_precision
from core.structures.diffusion.crystals import N_TYPES, Crystals, centred
from core.structures.diffusion.lattice_numbers import N_NUMBERS, LatticeScale, metric

LONGEST_PERIOD = 10_000.0  # of the encoding of time and Tc (Vaswani et al. 2017)
RADIUS_A = 6.0  # largest centre of the radial functions
ADAPTER_LAYERS = 4


@dataclass(frozen=True)
class CrystalNetSize:
    """Size of the network. As published: width 512, 6 layers, 128 frequencies, no radial functions.

    frequencies : whole numbers k of 2 pi k (x_j - x_i), from 1
    radial : functions of the distance of two atoms in Å, beside the sines and cosines; 0: none
    encoding : sines and cosines of the time, and of Tc
    adapter : whether the network has the adapter for Tc; adapter_width : of its layers
    """

    width: int = 256
    layers: int = 4
    frequencies: int = 32
    radial: int = 16
    encoding: int = 256
    adapter: bool = False
    adapter_width: int = 128


class Prediction(NamedTuple):
    """What a network predicts for b crystals of at most s atoms; see `noise`.

    lattice : (b, 6) velocity of the lattice
    positions : (b, s, 3) score of the coordinates over its root mean square; the mean over the atoms is 0
    types : (b, s, 100) logarithms of the probabilities of hidden types, up to a constant; others have no meaning
    """

    lattice: torch.Tensor
    positions: torch.Tensor
    types: torch.Tensor


class Condition(NamedTuple):
    """The Tc for which crystals are denoised. tc_K : (b,); given : (b,) 1 where there is one, else 0"""

    tc_K: torch.Tensor
    given: torch.Tensor


class CrystalNet(nn.Module):
    """Crystals with noise and the step of each (b,) -> a prediction."""

    _scale: torch.Tensor
    _frequencies: torch.Tensor
    _centres: torch.Tensor

    def __init__(self, scale: LatticeScale, size: CrystalNetSize = CrystalNetSize()):
        super().__init__()
        self.size, self.scale = size, scale
        self.register_buffer("_scale", torch.tensor([scale.mean, scale.deviation]), persistent=False)
        self.register_buffer("_frequencies", 2 * math.pi * torch.arange(1.0, size.frequencies + 1), persistent=False)
        self.register_buffer(
            "_centres", torch.linspace(0, RADIUS_A, max(size.radial, 1))[: size.radial], persistent=False
        )
        self.entry = nn.Linear(N_TYPES, size.width)
        nn.init.normal_(self.entry.weight)  # an embedding of each element
        self.time = nn.Linear(size.encoding, size.width)
        self.hidden = nn.Parameter(torch.randn(size.width))
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.layers))
        self.adapters = nn.ModuleList(_Adapter(size) for _ in range(size.layers if size.adapter else 0))
        self.norm = nn.LayerNorm(size.width)
        self.positions = nn.Linear(size.width, 3, bias=False)
        self.lattice = nn.Linear(size.width, N_NUMBERS, bias=False)
        self.types = nn.Linear(size.width, N_TYPES)

    def forward(self, crystals: Crystals, step: torch.Tensor, condition: Condition | None = None) -> Prediction:
        """See the class; without a condition the adapter is not used."""
        full = matmul_precision(False, step.device)  # distances need it
        with torch.autocast(step.device.type, enabled=False), full:
            pairs, real = self._pairs(crystals), crystals.real
        share = (real / crystals.atoms[:, None])[:, None, None]  # of each atom in a mean over the atoms
        time = self.time(encoded(step, self.size.encoding))
        hidden = 1 - crystals.types.sum(-1, keepdim=True)
        atoms = self.entry(crystals.types).float() + hidden * self.hidden + time[:, None]
        encoded_tc = None if condition is None else encoded(condition.tc_K, self.size.encoding)
        for place, layer in enumerate(self.layers):
            atoms = layer(atoms, crystals.lattice, pairs, share)
            if condition is not None and encoded_tc is not None:
                atoms = atoms + (self.adapters[place](encoded_tc) * condition.given[:, None])[:, None]
        atoms = self.norm(atoms)
        lattice = self.lattice((share[:, 0] @ atoms)[:, 0])
        return Prediction(lattice.float(), centred(self.positions(atoms).float(), real), self.types(atoms).float())

    @torch.no_grad()
    def _pairs(self, crystals: Crystals) -> torch.Tensor:
        """What is known of each pair of atoms (b, s, s, features), the receiving one first."""
        angles = (crystals.positions % 1.0)[..., None] * self._frequencies
        sine, cosine = angles.sin().flatten(2), angles.cos().flatten(2)
        sine_i, cosine_i, sine_j, cosine_j = sine[:, :, None], cosine[:, :, None], sine[:, None], cosine[:, None]
        features = [sine_j * cosine_i - cosine_j * sine_i, cosine_j * cosine_i + sine_j * sine_i]
        if self.size.radial:
            distance = self._distances_A(crystals)[..., None]
            width = RADIUS_A / max(self.size.radial - 1, 1)
            features.append(((distance - self._centres) / width).square().mul(-0.5).exp())
        return torch.cat(features, -1)

    def _distances_A(self, crystals: Crystals) -> torch.Tensor:
        """The shortest distance (b, s, s) of each pair in the cell with its noise, among the eight images around it.

        In a Niggli-reduced cell these contain the nearest image in all but very skewed cells.
        """
        mean, deviation = self._scale
        growth = crystals.atoms.to(mean.dtype).log()[:, None] / 3
        numbers = crystals.lattice * deviation + mean
        metrics = metric(torch.cat((numbers[:, :3] + growth, numbers[:, 3:]), 1))
        difference = (crystals.positions[:, None] - crystals.positions[:, :, None]) % 1.0
        shortest = torch.full_like(difference[..., 0], torch.inf)
        for corner in range(8):
            vector = torch.stack([difference[..., axis] - (corner >> axis & 1) for axis in range(3)], -1)
            square = ((vector.flatten(1, 2) @ metrics) * vector.flatten(1, 2)).sum(-1)
            shortest = torch.minimum(shortest, square.view_as(shortest))
        return shortest.clamp(min=0).sqrt()


def encoded(values: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines (b, width) of steps or temperatures in K (b,) (Vaswani et al. 2017)."""
    half = width // 2
    index = torch.arange(half, device=values.device, dtype=torch.float32)
    angles = values[:, None].float() * torch.exp(index * (-math.log(LONGEST_PERIOD) / (half - 1)))
    return torch.cat((angles.sin(), angles.cos()), dim=1)


class _Layer(nn.Module):
    """Messages between all pairs of atoms, their mean for each atom, and the change of the atoms."""

    def __init__(self, size: CrystalNetSize):
        super().__init__()
        width = size.width
        self.norm = nn.LayerNorm(width)
        self.ends = nn.Linear(width, 2 * width)  # the parts of the receiving and of the sending atom
        self.lattice = nn.Linear(N_NUMBERS, width, bias=False)
        self.pair = nn.Linear(6 * size.frequencies + size.radial, width, bias=False)
        self.second = nn.Linear(width, width)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(
        self, atoms: torch.Tensor, lattice: torch.Tensor, pairs: torch.Tensor, share: torch.Tensor
    ) -> torch.Tensor:
        """Atoms (b, s, width) -> the same after the messages; share (b, 1, 1, s) : of each atom in the mean."""
        inner = self.norm(atoms)
        receiving, sending = self.ends(inner).chunk(2, -1)
        receiving = receiving + self.lattice(lattice)[:, None]
        messages = self.pair(pairs).add_(receiving[:, :, None]).add_(sending[:, None])
        messages = functional.silu(self.second(functional.silu(messages, inplace=False)))
        mean = (share.to(messages.dtype) @ messages)[:, :, 0]
        return atoms + self.update(torch.cat((inner, mean), -1))


class _Adapter(nn.Module):
    """What a Tc adds to the atoms after a layer: nothing before it is trained."""

    def __init__(self, size: CrystalNetSize):
        super().__init__()
        widths = [size.encoding, *[size.adapter_width] * ADAPTER_LAYERS]
        self.layers = nn.ModuleList(nn.Linear(low, high) for low, high in pairwise(widths))
        self.mixin = nn.Linear(size.adapter_width, size.width)
        nn.init.zeros_(self.mixin.weight)
        nn.init.zeros_(self.mixin.bias)

    def forward(self, encoded_tc: torch.Tensor) -> torch.Tensor:
        """Encoded Tc (b, encoding) -> (b, width)."""
        for layer in self.layers:
            encoded_tc = functional.silu(layer(encoded_tc))
        return self.mixin(encoded_tc)
