"""Genetic search: it finds a known optimum, keeps every demand, resumes exactly, and depends on the seed alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.generation.loop import run_steps
from core.generation.search.formula_space import formula_space
from core.generation.search.genetic import GENERATOR
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site
from tests.unit.generation.search.models import predictors

OWN = {"population": 64, "offspring": 64, "generations": 6}
PROBLEMS = {
    "free": {},
    "fixed": {"fixed": {"O": 0.25}},
    "floor": {"base": "LaH10", "floors": {"H": 0.4}, "charge_rule": "every_atom",
              "settings": OptimiserSettings(max_elements=3, n_unit=(1, 15))},
    "bounds": {"bounds": {"O": (0.2, 0.3)}, "groups": (Group(("As", "P"), 0.2, 0.4),)},
    "ratio": {"base": "YBa2Cu3O7", "ratios": ({"Ba": 2, "Y": 1},)},
    "site": {"task": SUBSTITUTE, "sites": (Site("La", 3),)},
    "sites": {"task": SUBSTITUTE, "sites": (Site("La", 3), Site("O", -2))},
    "fractional": {"base": "BaFe2As2", "settings": OptimiserSettings(fractional_elements=2, n_unit=(5, 5))},
}  # fmt: skip


def problem(**fields) -> DesignProblem:
    return DesignProblem(**({"base": "LaFeAsO", "method": "genetic", "method_settings": OWN} | fields))


def found(posed: DesignProblem, models=None, stop_at: int | None = None):
    """The candidates of a run; with `stop_at` the state is stored and the task made again at this step."""
    models = models or predictors(O=10.0, Cu=90.0)
    task = GENERATOR.prepare(posed, models)
    steps, state = posed.method_settings["generations"], None
    if stop_at is not None:
        state, _ = run_steps(GENERATOR, task, stop_at)
        task = GENERATOR.prepare(posed, models)
    state, _ = run_steps(GENERATOR, task, steps, state)
    return GENERATOR.candidates(posed, task, state)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("fields", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_every_demand_holds(fields):
    posed = problem(**fields)
    counts = found(posed).rounded.counts
    space = formula_space(posed, predictors().known_symbols(), 9)
    assert len(counts) > 5 and space.passes(counts).all()


@pytest.mark.usefixtures("one_thread")
def test_it_finds_the_best_formula():
    """Tc rises with the share of copper alone, so that oxides with few other atoms are the best."""
    posed = problem(settings=OptimiserSettings(n_unit=(1, 8), max_elements=2, risk_aversion=0.0),
                    method_settings=OWN | {"generations": 25})  # fmt: skip
    best = found(posed).tc_K[0]
    assert best > 80 * 2 / 3


@pytest.mark.usefixtures("one_thread")
def test_interrupted_and_resumed_is_the_same():
    whole, resumed = found(problem()), found(problem(), stop_at=3)
    assert (whole.rounded.counts == resumed.rounded.counts).all() and (whole.tc_K == resumed.tc_K).all()


@pytest.mark.usefixtures("one_thread")
def test_the_seed_decides():
    one, same, other = (found(problem(seed=seed)).rounded.counts for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_reports_and_schedule():
    posed = problem()
    task = GENERATOR.prepare(posed, predictors(O=1.0))
    state, report = GENERATOR.step(task, GENERATOR.init(task))
    assert int(state.step) == 1 and report.step == 0 and len(report.tc_K) == OWN["population"]
    assert GENERATOR.schedule(posed).steps == OWN["generations"]
    assert all(isinstance(getattr(state, name), torch.Tensor) for name in ("step", "counts", "numbers"))


def test_errors_name_the_field():
    impossible = problem(fixed={"O": 0.31}, settings=replace(OptimiserSettings(), n_unit=(4, 4)))
    assert [error.field for error in GENERATOR.validate(impossible, predictors().known_symbols())] == ["n_unit"]
