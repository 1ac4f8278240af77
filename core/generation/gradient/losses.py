"""Objective and integer loss (KIAGO eq. 9-11, 13; GDMCD eq. 3, 5-8)."""

from __future__ import annotations

import torch


def grid_distance(
    composition: torch.Tensor, atom_counts: torch.Tensor, form: str = "absolute", exempt: int = 0
) -> torch.Tensor:
    """L_int^N for every N: sum over elements of the distance to the nearest n/N (KIAGO eq. 9, 10).

    composition : (batch, elements) fractions in [0, 1]; absent elements may be omitted, because their distance is 0
    atom_counts : (sizes,) float, the numbers of atoms N
    form : "absolute" |d|, or "squared" d^2 as in the authors' released code
    exempt : number of elements, those with the largest distance at each N, excluded from the sum: L_int,ES^N with 2
        (GDMCD eq. 7)
    Returns (batch, sizes).
    """
    scaled = composition[:, None, :] * atom_counts[None, :, None]
    # The nearest grid point is constant almost everywhere and therefore has no gradient.
    distance = (scaled - scaled.detach().round()) / atom_counts[None, :, None]
    cost = distance.abs() if form == "absolute" else distance.square()
    if exempt:
        cost = cost.topk(max(cost.shape[2] - exempt, 0), dim=2, largest=False).values
    return cost.sum(2)


def integer_loss(
    composition: torch.Tensor, atom_counts: torch.Tensor, form: str = "absolute", exempt: int = 0
) -> torch.Tensor:
    """L_integer (batch,): minimum of L_int^N over N (KIAGO eq. 11, GDMCD eq. 8). Parameters as of `grid_distance`."""
    return grid_distance(composition, atom_counts, form, exempt).amin(1)


def objective(
    tc: torch.Tensor, formation_energy: torch.Tensor, formation_energy_weight: float, target: float | None = None
) -> torch.Tensor:
    """L_1 (batch,) in K: -Tc + alpha Ef (KIAGO eq. 13), or with a target y_t max(0, y_t - Tc) + alpha Ef (GDMCD eq. 3).

    tc, target : K
    formation_energy : eV/atom
    formation_energy_weight : alpha, K per (eV/atom)
    """
    first = -tc if target is None else torch.relu(target - tc)
    return first + formation_energy_weight * formation_energy
