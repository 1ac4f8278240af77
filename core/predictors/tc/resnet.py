"""Critical temperature by ResNet18 on the periodic-table image (KIAGO S.1; He et al. 2016; Konno et al. 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from core.chemistry import elements
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.features.periodic_table_image import CHANNELS, COLUMNS, ROWS, element_pixels, periodic_table_image
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor

ARCHITECTURE = "resnet18-periodic-table-v1"
DENSE_BELOW_PIXELS = 4  # output pixels up to which a matrix product is faster than the convolution
TC_SCALE_K = 10.0  # the network's output is Tc / 10 K, so that the values in its last layer are near 1


class TapConv2d(nn.Module):
    """A zero-padded convolution without bias on maps of a fixed, small size, without the taps that only meet padding.

    On a 1 x 2 map most taps of a 3 x 3 kernel multiply padding only; they have no effect and get no gradient. Only the
    taps that meet a pixel are kept: `weight` is (outputs, inputs, used rows, used columns). On the smallest maps
    the convolution is done as a matrix product, which is faster.
    """

    tap_index: torch.Tensor

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int], kernel: int, stride: int):
        super().__init__()
        self.inputs, self.outputs, self.stride = inputs, outputs, stride
        axes = [_Axis.of(length, kernel, stride) for length in size]
        self.size, self.out_size = size, (axes[0].outputs, axes[1].outputs)
        self.padding = (axes[1].before, axes[1].after, axes[0].before, axes[0].after)  # in the order of F.pad
        self.weight = nn.Parameter(torch.empty(outputs, inputs, axes[0].taps, axes[1].taps))
        nn.init.kaiming_normal_(self.weight, mode="fan_out")
        self.dense = math.prod(self.out_size) <= DENSE_BELOW_PIXELS
        rows, columns = axes[0].tap_of_pixel(), axes[1].tap_of_pixel()
        n_taps = axes[0].taps * axes[1].taps
        tap = rows[:, None, :, None] * axes[1].taps + columns[None, :, None, :]
        missing = (rows[:, None, :, None] < 0) | (columns[None, :, None, :] < 0)
        index = torch.where(missing, n_taps, tap).reshape(-1)  # the tap numbered n_taps is zero
        self.register_buffer("tap_index", index, persistent=False)

    def matrix(self) -> torch.Tensor:
        """The convolution as a matrix (outputs * output pixels, inputs * input pixels)."""
        taps = functional.pad(self.weight.flatten(2), (0, 1))
        blocks = taps.index_select(2, self.tap_index)
        blocks = blocks.view(self.outputs, self.inputs, math.prod(self.out_size), math.prod(self.size))
        return blocks.transpose(1, 2).reshape(self.outputs * math.prod(self.out_size), -1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, inputs, *size) -> (batch, outputs, *out_size)."""
        if self.dense:
            return functional.linear(image.flatten(1), self.matrix()).view(-1, self.outputs, *self.out_size)
        return functional.conv2d(functional.pad(image, self.padding), self.weight, stride=self.stride)


@dataclass(frozen=True)
class _Axis:
    """One axis of a convolution: which taps meet a pixel, and the padding that remains."""

    length: int
    outputs: int
    taps: int
    before: int
    after: int
    stride: int

    @classmethod
    def of(cls, length: int, kernel: int, stride: int) -> _Axis:
        pad = kernel // 2
        outputs = (length + 2 * pad - kernel) // stride + 1
        used = [t for t in range(kernel) if any(0 <= o * stride - pad + t < length for o in range(outputs))]
        before = pad - used[0]
        after = max(0, (outputs - 1) * stride - before + len(used) - length)
        return cls(length, outputs, len(used), before, after, stride)

    def tap_of_pixel(self) -> torch.Tensor:
        """(outputs, length): the tap that connects an output with an input, -1 if none does."""
        tap = torch.arange(self.length) + self.before - self.stride * torch.arange(self.outputs)[:, None]
        return torch.where((tap >= 0) & (tap < self.taps), tap, -1)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm and a shortcut (He et al. 2016, fig. 5 left)."""

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int], stride: int):
        super().__init__()
        self.conv1 = TapConv2d(inputs, outputs, size, 3, stride)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.out_size = self.conv1.out_size
        self.conv2 = TapConv2d(outputs, outputs, self.out_size, 3, 1)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Sequential(TapConv2d(inputs, outputs, size, 1, stride), nn.BatchNorm2d(outputs))
            if stride != 1 or inputs != outputs
            else nn.Identity()
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, inputs, rows, columns) -> (batch, outputs, rows / stride, columns / stride)."""
        inner = torch.relu(self.norm1(self.conv1(image)))
        return torch.relu(self.norm2(self.conv2(inner)) + self.shortcut(image))


class ResNet18(nn.Module):
    """The standard 18-layer residual network with 4 input channels and one output.

    On a 4 x 7 x 32 image its maps have 4 x 16, 2 x 8, 2 x 8, 1 x 4, 1 x 2 and 1 x 1 pixels, so only 2.3 million of the
    usual 11.2 million weights meet a pixel; only those are kept (see TapConv2d).
    """

    def __init__(self):
        super().__init__()
        self.conv = TapConv2d(CHANNELS, 64, (ROWS, COLUMNS), 7, 2)
        self.norm = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, 1)
        size = (2, 8)
        blocks, before = [], 64
        for width in (64, 128, 256, 512):
            for stride in ((1 if width == 64 else 2), 1):
                block = ResidualBlock(before, width, size, stride)
                blocks.append(block)
                before, size = width, block.out_size
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(512, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Images (batch, 4, 7, 32) -> raw output (batch,), in units of 10 K, before the final ReLU."""
        maps = self.blocks(self.pool(torch.relu(self.norm(self.conv(image)))))
        return self.head(maps.mean((2, 3))).squeeze(1)


class TcResNet(NetworkPredictor):
    """Predictor of the critical temperature in K (never negative: ReLU output, as in KIAGO).

    pixels : (118,) see `element_pixels`
    """

    role = Role.TC
    pixels: torch.Tensor

    def __init__(self, name: str, network: ResNet18):
        super().__init__()
        self.name = name
        self.network = network
        self.register_buffer("pixels", element_pixels(), persistent=False)
        self.register_buffer("known_elements", torch.ones(elements.N_ELEMENTS, dtype=torch.bool), persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return torch.relu(self.network(periodic_table_image(composition, self.pixels))) * TC_SCALE_K


def load_tc_resnet(name: str = "tc", folder: Path = CHECKPOINTS) -> TcResNet:
    """The trained predictor, in evaluation mode, without gradients to its weights. Raises CheckpointError."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    network = ResNet18()
    checkpoint.load_into(network, tensors, name)
    predictor = TcResNet(name, network).eval().requires_grad_(False)
    predictor.known_elements.copy_(checkpoint.known_mask(card))
    return predictor
