"""The same numbers for less work: networks rewritten for evaluation, once, after loading.

Batch norm becomes part of the weights before it; a convolution on a tiny map becomes the matrix that it is, and on a
map of two rows a convolution along the columns; the periodic-table image and the first convolution, both linear,
become one matrix on the 118 fractions. Nothing is approximated: the results differ by rounding only (see
tests/core/predictors/test_folded.py).
"""

from __future__ import annotations

import torch
from torch import nn

from core.feature_map import feature_map
from core.predictors.tc_resnet import TC_SCALE_K, ResidualBlock, TapConv2d, TcResNet


class FoldedTcResNet(nn.Module):
    """TcResNet in evaluation mode, folded; the same interface and the same numbers."""

    def __init__(self, predictor: TcResNet):
        super().__init__()
        network = predictor.network
        self.name = predictor.name
        self.register_buffer("known_elements", predictor.known_elements.clone(), persistent=False)
        with torch.no_grad():
            first = network.conv(feature_map(torch.eye(len(predictor.pixels)), predictor.pixels))
            scale, shift = _scale_and_shift(network.norm)
            # Channels last: the pooling then takes whole rows of numbers.
            first = (first * scale[:, None, None]).permute(0, 2, 3, 1)
            self.map_size = first.shape[1:]
            self.first = _linear(first.flatten(1).T, shift.repeat(first[0, :, :, 0].numel()))
            self.blocks = nn.Sequential(*(_FoldedBlock(block) for block in network.blocks))
            self.head = network.head

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        maps = self.first(composition).view(-1, *self.map_size)
        # The greatest of positive parts is the positive part of the greatest, and a fourth as many.
        pooled = torch.relu(_pooled(_pooled(maps, 1), 2))
        features = self.blocks(pooled.permute(0, 3, 1, 2).flatten(1))
        return torch.relu(self.head(features).squeeze(1)) * TC_SCALE_K


def _pooled(maps: torch.Tensor, dim: int) -> torch.Tensor:
    """The greatest of three neighbours along `dim`, at every second pixel: nn.MaxPool2d(3, 2, 1) in one direction."""
    even, odd = maps.unflatten(dim, (-1, 2)).unbind(dim + 1)
    pairs = _greater(even, odd)
    first, others = pairs.split((1, pairs.shape[dim] - 1), dim)
    return torch.cat([first, _greater(others, odd.narrow(dim, 0, others.shape[dim]))], dim)


def _greater(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """torch.maximum, of a slope that costs a third."""
    return one + torch.relu(other - one)


class _FoldedBlock(nn.Module):
    """A residual block on flattened maps."""

    def __init__(self, block: ResidualBlock):
        super().__init__()
        self.first = _folded(block.conv1, block.norm1)
        self.second = _folded(block.conv2, block.norm2)
        plain = isinstance(block.shortcut, nn.Identity)
        self.shortcut = nn.Identity() if plain else _Shortcut(block.shortcut[0], block.shortcut[1])

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, inputs * pixels) -> (batch, outputs * pixels)."""
        return torch.relu(self.second(torch.relu(self.first(maps))) + self.shortcut(maps))


class _AlongColumns(nn.Module):
    """A 3 x 3 convolution of stride 1 as one along the columns, rows taken as channels: no product with padding."""

    def __init__(self, convolution: TapConv2d, norm: nn.BatchNorm2d):
        super().__init__()
        (rows, columns), (inputs, outputs) = convolution.size, (convolution.inputs, convolution.outputs)
        scale, shift = _scale_and_shift(norm)
        matrix = (convolution.matrix() * scale.repeat_interleave(rows * columns)[:, None]).view(
            outputs, rows, columns, inputs, rows, columns
        )
        kernel = matrix[:, :, 1, :, :, 0:3]  # what the second column of the output takes from the first three
        self.shape = (inputs * rows, columns)
        self.convolution = nn.Conv1d(inputs * rows, outputs * rows, 3, padding=1)
        self.convolution.weight = nn.Parameter(kernel.reshape(outputs * rows, inputs * rows, 3).contiguous())
        self.convolution.bias = nn.Parameter(shift.repeat_interleave(rows))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, inputs * pixels) -> (batch, outputs * pixels)."""
        return self.convolution(maps.view(-1, *self.shape)).flatten(1)


class _Shortcut(nn.Module):
    """A 1 x 1 convolution of stride 2, on the pixels that it reads."""

    def __init__(self, convolution: TapConv2d, norm: nn.BatchNorm2d):
        super().__init__()
        self.shape, self.stride = (convolution.inputs, *convolution.size), convolution.stride
        rows, columns = convolution.size
        read = torch.arange(convolution.inputs * rows * columns).view(self.shape)
        whole = _dense(convolution, norm)
        self.linear = _linear(whole.weight[:, read[:, :: self.stride, :: self.stride].flatten()], whole.bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, inputs * pixels) -> (batch, outputs * pixels)."""
        read = maps.view(-1, *self.shape)[:, :, :: self.stride, :: self.stride]
        return self.linear(read.flatten(1))


def _folded(convolution: TapConv2d, norm: nn.BatchNorm2d) -> nn.Module:
    """Convolution and batch norm in one, in the form that is fastest for its map."""
    long = convolution.stride == 1 and convolution.size[1] > 4 and convolution.weight.shape[3] == 3
    return _AlongColumns(convolution, norm) if long else _dense(convolution, norm)


def _dense(convolution: TapConv2d, norm: nn.BatchNorm2d) -> nn.Linear:
    """Convolution and batch norm as one matrix."""
    scale, shift = _scale_and_shift(norm)
    pixels = convolution.out_size[0] * convolution.out_size[1]
    return _linear(convolution.matrix() * scale.repeat_interleave(pixels)[:, None], shift.repeat_interleave(pixels))


def _scale_and_shift(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch norm in evaluation is x * scale + shift, one pair per channel."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return scale, norm.bias - norm.running_mean * scale


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight, layer.bias = nn.Parameter(weight.contiguous()), nn.Parameter(bias)
    return layer
