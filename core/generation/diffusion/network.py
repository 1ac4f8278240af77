"""The noise predictor of SuperDiff: a one-dimensional U-Net along the axis of the elements H to Cm.

The amounts of neighbouring elements of the periodic sequence are neighbouring positions, so that the convolutions see
families of similar elements. After Yuan and Dordevic 2024 (doi:10.1038/s41598-024-61040-3), whose network is the
one-dimensional U-Net of Ho et al. 2020 (doi:10.48550/arXiv.2006.11239) with the linear attention of Shen et al. 2021
(doi:10.1109/WACV48630.2021.00357). Group normalisation in the residual blocks, as in the version of early 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

N_POSITIONS = 96  # elements H to Cm, in the order of the atomic number
EMBEDDING_PERIOD = 10_000.0  # longest period of the encoding of time, in steps (Vaswani et al. 2017)


@dataclass(frozen=True)
class UNetSize:
    """Size of the network; the defaults are those of SuperDiff, with 5,566,177 parameters.

    width : channels of the first stage, a multiple of `groups`
    multipliers : channels of each stage divided by `width`; every stage but the last halves the length
    heads, head_width : attention heads and the channels of each
    groups : groups of the group normalisation
    """

    width: int = 48
    multipliers: tuple[int, ...] = (1, 2, 3, 6)
    heads: int = 4
    head_width: int = 32
    groups: int = 8

    @property
    def time_width(self) -> int:
        """Channels of the encoding of time."""
        return 4 * self.width


class UNet(nn.Module):
    """Noisy amounts (batch, 96) and steps of the schedule (batch,) -> the noise in them (batch, 96)."""

    def __init__(self, size: UNetSize = UNetSize()):
        super().__init__()
        self.size = size
        widths = [size.width, *(size.width * m for m in size.multipliers)]
        stages = list(pairwise(widths))
        last = len(stages) - 1
        self.entry = nn.Conv1d(1, size.width, 7, padding=3)
        self.time = nn.Sequential(
            nn.Linear(size.width, size.time_width), nn.GELU(), nn.Linear(size.time_width, size.time_width)
        )
        self.down = nn.ModuleList(_DownStage(size, low, high, i < last) for i, (low, high) in enumerate(stages))
        middle = widths[-1]
        self.middle = nn.ModuleList(
            (_ResidualBlock(size, middle, middle), _Attention(size, middle), _ResidualBlock(size, middle, middle))
        )
        self.up = nn.ModuleList(_UpStage(size, low, high, i < last) for i, (low, high) in enumerate(reversed(stages)))
        self.last = _ResidualBlock(size, 2 * size.width, size.width)
        self.exit = nn.Conv1d(size.width, 1, 1)

    def forward(self, amounts: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
        """See the class. `step` : (batch,) integers from 0."""
        time = self.time(_encoded(step, self.size.width))
        x = first = self.entry(amounts[:, None])
        kept: list[torch.Tensor] = []
        for stage in self.down:
            x = stage(x, time, kept)
        before, attention, after = self.middle
        x = after(attention(before(x, time)), time)
        for stage in self.up:
            x = stage(x, time, kept)
        return self.exit(self.last(torch.cat((x, first), dim=1), time))[:, 0]


def _encoded(step: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines (batch, width) of steps (batch,) (Vaswani et al. 2017)."""
    half = width // 2
    index = torch.arange(half, device=step.device, dtype=torch.float32)
    angles = step[:, None].float() * torch.exp(index * (-math.log(EMBEDDING_PERIOD) / (half - 1)))
    return torch.cat((angles.sin(), angles.cos()), dim=1)


