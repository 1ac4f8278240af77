"""Formation energy by an ensemble of networks with attention over the elements (`layers.composition_attention`).

A network F has two outputs, each taken relative to its values at the elements e_i,

    E(x) = F_1(x) - sum_i x_i F_1(e_i)        d(x) = F_2(x) - sum_i x_i F_2(e_i),

so that both are 0 for every element, and have a gradient there. E is the energy on the references of OQMD. The
Materials Project (MP) uses other energies of the elements and other corrections of anions, so its formation energy of a
compound differs by c . x, with one number per element, and by a small rest d, which comes from other settings of the
calculations:

    E_MP(x) = E(x) + d(x) - c . x (1 - sum_i x_i^4).

The factor is 1 for compounds, up to a few hundredths, and 0 for elements.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from core.chemistry import elements
from core.errors import InputError
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.ensemble import Ensemble, SpreadScale
from core.predictors.info import ENERGY_REFERENCES, MP, OQMD, Role
from core.predictors.interface import NetworkPredictor
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention
from core.predictors.layers.composition_attention_bfloat16 import networks_for_ranking

ARCHITECTURE = "formation-energy-ensemble-v2"


class FormationEnergyAttention(NetworkPredictor):
    """One network: predictor of the formation energy in eV/atom, on the references of MP or of OQMD.

    known_elements : (118,) bool
    offset : c (118,) in eV/atom, see the module
    reference : MP or OQMD, the database whose references are used
    """

    role = Role.FORMATION_ENERGY
    known_elements: torch.Tensor
    offset: torch.Tensor
    at_elements: torch.Tensor | None

    def __init__(
        self, name: str, size: AttentionSize, known_elements: torch.Tensor, offset: torch.Tensor | None = None
    ):
        super().__init__()
        self.name, self.reference = name, MP
        self.network = CompositionAttention(size, outputs=2)
        self.register_buffer("known_elements", known_elements.clone(), persistent=False)
        self.register_buffer("offset", torch.zeros(elements.N_ELEMENTS) if offset is None else offset.clone())
        self.register_buffer("at_elements", None, persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> formation energy in eV/atom (batch,)."""
        energy, rest = self.energy_and_rest(composition).unbind(1)
        if self.reference == OQMD:
            return energy
        return energy + rest - reference_change(composition) @ self.offset

    def energy_and_rest(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> E and d in eV/atom (batch, 2)."""
        at_elements = self.values_at_elements() if self.at_elements is None else self.at_elements
        both = self.network(composition) - composition @ at_elements
        # The two terms are equal for an element, up to rounding. The gradient stays that of the formula.
        is_element = (composition != 0).sum(1, keepdim=True) == 1
        return both - torch.where(is_element, both.detach(), 0.0)

    def values_at_elements(self) -> torch.Tensor:
        """F(e_i) (118, 2); that of an element that is not known is not trained."""
        pure = torch.eye(elements.N_ELEMENTS, device=self.offset.device, dtype=self.offset.dtype)
        return self.network.with_capacity(1)(pure)

    def freeze(self) -> FormationEnergyAttention:
        """Fix the weights, in evaluation mode, and the values at the elements, which are then computed only once."""
        self.eval().requires_grad_(False)
        self.at_elements = self.values_at_elements()
        return self

    def on_reference(self, reference: str) -> FormationEnergyAttention:
        """The same network, sharing its weights, with energies on the references of MP or OQMD.

        Raises InputError for another reference.
        """
        if reference not in ENERGY_REFERENCES:
            rule = "energies are on the references of one of two databases"
            raise InputError("reference", reference, rule, f"Choose one of: {', '.join(ENERGY_REFERENCES)}")
        twin = copy.copy(self)
        twin.reference = reference
        return twin

    def capturable(self, max_elements: int) -> FormationEnergyAttention:
        """The same network with a table of `max_elements` tokens per composition."""
        twin = copy.copy(self)
        twin._modules = {"network": self.network.with_capacity(max_elements)}
        return twin

    def for_ranking(self) -> FormationEnergyAttention:
        """The network in bfloat16, on a processor that computes it faster, without gradients."""
        (network,) = networks_for_ranking([self.network])
        if network is self.network:
            return self
        twin = copy.copy(self)
        at_elements = self.values_at_elements() if self.at_elements is None else self.at_elements
        twin._modules = {"network": network}
        twin._buffers = {**self._buffers, "at_elements": at_elements.detach()}
        return twin


def reference_change(composition: torch.Tensor) -> torch.Tensor:
    """Compositions (batch, 118) -> x (1 - sum_i x_i^4) (batch, 118), the factors of c in the change of references."""
    # The same for a composition that sums to 1, but exactly 0 for an element also in floating point.
    total = composition.sum(1, keepdim=True)
    return composition * (total**4 - (composition**4).sum(1, keepdim=True))


def load_formation_energy_ensemble(name: str, folder: Path = CHECKPOINTS) -> Ensemble:
    """The trained ensemble, in evaluation mode, without gradients to its weights. Raises CheckpointError."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    known, size = checkpoint.known_mask(card), AttentionSize(**card["settings"]["size"])
    members = [FormationEnergyAttention(name, size, known) for _ in range(card["settings"]["members"])]
    scale = card.get("error_scale")
    predictor = Ensemble(name, members, scale and SpreadScale(**scale))
    checkpoint.load_into(predictor.networks, tensors, name)
    for member in members:
        member.freeze()
    return predictor.eval().requires_grad_(False)
