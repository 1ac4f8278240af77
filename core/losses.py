"""Objectives and the integer loss (KIAGO eq. 9-11, 13, 16)."""

from __future__ import annotations

import torch


def grid_distance(composition: torch.Tensor, atom_counts: torch.Tensor, form: str = "absolute") -> torch.Tensor:
    """L_int^N for every N: sum over elements of the distance to the nearest n/N (KIAGO eq. 10).

    composition : (batch, elements) fractions in [0, 1]; absent elements may be left out, they cost nothing
    atom_counts : (sizes,) the N
    form : "absolute" |d|, or "squared" d^2 as in the authors' released code
    Returns (batch, sizes).
    """
    scaled = composition[:, None, :] * atom_counts[None, :, None]
    # The nearest grid point does not move with x (almost everywhere), so the gradient is that of the distance alone.
    distance = (scaled - scaled.detach().round()) / atom_counts[None, :, None]
    return (distance.abs() if form == "absolute" else distance.square()).sum(2)


def integer_loss(composition: torch.Tensor, atom_counts: torch.Tensor, form: str = "absolute") -> torch.Tensor:
    """L_integer (batch,): the least L_int^N over the allowed N (KIAGO eq. 11)."""
    return grid_distance(composition, atom_counts, form).amin(1)


def objective(tc: torch.Tensor, formation_energy: torch.Tensor, formation_energy_weight: float) -> torch.Tensor:
    """L_1 (batch,) in K: -Tc + alpha Ef (KIAGO eq. 13); tc in K, formation_energy in eV/atom."""
    return -tc + formation_energy_weight * formation_energy