class _ChannelNorm(nn.Module):
    """Each position divided by the root mean square of its channels (Zhang and Sennrich 2019), with learned scales."""

    def __init__(self, width: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, width, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.normalize(x, dim=1) * self.scale * x.shape[1] ** 0.5


class _ResidualBlock(nn.Module):
    """Two convolutions, the first scaled and shifted by the time, plus a shortcut."""

    def __init__(self, size: UNetSize, width_in: int, width_out: int):
        super().__init__()
        self.time = nn.Linear(size.time_width, 2 * width_out)
        self.first = nn.Conv1d(width_in, width_out, 3, padding=1)
        self.first_norm = nn.GroupNorm(size.groups, width_out)
        self.second = nn.Conv1d(width_out, width_out, 3, padding=1)
        self.second_norm = nn.GroupNorm(size.groups, width_out)
        self.shortcut = nn.Conv1d(width_in, width_out, 1) if width_in != width_out else nn.Identity()

    def forward(self, x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        scale, shift = self.time(functional.silu(time))[:, :, None].chunk(2, dim=1)
        y = functional.silu(self.first_norm(self.first(x)) * (scale + 1) + shift)
        y = functional.silu(self.second_norm(self.second(y)))
        return y + self.shortcut(x)


class _Heads(nn.Module):
    """Queries, keys and values of attention over positions, and the projection of its result."""

    def __init__(self, size: UNetSize, width: int):
        super().__init__()
        self.heads, self.head_width = size.heads, size.head_width
        inner = size.heads * size.head_width
        self.norm = _ChannelNorm(width)
        self.project = nn.Conv1d(width, 3 * inner, 1, bias=False)
        self.exit = nn.Conv1d(inner, width, 1)

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Queries, keys, values, each (batch, heads, head_width, length)."""
        parts = self.project(self.norm(x)).chunk(3, dim=1)
        return tuple(part.unflatten(1, (self.heads, self.head_width)) for part in parts)


class _LinearAttention(_Heads):
    """Attention with a cost linear in the length (Shen et al. 2021), plus its input."""

    def __init__(self, size: UNetSize, width: int):
        super().__init__(size, width)
        self.exit_norm = _ChannelNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.split(x)
        query = query.softmax(dim=2) * self.head_width**-0.5
        context = torch.einsum("bhdn,bhen->bhde", key.softmax(dim=3), value)
        mixed = torch.einsum("bhde,bhdn->bhen", context, query)
        return self.exit_norm(self.exit(mixed.flatten(1, 2))) + x


class _Attention(_Heads):
    """Full attention over the positions, plus its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.split(x)
        weights = torch.einsum("bhdi,bhdj->bhij", query * self.head_width**-0.5, key).softmax(dim=3)
        mixed = torch.einsum("bhij,bhdj->bhdi", weights, value)
        return self.exit(mixed.flatten(1, 2)) + x


class _DownStage(nn.Module):
    """Two residual blocks and linear attention at one length, then a convolution to the next width and length."""

    def __init__(self, size: UNetSize, width_in: int, width_out: int, halves: bool):
        super().__init__()
        self.blocks = nn.ModuleList(_ResidualBlock(size, width_in, width_in) for _ in range(2))
        self.attention = _LinearAttention(size, width_in)
        self.exit = (
            nn.Conv1d(width_in, width_out, 4, stride=2, padding=1)
            if halves
            else nn.Conv1d(width_in, width_out, 3, padding=1)
        )

    def forward(self, x: torch.Tensor, time: torch.Tensor, kept: list[torch.Tensor]) -> torch.Tensor:
        """The next stage; the two inputs of the opposite stage are added to `kept`."""
        first, second = self.blocks
        x = first(x, time)
        kept.append(x)
        x = self.attention(second(x, time))
        kept.append(x)
        return self.exit(x)


class _UpStage(nn.Module):
    """The mirror image of a `_DownStage`, with its kept inputs concatenated."""

    def __init__(self, size: UNetSize, width_low: int, width_high: int, doubles: bool):
        super().__init__()
        self.blocks = nn.ModuleList(_ResidualBlock(size, width_high + width_low, width_high) for _ in range(2))
        self.attention = _LinearAttention(size, width_high)
        self.exit = nn.Conv1d(width_high, width_low, 3, padding=1)
        self.doubles = doubles

    def forward(self, x: torch.Tensor, time: torch.Tensor, kept: list[torch.Tensor]) -> torch.Tensor:
        """The next stage; takes its two inputs from the end of `kept`."""
        for block in self.blocks:
            x = block(torch.cat((x, kept.pop()), dim=1), time)
        x = self.attention(x)
        return self.exit(functional.interpolate(x, scale_factor=2.0, mode="nearest") if self.doubles else x)
