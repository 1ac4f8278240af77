"""Stability from predicted energies, on a hull that can be drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.predictors.ensemble import Ensemble
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor
from core.screening.convex_hull import Hull
from core.training.references import OF_DISTANCES, OF_ENERGIES, place, reliability, stability

# Li2O and LiO2 are on the hull; Li2O2 lies 0.2 eV/atom above the line between them.
ENERGIES = {"Li2O": -2.0, "Li2O2": -1.4, "LiO2": -1.2}


class Table(NetworkPredictor):
    """Predicts the ENERGIES of the three oxides from their fraction of lithium."""

    role = Role.FORMATION_ENERGY

    def __init__(self):
        super().__init__()
        self.name = "table"
        self.register_buffer("known_elements", torch.arange(elements.N_ELEMENTS) < 50)

    def forward(self, composition):
        shares = torch.from_numpy(compositions(list(ENERGIES))[:, 2]).float()
        nearest = (composition[:, 2:3] - shares).abs().argmin(1)
        return torch.tensor(list(ENERGIES.values()))[nearest]


class Shifted(Table):
    """Predictions of Table, shifted by the same energy for all compounds."""

    def __init__(self, by: float):
        super().__init__()
        self.by = by

    def forward(self, composition):
        return super().forward(composition) + self.by


def test_stability_by_hand():
    """Li2O is below 2/3 Li2O2 and Li, LiO2 below 1/2 Li2O and O; Li2O2 is above the line between them."""
    hull = Hull(compositions(list(ENERGIES)), np.array(list(ENERGIES.values())), tuple(ENERGIES))
    formulas = compositions([*ENERGIES, "Cs2O"])  # caesium is not known: left out
    calculated = np.array([-0.5, -0.1, -0.1, -0.1])  # all are stable by calculation
    placed = place(Table(), hull, formulas, calculated, np.arange(4))
    below = [2.0 - 1.4 * 2 / 3, 1.2 - 2.0 / 2]
    assert placed.rows.tolist() == [0, 1, 2] and not placed.spreads
    assert placed.distances == pytest.approx([-below[0], 0.2, -below[1]], abs=1e-6)
    assert placed.error == pytest.approx([0.5 - below[0], 0.3, 0.1 - below[1]], abs=1e-6)
    assert stability(placed) == {
        "n": 3,
        "stability_accuracy": pytest.approx(2 / 3),
        "stability_f1": pytest.approx(2 * 2 / (2 + 3)),
        "hull_distance_mae_eV_per_atom": pytest.approx(np.abs(placed.error).mean()),
    }


def test_spreads_of_distances_and_of_energies():
    """Two members differ by 0.2 eV/atom for every oxide. Their energies differ by as much, but their distances only if
    the mixture contains an element. The rows are in the given order."""
    shifted = Shifted(0.2)
    both = Ensemble("both", [Table(), shifted])
    hull = Hull(compositions(list(ENERGIES)), np.array(list(ENERGIES.values())) + 0.1, tuple(ENERGIES))
    placed = place(both, hull, compositions(list(ENERGIES)), np.zeros(3), np.array([1, 0]))
    assert placed.rows.tolist() == [1, 0]
    assert placed.spreads[OF_ENERGIES] == pytest.approx([0.2 / 2**0.5] * 2)
    assert placed.spreads[OF_DISTANCES] == pytest.approx([0.0, 0.2 / 3 / 2**0.5], abs=1e-7)


def test_of_two_calibrated_scales_the_sharper_one_has_the_higher_likelihood():
    random = np.random.default_rng(0)
    scale = np.repeat([0.02, 0.2], 10_000)
    error = random.laplace(scale=scale)
    right, flat, bold = (reliability(error, b) for b in (scale, np.full(20_000, 0.11), 0.5 * scale))
    assert right["n"] == 20_000 and right["expected_error_eV_per_atom"] == pytest.approx(0.11)
    assert right["inside_intervals"]["50%"] == pytest.approx(0.5, abs=0.02)
    assert bold["inside_intervals"]["50%"] == pytest.approx(1 - 0.5**0.5, abs=0.02)  # twice as sharp as true
    assert right["log_likelihood"] > max(flat["log_likelihood"], bold["log_likelihood"])
    assert right["log_likelihood"] == pytest.approx(-np.log(2 * 0.02 * 2 * 0.2) / 2 - 1, abs=0.03)
