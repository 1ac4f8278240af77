"""ElemNet without its inactive units: the same values with less computation.

For similar compositions a third of the units of the wide layers are zero in the whole batch. Such a unit contributes
nothing to the next layer and passes no gradient back, so its row and its column are omitted from both products.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from core.paths import CHECKPOINTS
from core.predictors.formation_energy.elemnet import ElemNet, FormationEnergyElemNet, load_elemnet
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor
from core.predictors.layers.bfloat16 import Bfloat16Layers, InBfloat16

LEAST_WIDTH = 512  # of a layer to prune; in a smaller one the selection costs more than it saves


class PrunedElemNet(NetworkPredictor):
    """FormationEnergyElemNet in evaluation mode, with the same interface and the same values.

    pruned : whether inactive units are omitted, on a CPU; a GPU would wait for their number
    """

    role = Role.FORMATION_ENERGY
    pruned = True
    index: torch.Tensor

    def __init__(self, predictor: FormationEnergyElemNet):
        super().__init__()
        self.name = predictor.name
        self.layers = nn.ModuleList(layer for layer in predictor.network.layers if isinstance(layer, nn.Linear))
        self.register_buffer("index", predictor.index.clone(), persistent=False)
        self.register_buffer("known_elements", predictor.known_elements.clone(), persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> formation energy in eV/atom (batch,)."""
        parameters = [parameter for layer in self.layers for parameter in (layer.weight, layer.bias)]
        pruned = self.pruned and composition.device.type == "cpu"
        return _Chain.apply(composition.index_select(1, self.index), pruned, *parameters).squeeze(1)

    def capturable(self, max_elements: int) -> PrunedElemNet:
        """The same network with all units."""
        twin = copy.copy(self)
        twin.pruned = False
        return twin

    def in_bfloat16(self) -> FormationEnergyElemNet:
        """All layers but the last in bfloat16, in which products are so fast that pruning saves no time."""
        network = ElemNet(dropout=False)
        *wide, last = cast(list[nn.Linear], [*self.layers])
        network.layers = nn.Sequential(InBfloat16(Bfloat16Layers(wide, relu=True)), last)
        return FormationEnergyElemNet(self.name, network).to(self.index.device).eval().requires_grad_(False)


class _Chain(torch.autograd.Function):
    """values (n, inputs), weight (outputs, inputs) and bias (outputs,) of each layer -> (n, outputs of the last).

    pruned : whether units that are zero in every row are omitted
    ReLU after all but the last; the weights get no gradient.
    """

    @staticmethod
    def forward(ctx, values: torch.Tensor, pruned: bool, *parameters: torch.Tensor) -> torch.Tensor:
        layers = list(zip(parameters[::2], parameters[1::2], strict=True))
        outputs, used, active = [], [], None
        for depth, (weight, bias) in enumerate(layers, start=1):
            weight = _inputs(weight, active)
            values = torch.addmm(bias, values, weight.T)
            active = None
            if depth < len(layers):
                values.relu_()
                active = _active(values) if pruned else None
                values = values if active is None else values.index_select(1, active)
                outputs.append(values)
            used.append(weight if active is None else weight.index_select(0, active))
        ctx.save_for_backward(*outputs, *used)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        count = (len(ctx.saved_tensors) + 1) // 2
        outputs, used = ctx.saved_tensors[: count - 1], ctx.saved_tensors[count - 1 :]
        gradient = gradient @ used[-1]
        for values, weight in zip(outputs[::-1], used[-2::-1], strict=True):
            gradient = (gradient * (values > 0)) @ weight
        return gradient, *(None for _ in range(2 * count + 1))


def _active(values: torch.Tensor) -> torch.Tensor | None:
    """The units (k,) that are not zero in every row, including units that are NaN; None: all of them."""
    if values.shape[1] < LEAST_WIDTH or not len(values):
        return None
    return (~(values.amax(0) <= 0)).nonzero().squeeze(1)


def _inputs(weight: torch.Tensor, units: torch.Tensor | None) -> torch.Tensor:
    return weight if units is None else weight.index_select(1, units)


def load_pruned_elemnet(name: str = "formation-energy", folder: Path = CHECKPOINTS) -> PrunedElemNet:
    """The trained predictor, pruned for evaluation. Raises CheckpointError."""
    return PrunedElemNet(load_elemnet(name, folder)).eval().requires_grad_(False)
