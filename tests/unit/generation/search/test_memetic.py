"""Free search from the bases of KIAGO's table 2 with the default models, and the preselection of formulas."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from core.evaluation.design import prepare
from core.generation.loop import run_steps
from core.generation.registry import generator_of
from core.generation.search.archive import Archive, Limit
from core.generation.search.energy_fit import EnergyFit
from core.generation.search.memetic import (
    NEIGHBOURS,
    PRESELECTED,
    PRESELECTED_IMMIGRANTS,
    Earlier,
    _chosen,
    _energy,
    hashes,
)
from core.generation.search.scoring import Values
from core.predictors.registry import load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from tests.unit.generation.search.models import predictors
from tests.unit.generation.search.test_formula_space import cells

BASES = ("LaNiAsO", "HgBa2Ca2Cu3O8", "CeBiOS2")  # one of each kind; `benchmark search` has all of table 2
ROUNDS = 4
load = cache(load_predictor)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("base", BASES)
def test_a_proposal_is_above_the_base(base):
    """The base itself is not counted, because it is no proposal."""
    design = prepare(DesignProblem(base, method="memetic", method_settings={"kept": 128}), load)
    state, _ = run_steps(design.generator, design.task, ROUNDS)
    found = design.generator.candidates(design.problem, design.task, state)
    base_tc, _ = design.predictors.predict(design.task.space.base[None])
    assert found.tc_K[:30].max() > base_tc[0]


def posed(**settings) -> DesignProblem:
    settings = OptimiserSettings(n_unit=(1, 12), **settings)
    return DesignProblem("LaFeAsO", settings=settings, method="memetic", method_settings={"kept": 64})


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("preselects", [True, False])
def test_a_formula_is_predicted_once_and_with_a_preselection_few_are(preselects):
    models = predictors(preselects=preselects, O=10.0, Cu=90.0)
    generator = generator_of(posed())
    task = generator.prepare(posed(), models)
    state = generator.init(task)
    for _ in range(3):
        before = int(state.tested)
        state, _ = generator.step(task, state)
        predicted = int(state.tested) - before
        assert (0 < predicted <= PRESELECTED + PRESELECTED_IMMIGRANTS + NEIGHBOURS) == preselects
    assert task.scorer.evaluated == int(state.tested) == len(set(state.seen.tolist()))


@pytest.mark.usefixtures("one_thread")
def test_a_resumed_search_predicts_the_same_formulas_together():
    """The last bits of a prediction depend on it."""

    def given(stop_at: int) -> list[torch.Tensor]:
        models = predictors(preselects=True, O=10.0, Cu=90.0)
        generator = generator_of(posed())
        state, _ = run_steps(generator, generator.prepare(posed(), models), stop_at)
        run_steps(generator, generator.prepare(posed(), models), 4, state)
        return models.tc.faster.given

    whole, resumed = given(4), given(2)
    assert len(whole) == len(resumed) > 8
    assert all(torch.equal(one, other) for one, other in zip(whole, resumed, strict=True))


def test_the_energy_is_fitted_to_both_archives_above_the_hull():
    archives = []
    for counts, energy in ((cells("LaFeAsO", "La2CuO4"), [-2.0, -2.4]), (cells("MgB2"), [-0.5])):
        energy = np.array(energy)
        values = Values(energy * 0, energy * 0, energy, np.full(len(energy), -0.3))
        archives.append(Archive(counts, values, energy))
    together = EnergyFit.of(cells("LaFeAsO", "La2CuO4", "MgB2"), np.array([-1.7, -2.1, -0.2]))
    found = _energy(*archives)
    assert found.mean == pytest.approx(together.mean) and found.coefficients == pytest.approx(together.coefficients)


@pytest.mark.usefixtures("one_thread")
def test_a_third_is_chosen_as_drawn_and_the_rest_by_promise_within_the_limit():
    task = generator_of(posed()).prepare(posed(), predictors(preselects=True, O=10.0, Cu=90.0))
    offered = task.operators.children(task.starts, 400, np.random.default_rng(0))
    energy = EnergyFit.of(offered[:40], np.linspace(-3, -1, 40))
    earlier = Earlier(hashes(offered[:5]), energy)
    chosen = _chosen(task, offered, 30, earlier, Limit(2, share=0.15))
    assert len(chosen) == 30 and np.array_equal(chosen[:10], offered[5:15])
    rest, others = chosen[10:], offered[15:]
    promise = task.scorer.promise(others, energy)
    best = others[np.argsort(-promise, kind="stable")]
    assert np.array_equal(rest, best[Limit(2, share=0.15).within(best)][:20])
    assert np.array_equal(_chosen(task, offered, 1000, earlier), offered[5:])
