"""The objective by its equation, and that each formula is predicted once."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.interface import PropertyPredictors
from core.generation.search.energy_fit import EnergyFit
from core.generation.search.scoring import Scorer, Values, objective
from core.problem.settings import TARGET, OptimiserSettings
from tests.unit.generation.search.models import Energies, TcWithFasterVersion, predictors
from tests.unit.generation.search.test_formula_space import cells

SETTINGS = OptimiserSettings(risk_aversion=0.5, formation_energy_weight=3.0)


def scorer(energies: Energies | None = None, settings: OptimiserSettings = SETTINGS) -> Scorer:
    return Scorer(predictors(energies, O=40.0), settings, BatchParallel())


def test_the_objective_is_tc_less_error_and_energy():
    values = Values(np.array([50.0]), np.array([8.0]), np.array([-2.0]), np.zeros(1))
    assert objective(SETTINGS, values) == pytest.approx(50 - 0.5 * 8 + 3 * 2)


@pytest.mark.parametrize(("tc", "expected"), [(50.0, 50 - 4 - 60 + 6), (100.0, 6.0)])
def test_with_a_target_tc_counts_only_below_it(tc, expected):
    aimed = replace(SETTINGS, objective=TARGET, target_tc_K=60.0)
    assert objective(aimed, Values(np.array([tc]), np.array([8.0]), np.array([-2.0]), np.zeros(1))) == pytest.approx(
        expected
    )


def test_the_quick_energy_is_that_of_the_first_member_and_the_full_one_the_mean():
    ours, counts = scorer(), cells("LaFeAsO", "La2CuO4")
    assert ours.quick(counts).formation_energy_eV_per_atom == pytest.approx([-1.0, -1.0])
    full = ours.full(counts)
    assert full.formation_energy_eV_per_atom == pytest.approx([-0.9, -0.9])
    assert full.tc_K == pytest.approx([10.0, 40 * 4 / 7], abs=6e-4)  # rounded
    assert full.error_K == pytest.approx(full.tc_K / 10, abs=6e-4)


def test_each_formula_is_predicted_once():
    energies = Energies()
    ours, counts = scorer(energies), cells("LaFeAsO", "La2CuO4", "LaFeAsO")
    first = ours.full(counts[:2])
    again = ours.full(counts)
    assert ours.evaluated == 2 and energies.calls == 2
    assert (again.tc_K[:2] == first.tc_K).all() and again.tc_K[2] == again.tc_K[0]


def test_a_formula_of_positive_formation_energy_has_no_score():
    ours = scorer()
    values = Values(np.array([50.0, 50.0]), np.zeros(2), np.array([-0.1, 0.1]), np.zeros(2))
    assert np.isfinite(ours.score(values)).tolist() == [True, False]


class Plane:
    """A hull that is a plane: prices -2 eV per oxygen atom and 0 for all others."""

    def mixtures(self, compositions):
        return -2.0 * compositions[:, elements.element("O").index]

    def mixture(self, composition):
        prices = np.zeros(elements.N_ELEMENTS)
        prices[elements.element("O").index] = -2.0
        return float(composition @ prices), prices


def test_the_energy_above_hull_replaces_the_formation_energy():
    ours, counts = scorer(), cells("LaFeAsO", "La2CuO4")
    ours.hull = Plane()
    above = ours.full(counts)
    assert above.hull_eV_per_atom == pytest.approx([-0.5, -8 / 7])
    expected = 0.95 * np.array([10.0, 40 * 4 / 7]) - 3 * (-0.9 + np.array([0.5, 8 / 7]))
    assert objective(SETTINGS, above) == pytest.approx(expected, abs=1e-3)
    assert (objective(SETTINGS, ours.quick(counts)) > objective(SETTINGS, above)).all()  # an upper bound


def test_the_gradient_with_a_hull_agrees_with_finite_differences():
    ours, x, step = scorer(), torch.from_numpy(cells("LaFeAsO") / 4).float(), 1e-4
    ours.hull = Plane()
    move = torch.zeros_like(x)
    move[0, elements.element("O").index], move[0, elements.element("Fe").index] = step, -step

    def value(point: torch.Tensor) -> float:
        tc = ours.predictors.tc.estimate(point)
        energy = ours.predictors.formation_energy.members()[0](point)
        hull = ours.hull.mixtures(point.double().numpy())
        return float(tc.value - 0.5 * tc.error - 3 * energy) + 3 * float(hull[0])

    slope = (value(x + move) - value(x - move)) / (2 * step)
    assert float(ours.gradient(x, x.double().numpy())[0] @ move[0].double().numpy() / step) == pytest.approx(
        slope, rel=1e-2
    )


def test_the_promise_is_the_objective_by_the_faster_version_and_the_fit_of_the_energy():
    tc, counts = TcWithFasterVersion({"O": 40.0}), cells("LaFeAsO", "La2CuO4", "SrO2")
    ours = Scorer(PropertyPredictors(tc, Energies(), torch.device("cpu")), SETTINGS, BatchParallel())
    assert ours.preselects and not scorer().preselects
    expected = 20 * np.array([1 / 4, 4 / 7, 2 / 3])
    expected += 5 * np.array([1 / 2, 1, 2 / 3])  # of O, Cu and La, whose places are multiples of 7
    expected *= 1 - 0.5 / 10
    energy = EnergyFit.of(cells("LaFeAsO", "La2CuO4"), np.array([-2.0, -3.0]))
    expected -= 3 * energy(counts)
    assert ours.promise(counts, energy) == pytest.approx(expected, abs=2e-3)
    assert ours.evaluated == 0  # no prediction of the models themselves


def test_what_is_forgotten_is_predicted_again():
    ours, counts = scorer(), cells("LaFeAsO", "La2CuO4")
    first = ours.full(counts)
    ours.forget()
    again = ours.full(counts)
    assert ours.evaluated == 4 and (again.tc_K == first.tc_K).all()
