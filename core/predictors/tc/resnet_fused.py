"""ResNet18 rewritten for faster evaluation after loading.

Batch norm is fused into the weights before it; a convolution on a small map becomes a matrix product, and on a map of
two rows a Winograd convolution along the columns; the periodic-table image and the first convolution, both linear,
become one matrix on the 118 fractions. No step is an approximation: the results differ by rounding only (see
tests/unit/predictors/tc/test_resnet_fused.py).

Maps are flattened column by column: (batch, columns * rows * channels).
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from core.paths import CHECKPOINTS
from core.predictors.features.periodic_table_image import periodic_table_image
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor
from core.predictors.layers.bfloat16 import Bfloat16Block, Bfloat16Layers, InBfloat16
from core.predictors.tc.resnet import TC_SCALE_K, ResidualBlock, TapConv2d, TcResNet, load_tc_resnet


class FusedTcResNet(NetworkPredictor):
    """TcResNet in evaluation mode, rewritten for speed, with the same interface and the same values."""

    role = Role.TC

    def __init__(self, predictor: TcResNet):
        super().__init__()
        network = predictor.network
        self.name = predictor.name
        self.register_buffer("known_elements", predictor.known_elements.clone(), persistent=False)
        with torch.no_grad():
            first = network.conv(periodic_table_image(torch.eye(len(predictor.pixels)), predictor.pixels))
            scale, shift = _scale_and_shift(network.norm)
            first = (first * scale[:, None, None]).permute(0, 3, 2, 1)
            image = _linear(first.flatten(1).T, shift.repeat(first[0, :, :, 0].numel()))
            blocks = (_FusedBlock(block) for block in cast(list[ResidualBlock], [*network.blocks]))
            self.features = nn.Sequential(image, _Pool(first.shape[1:]), *blocks)
            self.head = network.head

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return torch.relu(self.head(self.features(composition)).squeeze(1)) * TC_SCALE_K

    def in_tf32(self) -> FusedTcResNet:
        """With each convolution as one matrix product.

        It has 1.7 times the operations of the Winograd form and reads and writes half as many bytes. On a GPU with
        matrix units the bytes take the time.
        """
        image, pool, *blocks = self.features
        twin = copy.deepcopy(self)
        twin.features = nn.Sequential(image, pool, *(block.as_matrices() for block in cast(list[_FusedBlock], blocks)))
        return twin.requires_grad_(False)

    def in_bfloat16(self) -> FusedTcResNet:
        """All but the last product in bfloat16, with each convolution as one matrix product, which is fastest there."""
        image, pool, *blocks = self.features
        in_bfloat16 = (block.in_bfloat16() for block in cast(list[_FusedBlock], blocks))
        network = nn.Sequential(Bfloat16Layers([cast(nn.Linear, image)], relu=False), pool, *in_bfloat16)
        twin = copy.deepcopy(self)
        twin.features = nn.Sequential(InBfloat16(network))
        return twin.requires_grad_(False)


class _Pool(nn.Module):
    """ReLU and nn.MaxPool2d(3, 2, 1)."""

    def __init__(self, size: torch.Size):
        super().__init__()
        self.size = size

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, pixels * channels) -> (batch, pixels / 4 * channels)."""
        maps = maps.view(-1, *self.size).permute(0, 3, 1, 2)  # channels last in memory
        # ReLU commutes with the maximum; after the pooling there is a fourth of the values.
        pooled = torch.relu(functional.max_pool2d(maps, 3, 2, 1))
        return pooled.permute(0, 2, 3, 1).flatten(1)


