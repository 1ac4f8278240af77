"""The objective by its equation, and that each formula is predicted once."""

from dataclasses import replace

import numpy as np
import pytest

from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.search.scoring import Scorer, Values, objective
from core.problem.settings import TARGET, OptimiserSettings
from tests.unit.generation.search.models import Energies, predictors
from tests.unit.generation.search.test_formula_space import cells

SETTINGS = OptimiserSettings(risk_aversion=0.5, formation_energy_weight=3.0)


def scorer(energies: Energies | None = None, settings: OptimiserSettings = SETTINGS) -> Scorer:
    return Scorer(predictors(energies, O=40.0), settings, BatchParallel())


def test_the_objective_is_tc_less_error_and_energy():
    values = Values(np.array([50.0]), np.array([8.0]), np.array([-2.0]))
    assert objective(SETTINGS, values) == pytest.approx(50 - 0.5 * 8 + 3 * 2)


@pytest.mark.parametrize(("tc", "expected"), [(50.0, 50 - 4 - 60 + 6), (100.0, 6.0)])
def test_with_a_target_tc_counts_only_below_it(tc, expected):
    aimed = replace(SETTINGS, objective=TARGET, target_tc_K=60.0)
    assert objective(aimed, Values(np.array([tc]), np.array([8.0]), np.array([-2.0]))) == pytest.approx(expected)


def test_the_quick_energy_is_that_of_the_first_member_and_the_full_one_the_mean():
    ours, counts = scorer(), cells("LaFeAsO", "La2CuO4")
    assert ours.quick(counts).formation_energy_eV_per_atom == pytest.approx([-1.0, -1.0])
    full = ours.full(counts)
    assert full.formation_energy_eV_per_atom == pytest.approx([-0.9, -0.9])
    assert full.tc_K == pytest.approx([10.0, 40 * 4 / 7]) and full.error_K == pytest.approx(full.tc_K / 10)


def test_each_formula_is_predicted_once():
    energies = Energies()
    ours, counts = scorer(energies), cells("LaFeAsO", "La2CuO4", "LaFeAsO")
    first = ours.full(counts[:2])
    again = ours.full(counts)
    assert ours.evaluated == 2 and energies.calls == 2
    assert (again.tc_K[:2] == first.tc_K).all() and again.tc_K[2] == again.tc_K[0]


def test_a_formula_of_positive_formation_energy_has_no_score():
    ours = scorer()
    values = Values(np.array([50.0, 50.0]), np.zeros(2), np.array([-0.1, 0.1]))
    assert np.isfinite(ours.score(values)).tolist() == [True, False]
