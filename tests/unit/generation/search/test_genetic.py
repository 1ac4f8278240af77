"""Genetic and memetic search: they find a known optimum, keep every demand, resume exactly, and follow the seed."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from core.chemistry.composition import compositions
from core.generation.loop import run_steps
from core.generation.registry import generator_of
from core.generation.search.formula_space import formula_space
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site
from core.reference_data.references import load_references
from core.screening.composition_distance import exchanged_share
from tests.unit.generation.search.models import predictors

METHODS = {
    "genetic": {"population": 64, "offspring": 64, "generations": 6},
    "memetic": {"kept": 64, "rounds": 4},
}
pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.parametrize("method", METHODS)]

PROBLEMS = {
    "free": {},
    "fixed": {"fixed": {"O": 0.25}},
    "floor": {"base": "LaH10", "floors": {"H": 0.4}, "charge_rule": "every_atom",
              "settings": OptimiserSettings(max_elements=3, n_unit=(1, 15))},
    "bounds": {"bounds": {"O": (0.2, 0.3)}, "groups": (Group(("As", "P"), 0.2, 0.4),)},
    "ratio": {"base": "YBa2Cu3O7", "ratios": ({"Ba": 2, "Y": 1},)},
    "site": {"task": SUBSTITUTE, "sites": (Site("La", 3),)},
    "sites": {"task": SUBSTITUTE, "sites": (Site("La", 3), Site("O", -2))},
    "new metals": {"task": SUBSTITUTE, "sites": (Site("La", 3, among="metals", may_return=False),)},
    "fractional": {"base": "BaFe2As2", "settings": OptimiserSettings(fractional_elements=2, n_unit=(5, 5))},
}  # fmt: skip


def problem(method: str, **fields) -> DesignProblem:
    return DesignProblem(**({"base": "LaFeAsO", "method": method, "method_settings": METHODS[method]} | fields))


def found(posed: DesignProblem, stop_at: int | None = None, preselects: bool = True, **weights: float):
    """The candidates of a run; with `stop_at` the state is stored and the task made again at this step."""
    models = predictors(preselects=preselects, **(weights or {"O": 10.0, "Cu": 90.0}))
    generator = generator_of(posed)
    task = generator.prepare(posed, models)
    steps, state = generator.schedule(posed).steps, None
    if stop_at is not None:
        state, _ = run_steps(generator, task, stop_at)
        task = generator.prepare(posed, models)
    state, _ = run_steps(generator, task, steps, state)
    return generator.candidates(posed, task, state)


@pytest.mark.parametrize("demands", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_every_demand_holds(method, demands):
    posed = problem(method, **demands)
    counts = found(posed).rounded.counts
    space = formula_space(posed, predictors().known_symbols(), 9)
    assert len(counts) > 5 and space.passes(counts).all()


def test_it_finds_the_best_formula(method):
    """Tc rises with the share of copper alone, so that oxides with few other atoms are the best."""
    steps = {"generations": 25} if method == "genetic" else {"rounds": 15}
    posed = problem(method, settings=OptimiserSettings(n_unit=(1, 8), max_elements=2, risk_aversion=0.0),
                    method_settings=METHODS[method] | steps)  # fmt: skip
    best = found(posed).tc_K[0]
    assert best > 80 * 2 / 3


def test_interrupted_and_resumed_is_the_same(method):
    whole, resumed = found(problem(method)), found(problem(method), stop_at=2)
    assert (whole.rounded.counts == resumed.rounded.counts).all() and (whole.tc_K == resumed.tc_K).all()


def test_the_seed_decides(method):
    one, same, other = (found(problem(method, seed=seed)).rounded.counts for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_reports_and_schedule(method):
    posed = problem(method)
    generator = generator_of(posed)
    task = generator.prepare(posed, predictors(preselects=True, O=1.0))
    state, report = generator.step(task, generator.init(task))
    assert int(state.step) == 1 and report.step == 0 and len(report.tc_K) == 64
    assert all(isinstance(getattr(state, field.name), torch.Tensor) for field in fields(state))


def test_errors_name_the_field(method):
    impossible = problem(method, fixed={"O": 0.31}, settings=replace(OptimiserSettings(), n_unit=(4, 4)))
    assert [error.field for error in generator_of(impossible).validate(impossible, predictors().known_symbols())] == [
        "n_unit"
    ]


def test_new_near_and_few_of_the_same_elements(method):
    """Demanded together: every formula of the result, without a screen at the end."""
    settings = OptimiserSettings(novelty="new", change="near", most_changed=0.3, per_element_set=2)
    counts = found(problem(method, settings=settings)).rounded.counts
    x = counts / counts.sum(1, keepdims=True)
    base = compositions(["LaFeAsO"])[0]
    known = load_references().superconducting_compositions
    assert len(counts) > 20 and (exchanged_share(x, base) <= 0.3 + 1e-9).all()
    assert exchanged_share(x[:, None], known[None]).min() >= 0.02 - 1e-9 <= exchanged_share(x, base).min()
    assert np.unique(counts > 0, axis=0, return_counts=True)[1].max() <= 2


def test_the_base_is_not_proposed_where_nothing_is_better(method):
    """Tc rises with boron alone: MgB7 is the best base of at most 8 atoms, and a parent."""
    settings = OptimiserSettings(n_unit=(1, 8), max_elements=2, risk_aversion=0.0)
    posed = problem(method, base="MgB7", charge_rule="every_atom", settings=settings)
    counts = found(posed, B=100.0).rounded.counts
    base = compositions(["MgB7"])[0]
    assert len(counts) and exchanged_share(counts / counts.sum(1, keepdims=True), base).min() > 0


def test_at_most_three_of_the_same_elements_give_ten_element_sets_among_the_best_thirty(method):
    settings = OptimiserSettings(per_element_set=3)
    best = found(problem(method, settings=settings)).rounded.counts[:30]
    assert len(best) == 30 and len(np.unique(best > 0, axis=0)) >= 10