class _FusedBlock(nn.Module):
    """A residual block on flattened maps."""

    def __init__(self, block: ResidualBlock):
        super().__init__()
        self.first = _fused(block.conv1, block.norm1)
        self.second = _fused(block.conv2, block.norm2)
        self.shortcut = nn.Identity()
        if isinstance(block.shortcut, nn.Sequential):
            convolution, norm = block.shortcut
            self.shortcut = _Shortcut(cast(TapConv2d, convolution), cast(nn.BatchNorm2d, norm))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, pixels * inputs) -> (batch, pixels * outputs)."""
        return torch.relu(self.second(torch.relu(self.first(maps))) + self.shortcut(maps))

    def as_matrices(self) -> _FusedBlock:
        """The block with each convolution as one matrix product."""
        twin = copy.deepcopy(self)
        twin.first, twin.second = _as_matrix(self.first), _as_matrix(self.second)
        return twin

    def in_bfloat16(self) -> Bfloat16Block:
        shortcut = self.shortcut
        beside = (shortcut.linear, shortcut.shape, shortcut.stride) if isinstance(shortcut, _Shortcut) else None
        return Bfloat16Block(_as_matrix(self.first), _as_matrix(self.second), beside)


class _AlongColumns(nn.Module):
    """A 3 x 3 convolution of stride 1, computed along the columns with the rows as channels, without padding of rows.

    By Winograd's F(2, 3), on four neighbours d with weights g: the four products m = (d0 - d2) g0,
    (d1 + d2) (g0 + g1 + g2) / 2, (d2 - d1) (g0 - g1 + g2) / 2, (d1 - d3) g2 give two outputs, m0 + m1 + m2 and
    m1 - m2 - m3, which would otherwise take six (Lavin and Gray 2016, arXiv:1509.09308).
    """

    weights: torch.Tensor
    weights_back: torch.Tensor
    bias: torch.Tensor

    def __init__(self, convolution: TapConv2d, norm: nn.BatchNorm2d):
        super().__init__()
        (rows, columns), (inputs, outputs) = convolution.size, (convolution.inputs, convolution.outputs)
        scale, shift = _scale_and_shift(norm)
        matrix = (convolution.matrix() * scale.repeat_interleave(rows * columns)[:, None]).view(
            outputs, rows, columns, inputs, rows, columns
        )
        kernel = matrix[:, :, 1, :, :, 0:3]  # from the first three input columns to the second output column
        kernel = kernel.permute(4, 3, 2, 1, 0).reshape(3, rows * inputs, rows * outputs).double()
        self.columns = columns
        self.register_buffer("weights", _winograd_weights(kernel).float())
        self.register_buffer("weights_back", _winograd_weights(kernel.flip(0).transpose(1, 2)).float())
        bias = torch.zeros(4, 1, rows * outputs)
        bias[1, 0] = shift.repeat(rows)  # the second product enters both outputs once
        self.register_buffer("bias", bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, pixels * inputs) -> (batch, pixels * outputs)."""
        maps = maps.unflatten(1, (self.columns, -1))
        return _Convolved.apply(maps, self.weights, self.weights_back, self.bias).flatten(1)

    def as_matrix(self) -> nn.Linear:
        """The convolution as one matrix product; each column of the matrix is the output for a single input value."""
        nothing = self.weights.new_zeros(1, self.columns * self.weights.shape[1])
        with torch.no_grad():
            shift = self(nothing)
            rows = self(torch.eye(nothing.shape[1]).to(nothing)) - shift
        return _linear(rows.T, shift[0])


