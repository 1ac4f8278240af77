"""Objectives and the integer loss (KIAGO eq. 9-11, 13, 16; GDMCD eq. 3, 5-8)."""

from __future__ import annotations

import torch


def grid_distance(
    composition: torch.Tensor, atom_counts: torch.Tensor, form: str = "absolute", exempt: int = 0
) -> torch.Tensor:
    """L_int^N for every N: sum over elements of the distance to the nearest n/N (KIAGO eq. 10).

    composition : (batch, elements) fractions in [0, 1]; absent elements may be left out, they cost nothing
    atom_counts : (sizes,) the N
    form : "absolute" |d|, or "squared" d^2 as in the authors' released code
    exempt : so many elements, those that cost most at this N, cost nothing: L_int,ES^N with 2 (GDMCD eq. 7)
    Returns (batch, sizes).
    """
    scaled = composition[:, None, :] * atom_counts[None, :, None]
    # The nearest grid point does not move with x (almost everywhere), so the gradient is that of the distance alone.
    distance = (scaled - scaled.detach().round()) / atom_counts[None, :, None]
    cost = distance.abs() if form == "absolute" else distance.square()
    if exempt:
        cost = cost.topk(max(cost.shape[2] - exempt, 0), dim=2, largest=False).values
    return cost.sum(2)


def integer_loss(
    composition: torch.Tensor, atom_counts: torch.Tensor, form: str = "absolute", exempt: int = 0
) -> torch.Tensor:
    """L_integer (batch,): the least L_int^N over the allowed N (KIAGO eq. 11, GDMCD eq. 8)."""
    return grid_distance(composition, atom_counts, form, exempt).amin(1)


def objective(
    tc: torch.Tensor, formation_energy: torch.Tensor, formation_energy_weight: float, target: float | None = None
) -> torch.Tensor:
    """L_1 (batch,) in K: -Tc + alpha Ef (KIAGO eq. 13); tc and target in K, formation_energy in eV/atom.

    With a target y_t the first term is max(0, y_t - Tc) (GDMCD eq. 3): nothing is gained above it.
    """
    first = -tc if target is None else torch.relu(target - tc)
    return first + formation_energy_weight * formation_energy
