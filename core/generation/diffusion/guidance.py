"""Predictions for noisy amounts, and classifier guidance (Dhariwal and Nichol 2021; KIAGO 3.1) by their gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from core.chemistry import elements
from core.generation.diffusion.network import N_POSITIONS
from core.generation.gradient import losses
from core.predictors.interface import Predictor

PUBLISHED_BATCH = 1024  # the paper's gradient is that of the mean over a batch of this size


def normalised(amounts: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Amounts (batch, 96) -> fractions (batch, 118) of the positive amounts of known elements, differentiable.

    known : (118,) bool, elements that the predictors know; the others are left out
    A row without a positive amount of a known element is all zeros.
    """
    positive = amounts.clamp(min=0) * known[:N_POSITIONS]
    total = positive.sum(1, keepdim=True)
    fractions = positive / total.where(total > 0, 1.0)
    return torch.nn.functional.pad(fractions, (0, elements.N_ELEMENTS - N_POSITIONS))


@dataclass(frozen=True)
class Guidance:
    """The gradient of a loss of predictions with respect to noisy amounts.

    known : (118,) bool, elements that both predictors know
    formation_energy_weight : alpha, K per (eV/atom)
    """

    known: torch.Tensor
    formation_energy_weight: float

    def predictions(
        self, amounts: torch.Tensor, tc: Predictor, formation_energy: Predictor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Fractions (batch, 118), Tc in K and formation energy in eV/atom (batch,) of amounts (batch, 96).

        The predictions of a row without a positive amount are NaN.
        """
        fractions = normalised(amounts, self.known)
        empty = fractions.sum(1) == 0
        tc_K, energy = (predict(fractions).masked_fill(empty, torch.nan) for predict in (tc, formation_energy))
        return fractions, tc_K, energy

    def gradient(self, amounts: torch.Tensor, tc: Predictor, formation_energy: Predictor) -> torch.Tensor:
        """Gradient (batch, 96) of -Tc + alpha Ef of each sample, in K per atom.

        Each row is the gradient of its own loss. The paper's gradient, of the mean over PUBLISHED_BATCH samples, is
        smaller by this factor. The loss depends on the fractions only, so that the gradient is orthogonal to the
        positive amounts; negative amounts have none.
        """
        with torch.enable_grad():
            x = amounts.detach().requires_grad_(True)
            _, tc_K, energy = self.predictions(x, tc, formation_energy)
            loss = losses.objective(tc_K, energy, self.formation_energy_weight)
            return torch.autograd.grad(loss.sum(), x)[0]
