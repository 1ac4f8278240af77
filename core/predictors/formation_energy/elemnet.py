"""Formation energy by ElemNet, a fully connected network on 86 fractions (Jha et al. 2018; KIAGO S.2)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from core.chemistry import elements
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor

ARCHITECTURE = "elemnet-v1"
# ElemNet has the 86 elements from H to Pu without the light noble gases and Po to Ra.
UNKNOWN = {"He", "Ne", "Ar", "Po", "At", "Rn", "Fr", "Ra"}
LAST_KNOWN = "Pu"
WIDTHS = (1024,) * 4 + (512,) * 3 + (256,) * 3 + (128,) * 3 + (64,) * 2 + (32,)
DROPOUT_AFTER = {4: 0.2, 7: 0.1, 10: 0.3, 13: 0.2}  # after the first four blocks of equal width


def elemnet_elements() -> tuple[str, ...]:
    """The symbols of ElemNet's 86 elements, in order of atomic number."""
    last = elements.element(LAST_KNOWN).atomic_number
    return tuple(s for s in elements.symbols()[:last] if s not in UNKNOWN)


class ElemNet(nn.Module):
    """The 17-layer network: fractions (batch, 86) -> formation energy (batch,) in eV/atom.

    dropout : whether to include the dropout layers of Jha et al. 2018, which have no weights but shift the numbers in
        the names of the other layers
    """

    def __init__(self, dropout: bool = True):
        super().__init__()
        layers: list[nn.Module] = []
        before = len(elemnet_elements())
        for depth, width in enumerate(WIDTHS, start=1):
            layers += [nn.Linear(before, width), nn.ReLU()]
            if dropout and depth in DROPOUT_AFTER:
                layers.append(nn.Dropout(DROPOUT_AFTER[depth]))
            before = width
        layers.append(nn.Linear(before, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, fractions: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, 86) -> formation energy (batch,) in eV/atom."""
        return self.layers(fractions).squeeze(1)


class FormationEnergyElemNet(NetworkPredictor):
    """Predictor of the formation energy in eV/atom, on the reference of the Materials Project.

    index : (86,) indices of ElemNet's elements in a composition
    """

    role = Role.FORMATION_ENERGY
    index: torch.Tensor

    def __init__(self, name: str, network: ElemNet):
        super().__init__()
        self.name = name
        self.network = network
        index = torch.tensor([elements.element(symbol).index for symbol in elemnet_elements()])
        known = torch.zeros(elements.N_ELEMENTS, dtype=torch.bool)
        known[index] = True
        self.register_buffer("index", index, persistent=False)
        self.register_buffer("known_elements", known, persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> formation energy in eV/atom (batch,)."""
        return self.network(composition.index_select(1, self.index))


def load_elemnet(name: str = "formation-energy", folder: Path = CHECKPOINTS) -> FormationEnergyElemNet:
    """The trained predictor, in evaluation mode, without gradients to its weights. Raises CheckpointError."""
    tensors, _ = checkpoint.load(name, ARCHITECTURE, folder)
    network = ElemNet()
    checkpoint.load_into(network, tensors, name)
    return FormationEnergyElemNet(name, network).eval().requires_grad_(False)
