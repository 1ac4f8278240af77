"""Properties of the elements as numerical features for networks and trees."""

from __future__ import annotations

import torch

from core.chemistry import elements


def element_features() -> torch.Tensor:
    """(118, properties) float32 from `core.chemistry.elements`, each column of mean 0 and standard deviation 1."""
    rows = []
    for e in elements.all_elements():
        states = e.oxidation_states or (0,)
        rows.append(
            [
                e.atomic_number, e.period, e.column, e.group or 3, e.mass_u, e.mendeleev_number or 103,
                e.electronegativity or 1.6, max(states), min(states), float(e.metal), float(e.rare_earth),
                *(float(e.block == block) for block in "spdf"),
            ]
        )  # fmt: skip
    table = torch.tensor(rows, dtype=torch.float32)
    return (table - table.mean(0)) / table.std(0).clamp_min(1e-6)
