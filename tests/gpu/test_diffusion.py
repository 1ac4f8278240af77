"""Sampling on a GPU agrees with sampling on the CPU, whose noise is the same."""

from dataclasses import replace

import torch

from core.evaluation.design import prepare
from core.generation.diffusion import sampler
from core.generation.diffusion.sampler import State
from core.generation.registry import SUPERDIFF
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings

PROBLEM = DesignProblem(
    base="LaFeAsO",
    method=SUPERDIFF,
    settings=OptimiserSettings(candidates=32),
    method_settings={"denoising_steps": 20, "guidance_weight": 0.001},
)


def test_samples_on_a_gpu_are_those_of_the_cpu():
    """To 0.1 atoms in most amounts: rounding errors grow in the steps without a limit on the amounts."""
    tasks = [prepare(replace(PROBLEM, device=device)).task for device in ("cuda", "cpu")]
    states = [sampler.init(task) for task in tasks]
    for _ in range(20):
        states = [
            State(state.step + 1, sampler.moves(task, state).conditioned)
            for task, state in zip(tasks, states, strict=True)
        ]
    on_gpu, on_cpu = (state.amounts.cpu() for state in states)
    torch.testing.assert_close(on_gpu.sum(1), on_cpu.sum(1), atol=0.05, rtol=0)
    assert ((on_gpu - on_cpu).abs() < 0.1).float().mean() > 0.95


def test_a_step_on_a_gpu_reports_every_candidate():
    task = prepare(replace(PROBLEM, device="cuda")).task
    _, report = sampler.step(task, sampler.init(task))
    assert torch.isfinite(report.tc_K).all() and torch.isfinite(report.formation_energy_eV_per_atom).all()
