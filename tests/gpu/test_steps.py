"""The optimiser on a CUDA device: captured, without waiting, within its memory, and in agreement with the CPU."""

from dataclasses import fields, replace

import pytest
import torch

from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.generation.gradient.device_steps import Buffers, step_in_place
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import State
from core.paths import ASSETS
from core.predictors.device import matmul_precision
from core.predictors.registry import BEST, PUBLISHED
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem

MODELS = pytest.mark.parametrize("models", [PUBLISHED, BEST], ids=["published", "best"])
EXAMPLES = sorted((ASSETS / "examples").glob("*.json"))
MEMORY_GB = 8
CLOSE_K = 0.05


def posed(models, candidates, steps, device="cuda", path=EXAMPLES[0], precision="float32"):
    found = DesignProblem.from_json(path.read_text())
    return replace(
        found,
        settings=replace(found.settings, candidates=candidates, steps=steps),
        device=device,
        precision=precision,
        tc_predictor=models.tc,
        formation_energy_predictor=models.formation_energy,
    )


def on(device, state):
    return State(**{f.name: getattr(state, f.name).to("cpu" if f.name == "step" else device) for f in fields(State)})


@MODELS
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem[0])
def test_every_example_is_captured_and_agrees_with_the_cpu(path, models):
    there, here = (prepare(posed(models, 64, (25, 25), device, path)).task for device in ("cuda", "cpu"))
    start = optimiser.init(here)
    found = []
    for task, state in ((there, on("cuda", start)), (here, start)):
        reached, status = optimise(task, state)
        assert status == "finished"
        found.append(optimiser.evaluate(task, reached).tc_K.cpu())
    assert there.device_steps.execution == "CUDA graphs"
    # The trees and the kernel of the best models amplify differences of rounding more than the published networks.
    close = ((found[0] - found[1]).abs() < CLOSE_K).float().mean()
    assert close > (0.9 if models is PUBLISHED else 0.75)


@MODELS
@pytest.mark.parametrize("precision", ["tf32", "float32"])
@pytest.mark.parametrize("stage", [1, 2])
def test_a_step_never_waits_for_the_device(models, precision, stage):
    task = prepare(posed(models, 64, (2, 2), precision=precision)).task
    state = optimiser.init(task)
    if stage == 2:
        state = replace(optimiser.enter_stage_2(task, state), step=torch.tensor(2))
    buffers = Buffers.like(task, state)
    members = tuple(member.capturable(24) for member in optimiser.step_members(task, 0))
    buffers.load(state)
    step_in_place(task, buffers, stage, members, 10)
    buffers.load(state)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step_in_place(task, buffers, stage, members, 10)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(buffers.tc_K[0]).all()


@MODELS
def test_the_largest_batch_fits_the_memory(models):
    problem = posed(models, 16_384, (21, 21), precision="auto")
    task = prepare(replace(problem, settings=replace(PAPER, candidates=16_384, steps=(21, 21)))).task
    torch.cuda.reset_peak_memory_stats()
    state, _ = optimise(task)
    optimiser.evaluate(task, state)
    assert torch.cuda.max_memory_allocated() < MEMORY_GB * 1e9


@MODELS
def test_tf32_changes_tc_by_less_than_a_tenth_of_a_kelvin(models):
    task = prepare(posed(models, 512, (20, 20), precision="tf32")).task
    tc, energy = task.tc, task.formation_energy
    composition = optimiser.evaluate(task, optimise(task)[0]).composition
    values = []
    for tf32 in (False, True):
        with torch.no_grad(), matmul_precision(tf32, composition.device):
            values.append((tc(composition), energy(composition)))
    assert (values[0][0] - values[1][0]).abs().max() < 0.1
    assert (values[0][1] - values[1][1]).abs().max() < 0.01


@pytest.mark.parametrize("at", [1, 20, 33, 41])
def test_resuming_gives_the_same_bits(at):
    task = prepare(posed(PUBLISHED, 64, (40, 20))).task
    straight, _ = optimise(task)
    stopped, status = optimise(task, on_step=lambda state, report: report.step < at)
    assert status == "cancelled"
    resumed, _ = optimise(prepare(posed(PUBLISHED, 64, (40, 20))).task, stopped)
    assert torch.equal(resumed.x_base, straight.x_base)