class _Convolved(torch.autograd.Function):
    """`_winograd`, and its backward pass, which is a convolution too."""

    @staticmethod
    def forward(
        ctx, maps: torch.Tensor, weights: torch.Tensor, weights_back: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        ctx.weights_back = weights_back
        return _winograd(maps, weights, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        return _winograd(gradient, ctx.weights_back, None), None, None, None


def _winograd_weights(kernel: torch.Tensor) -> torch.Tensor:
    """(3, inputs, outputs) -> (4, inputs, outputs)."""
    first, middle, last = kernel
    return torch.stack([first, (first + middle + last) / 2, (first - middle + last) / 2, last])


def _winograd(maps: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Maps (batch, columns, inputs), weights (4, inputs, outputs) -> (batch, columns, outputs); zero padding."""
    even, odd = maps.unflatten(1, (-1, 2)).unbind(2)  # d1 and d2 of each pair; d0 and d3 belong to its neighbours
    batch, pairs, inputs = even.shape
    read = maps.new_empty(4, batch, pairs, inputs)
    torch.sub(odd[:, :-1], odd[:, 1:], out=read[0, :, 1:])
    torch.neg(odd[:, 0], out=read[0, :, 0])
    torch.add(even, odd, out=read[1])
    torch.sub(odd, even, out=read[2])
    torch.sub(even[:, :-1], even[:, 1:], out=read[3, :, :-1])
    read[3, :, -1] = even[:, -1]
    read = read.flatten(1, 2)
    products = torch.bmm(read, weights) if bias is None else torch.baddbmm(bias, read, weights)
    first, second, third, fourth = products.unflatten(1, (batch, pairs))
    output = maps.new_empty(batch, pairs, 2, weights.shape[2])
    torch.add(second, third, out=output[:, :, 0]).add_(first)
    torch.sub(second, third, out=output[:, :, 1]).sub_(fourth)
    return output.flatten(1, 2)


def _as_matrix(layer: _AlongColumns | nn.Linear) -> nn.Linear:
    return layer.as_matrix() if isinstance(layer, _AlongColumns) else layer


class _Shortcut(nn.Module):
    """A 1 x 1 convolution of stride 2, applied to the pixels that the convolution reads."""

    def __init__(self, convolution: TapConv2d, norm: nn.BatchNorm2d):
        super().__init__()
        rows, columns = convolution.size
        self.shape, self.stride = (columns, rows, convolution.inputs), convolution.stride
        read = torch.arange(convolution.inputs * rows * columns).view(self.shape)
        whole = _dense(convolution, norm)
        self.linear = _linear(whole.weight[:, read[:: self.stride, :: self.stride].flatten()], whole.bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, pixels * inputs) -> (batch, pixels * outputs)."""
        read = maps.view(-1, *self.shape)[:, :: self.stride, :: self.stride]
        return self.linear(read.flatten(1))


def _fused(convolution: TapConv2d, norm: nn.BatchNorm2d) -> _AlongColumns | nn.Linear:
    """Convolution and batch norm in one layer, in the form that is fastest for its map."""
    long = convolution.stride == 1 and convolution.size[1] >= 4 and convolution.weight.shape[3] == 3
    return _AlongColumns(convolution, norm) if long else _dense(convolution, norm)


def _dense(convolution: TapConv2d, norm: nn.BatchNorm2d) -> nn.Linear:
    """Convolution and batch norm as one matrix product."""
    scale, shift = _scale_and_shift(norm)
    inputs, outputs = convolution.inputs, convolution.outputs
    matrix = convolution.matrix().view(outputs, *convolution.out_size, inputs, *convolution.size)
    matrix = (matrix.permute(2, 1, 0, 5, 4, 3) * scale[:, None, None, None]).flatten(3).flatten(0, 2)
    return _linear(matrix, shift.repeat(len(matrix) // outputs))


def _scale_and_shift(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift of each channel: batch norm in evaluation is x * scale + shift."""
    mean, variance = cast(torch.Tensor, norm.running_mean), cast(torch.Tensor, norm.running_var)
    scale = norm.weight / (variance + norm.eps).sqrt()
    return scale, norm.bias - mean * scale


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight, layer.bias = nn.Parameter(weight.contiguous()), nn.Parameter(bias)
    return layer


def load_fused_tc_resnet(name: str = "tc", folder: Path = CHECKPOINTS) -> FusedTcResNet:
    """The trained predictor, rewritten for evaluation. Raises CheckpointError."""
    return FusedTcResNet(load_tc_resnet(name, folder)).eval().requires_grad_(False)
