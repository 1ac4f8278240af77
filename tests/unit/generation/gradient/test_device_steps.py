"""Steps of fixed shapes give the results of `optimiser.step`, and no operation in them waits for the device."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from core.evaluation.design import prepare
from core.generation.gradient import device_steps, optimiser
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.device_steps import Buffers, DeviceSteps, step_in_place
from core.generation.gradient.generator import GENERATOR, optimise
from core.paths import ASSETS
from core.predictors.registry import BEST, PUBLISHED
from core.problem.problem import DesignProblem
from tests.no_synchronisation import no_synchronisation
from tests.unit.generation.gradient.test_optimiser import N, Poison, Tilted, guesses, task

EXAMPLES = sorted((ASSETS / "examples").glob("*.json"))


class CalledBeforeCapture:
    """In the place of CUDA graphs: calls the work a few times, as before a capture, and then returns it."""

    execution = "called"

    def __init__(self):
        self.captures = 0

    def captured(self, work):
        self.captures += 1
        for _ in range(3):
            work()
        return work


def fixed_shapes(ours, graphs=None):
    """The same task with steps of fixed shapes."""
    return replace(ours, device_steps=DeviceSteps(graphs))


def both(ours, graphs=None):
    """Reports and final states: step by step, and with fixed shapes."""
    found = []
    for each in (ours, fixed_shapes(ours, graphs)):
        reports = []
        state, status = optimise(each, on_step=lambda state, report, to=reports: to.append(report) or True)
        assert status == "finished"
        found.append((state, reports))
    return found


def assert_same(first, second, atol=1e-5):
    (state, reports), (other, others) = first, second
    assert [(r.step, r.stage, r.restarts) for r in reports] == [(r.step, r.stage, r.restarts) for r in others]
    for one, two in zip(reports, others, strict=True):
        for name in device_steps.REPORT_FIELDS:
            assert torch.allclose(getattr(one, name), getattr(two, name), atol=atol, rtol=1e-4, equal_nan=True), name
    assert int(state.step) == int(other.step)
    for name in device_steps.STATE_FIELDS:
        one, two = getattr(state, name), getattr(other, name)
        assert one.dtype == two.dtype and torch.allclose(one.double(), two.double(), atol=atol, equal_nan=True), name


@pytest.mark.parametrize("steps", [(45, 47), (0, 30), (25, 0), (20, 20), (3, 2)])
def test_the_same_steps(steps):
    ours = task(steps=steps, integer_weight=100.0, max_elements=3, integer_schedule="linear", step_schedule="shrinking")
    assert_same(*both(ours))


def test_steps_before_a_capture_change_nothing():
    graphs = CalledBeforeCapture()
    tilted = partial(Tilted, 300.0), partial(Tilted, -300.0)
    from core.predictors.ensemble import Ensemble

    ours = task(tc=Ensemble("tilted", [make() for make in tilted]), steps=(30, 12), integer_weight=100.0)
    assert_same(*both(ours, graphs))
    assert graphs.captures == 4  # two members in two stages


@pytest.mark.parametrize("schedule", [{0}, {0, 1}, {0, 1, 2, 3, 4, 5, 6}])
@pytest.mark.parametrize("steps", [(25, 25), (0, 30)])
def test_restarts(schedule, steps):
    """Candidate 2 has no positive ratio, and candidate 4 is not finite, at the restarts in `schedule`."""

    def guess(candidate, restart):
        found = guesses(candidate, restart)
        if restart in schedule and candidate == 2:
            return torch.zeros(N) - 1
        if restart in schedule and candidate == 4:
            found[50] = 0.3
        return found

    first, second = both(task(tc=Poison(), guess=guess, steps=steps, max_elements=4, integer_weight=100.0))
    assert_same(first, second)
    assert second[0].restarts.tolist() == [0, 0, len(schedule), 0, len(schedule), 0]


def test_more_elements_than_the_limit_are_seen(monkeypatch):
    """A restart brings more elements than any composition at the begin of the stage."""
    many = torch.zeros(N)
    many[torch.arange(3, 30)] = 1 / 27

    def guess(candidate, restart):
        return many if restart else (torch.zeros(N) - 1 if candidate == 1 else guesses(candidate, restart))

    limits = []
    plain = device_steps._StageSteps._form
    monkeypatch.setattr(
        device_steps._StageSteps, "_form", lambda self, member: limits.append(self.limit) or plain(self, member)
    )
    assert_same(*both(task(guess=guess, steps=(25, 0))))
    assert set(limits) == {8, 28}


@pytest.mark.parametrize("at", [1, 17, 30, 31])
def test_a_run_resumes_from_any_state(at):
    ours = fixed_shapes(task(steps=(30, 30), integer_weight=100.0))
    straight, _ = optimise(ours)
    stopped, status = optimise(ours, on_step=lambda state, report: report.step < at)
    assert status == "cancelled" and int(stopped.step) >= at
    resumed, _ = optimise(fixed_shapes(ours), state=stopped)
    assert torch.equal(resumed.x_base, straight.x_base) and int(resumed.step) == 60


def problem(path, models, candidates=12, steps=(6, 5)):
    found = DesignProblem.from_json(path.read_text())
    settings = replace(found.settings, candidates=candidates, steps=steps)
    return replace(
        found,
        settings=settings,
        precision="float32",
        device="cpu",
        tc_predictor=models.tc,
        formation_energy_predictor=models.formation_energy,
    )


@pytest.mark.parametrize("models", [PUBLISHED, BEST], ids=["published", "best"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem[0])
def test_examples(path, models):
    """Bounds, groups, ratios, several sites, known superconductors, ensembles: the same for some steps.

    For nine candidates of ten: Adam turns a rounding error of a gradient near 0 into a step of full size.
    """
    ours = replace(prepare(problem(path, models)).task, cores=BatchParallel())
    first, second = both(ours)
    for one, two in zip(first[1], second[1], strict=True):
        assert (one.step, one.stage) == (two.step, two.stage)
        assert np.percentile((one.composition - two.composition).abs().amax(1).numpy(), 90) < 2e-4
        assert np.percentile((one.tc_K - two.tc_K).abs().numpy(), 90) < 0.05


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize("models", [PUBLISHED, BEST], ids=["published", "best"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem[0])
def test_no_operation_of_a_step_waits_for_the_device(path, models, stage):
    ours = replace(prepare(problem(path, models)).task, cores=BatchParallel(max_rows=8))
    state = optimiser.init(ours)
    if stage == 2:
        state = replace(optimiser.enter_stage_2(ours, state), step=torch.tensor(6))
    buffers = Buffers.like(ours, state)
    members = tuple(member.capturable(24) for member in optimiser.step_members(ours, 0))
    buffers.load(state)
    step_in_place(ours, buffers, stage, members, 10)  # constants of the device are made in the first step
    buffers.load(state)
    with no_synchronisation():
        step_in_place(ours, buffers, stage, members, 10)
    assert int(buffers.position) == int(state.step) + 1 and torch.isfinite(buffers.tc_K[0]).all()


def test_one_step_at_a_time_without_fixed_shapes():
    ours = task(steps=(5, 0))
    state, reports = GENERATOR.advance(ours, optimiser.init(ours))
    assert int(state.step) == 1 and len(reports) == 1 and GENERATOR.execution(ours) == "one step at a time"
    state, reports = GENERATOR.advance(fixed_shapes(ours), optimiser.init(ours))
    assert int(state.step) == 5 and len(reports) == 5
    assert GENERATOR.execution(fixed_shapes(ours)) == "without CUDA graphs"
    assert GENERATOR.execution(fixed_shapes(ours, CalledBeforeCapture())) == "called"
