"""Stability from predicted energies, on a hull that can be drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core import elements
from core.composition import compositions
from core.screening.hull import Hull
from core.training.references import stability

# Li2O and LiO2 are on the hull; Li2O2 lies 0.2 eV/atom above the line between them.
ENERGIES = {"Li2O": -2.0, "Li2O2": -1.4, "LiO2": -1.2}


class Table(torch.nn.Module):
    """Predicts what ENERGIES says of the three oxides, by their share of lithium."""

    def __init__(self):
        super().__init__()
        self.name = "table"
        self.register_buffer("known_elements", torch.arange(elements.N_ELEMENTS) < 50)

    def forward(self, composition):
        shares = torch.from_numpy(compositions(list(ENERGIES))[:, 2]).float()
        nearest = (composition[:, 2:3] - shares).abs().argmin(1)
        return torch.tensor(list(ENERGIES.values()))[nearest]


def test_stability_by_hand():
    hull = Hull(compositions(list(ENERGIES)), np.array(list(ENERGIES.values())), tuple(ENERGIES))
    asked = [*ENERGIES, "Cs2O"]  # caesium is not known: left out
    calculated = np.array([-0.5, -0.1, -0.1, -0.1])  # all are stable by calculation
    found = stability(Table(), hull, compositions(asked), calculated)
    assert found == {"n": 3, "stability_accuracy": pytest.approx(2 / 3), "stability_f1": pytest.approx(2 * 2 / (2 + 3))}
