"""Free search from the bases of KIAGO's table 2 with the default models: a formula above the base is soon found."""

from __future__ import annotations

from functools import cache

import pytest

from core.evaluation.design import prepare
from core.generation.loop import run_steps
from core.predictors.registry import load_predictor
from core.problem.problem import DesignProblem

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
