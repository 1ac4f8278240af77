"""The reference loop is the same method, and both sides are measured on the same weights. No test measures a time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.benchmarks import speed as speeds
from core.benchmarks.harness import Options
from core.benchmarks.paper import TOP
from core.benchmarks.quality import Best, time_to_quality
from core.benchmarks.reference_loop import ReferenceLoop, prepare_reference
from core.benchmarks.speed import SpeedOptions, random_counts, speed
from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.generation.gradient.generator import optimise
from core.predictors.registry import MODELS, PUBLISHED, load_predictor
from core.predictors.tc.resnet import TcResNet
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem

pytestmark = pytest.mark.usefixtures("one_thread")

PROBLEM = DesignProblem(
    base="LaFeAsO", settings=replace(PAPER, candidates=6, steps=(3, 3)), device="cpu", precision="float32",
    tc_predictor=PUBLISHED.tc, formation_energy_predictor=PUBLISHED.formation_energy,
)  # fmt: skip


def test_the_reference_loop_reaches_the_same_compositions():
    reference = prepare_reference(PROBLEM).task
    ours = prepare(PROBLEM).task
    assert isinstance(reference.tc, TcResNet) and not isinstance(ours.tc, TcResNet)
    state, _ = optimise(ours)
    reached = optimiser.evaluate(ours, state).composition
    assert torch.allclose(ReferenceLoop.begin(reference).run(), reached, atol=2e-4)


def test_models_measured_in_bfloat16_have_a_bfloat16_form():
    for predictor, models in MODELS.items():
        both = [load_predictor(name) for name in (models.tc, models.formation_energy)]
        assert any(each.in_bfloat16() is not each for each in both) == (predictor in speeds.IN_BFLOAT16)


def test_the_reference_loop_can_be_stopped():
    reference = prepare_reference(PROBLEM).task
    seen = []
    ReferenceLoop.begin(reference).run(lambda step, x: seen.append(step) or step < 2)
    assert seen == [1, 2]


def test_speeds_are_compared_on_the_same_weights(monkeypatch):
    monkeypatch.setattr(speeds, "screening_times", lambda: ("screens",))
    monkeypatch.setattr(speeds, "processor_multiplies_bfloat16", lambda: True)
    options = SpeedOptions((4,), (1, 1), repeats=1, device="cpu", predictor=("published",), memory=False)
    outcome = speed(options)
    row = outcome.table.iloc[0]
    assert row["ratio"] == pytest.approx(row["ours_candidate_steps_per_s"] / row["plain_candidate_steps_per_s"])
    assert row["largest_tc_difference_mK"] < 1 and row["largest_energy_difference_meV_per_atom"] < 0.1
    assert [trace["name"] for trace in outcome.figure["data"]] == [
        "ResNet18 and ElemNet, reference", "ResNet18 and ElemNet, ours", "ResNet18 and ElemNet, bfloat16"
    ]  # fmt: skip
    assert outcome.table["precision"].tolist() == ["float32", "bfloat16"]
    assert (outcome.table["largest_tc_difference_mK"] < 1).all()  # what is reported is float32 in both


def test_peak_memory_is_measured_in_a_separate_process():
    assert 50 < speeds.peak_memory(replace(PROBLEM, settings=replace(PROBLEM.settings, steps=(1, 0))), "ours") < 20_000


def test_screens_are_timed_on_compositions_of_nine_elements():
    counts = random_counts(20, 9, {"La", "Fe", "As", "O", "Cu", "Ba", "Y", "Sr", "Ca", "He"})
    assert ((counts > 0).sum(1) == 9).all() and not counts[:, 1].any()  # helium has no oxidation state
    assert len(speeds.screening_times(3, 2)) == 2


class Constant:
    """A predictor with known values: Tc is 100 times the first fraction, the energy that of the second."""

    def __init__(self, column: int, factor: float):
        self.column, self.factor = column, factor

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        return self.factor * composition[:, self.column]


def test_quality_is_the_mean_objective_of_the_best_distinct_formulas():
    """H(n)He(60-n) for n = 1..40: Tc = 100 n / 60, no energy; the best 30 are n = 11..40, each counted once."""
    task = prepare(PROBLEM).task
    task = replace(task, tc=Constant(0, 100.0), formation_energy=Constant(5, 1.0), atom_counts=torch.tensor([60.0]))
    n = torch.arange(1, 41, dtype=torch.float64)
    x = torch.zeros(40, 118, dtype=torch.float64)
    x[:, 0], x[:, 1] = n / 60, 1 - n / 60
    best = Best(task, target=-42.0)
    best.start()
    assert best.measure(x[:20].repeat(3, 1)) and best.quality == float("inf")  # 20 distinct ones are too few
    assert not best.measure(x)
    assert best.quality == pytest.approx(-100 * np.mean(np.arange(40 - TOP + 1, 41)) / 60, abs=1e-4)
    assert best.reached and len(best.course) == 2


def test_time_to_quality_stops_when_ours_is_as_good(tmp_path):
    options = Options(candidates=40, steps=(1, 1), bases=("LaFeAsO",), device="cpu", predictor="published",
                      cache=tmp_path)  # fmt: skip
    outcome = time_to_quality(options)
    assert set(outcome.about["checkpoints"]) == {options.models.tc, options.models.formation_energy}
    row = outcome.table.iloc[0]
    assert row["ratio"] == pytest.approx(row["plain_s"] / row["ours_s"])
    assert not row["reached"] or row["ours_objective_K"] <= row["plain_objective_K"]
