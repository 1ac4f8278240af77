"""The sampler with exact and untrained networks: its limits, its conditioning, and its independence of the batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.generation.diffusion import sampler
from core.generation.diffusion.noise_schedule import cosine_schedule, respaced
from core.generation.diffusion.sampler import Reference, State, Task
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.loop import run_steps
from tests.unit.generation.diffusion.toys import ENERGY, GUIDANCE, TC, ExactNoise, amounts_of, untrained

HG1223 = amounts_of(Hg=1, Ba=2, Ca=2, Cu=3, O=8)


def task(**changes) -> Task:
    return replace(
        Task(
            network=untrained(),
            schedule=respaced(cosine_schedule(), 20),
            candidates=6,
            seed=4,
            device=torch.device("cpu"),
            tc=TC,
            formation_energy=ENERGY,
            guidance=GUIDANCE,
            atom_counts=torch.arange(1, 26).float(),
            most_elements=7,
        ),
        **changes,
    )


def sampled(given: Task) -> torch.Tensor:
    state, _ = run_steps(sampler, given, len(given.schedule))
    return state.amounts


@pytest.mark.parametrize("steps", [20, 100, 1000])
def test_the_exact_noise_of_one_composition_leads_to_it(steps):
    schedule = respaced(cosine_schedule(), steps)
    found = sampled(task(network=ExactNoise(HG1223), schedule=schedule, candidates=4))
    torch.testing.assert_close(found, HG1223.float().expand(4, -1), atol=0.03, rtol=0)


def test_factor_one_returns_the_reference():
    found = sampled(task(reference=Reference(HG1223.numpy(), (1,))))
    torch.testing.assert_close(found, HG1223.float().expand(6, -1), atol=0.03, rtol=0)


@pytest.mark.parametrize("shared", [False, True])
def test_samples_have_the_total_amount_and_the_coarse_part_of_the_reference(shared):
    given = task(reference=Reference(HG1223.numpy(), (2, 3, 4, 6), shared), candidates=9)
    found = sampled(given)
    np.testing.assert_allclose(found.sum(1), 16, atol=0.3)
    assert (sampled(task(candidates=9)).sum(1) - 16).abs().min() > 0.3
    assert (found[0] - found[4]).abs().max() > 0.01  # the same factor, another noise


def test_the_scale_factors_are_taken_in_turn():
    mixed = sampled(task(reference=Reference(HG1223.numpy(), (2, 6))))
    for turn, factor in enumerate((2, 6)):
        alone = sampled(task(reference=Reference(HG1223.numpy(), (factor,))))
        torch.testing.assert_close(mixed[turn::2], alone[turn::2], atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("weight", [0.0, 30.0])
def test_a_sample_does_not_depend_on_the_number_or_the_partition_of_the_samples(weight):
    given = task(guidance_weight=weight, reference=Reference(HG1223.numpy(), (2, 3)), candidates=24)
    found = sampled(given)
    parts = sampled(replace(given, cores=BatchParallel(2, 7)))
    fewer = sampled(replace(given, candidates=10))
    torch.testing.assert_close(found, parts, atol=1e-2, rtol=1e-2)
    torch.testing.assert_close(found[:10], fewer, atol=1e-2, rtol=1e-2)


def test_guidance_raises_the_predicted_objective():
    def loss(amounts):
        _, tc, energy = GUIDANCE.predictions(amounts, TC, ENERGY)
        return float((-tc + 4 * energy).mean())

    free = task(network=ExactNoise(HG1223), candidates=20, schedule=respaced(cosine_schedule(), 100))
    guided = replace(free, guidance_weight=10.0)
    assert loss(sampled(guided)) < loss(sampled(free)) - 0.1


def test_guidance_counts_the_published_steps_that_a_wider_step_replaces():
    amounts = torch.rand(6, 96)
    gradient = GUIDANCE.gradient(amounts, TC, ENERGY)
    given = task(guidance_weight=512.0)
    state = State(torch.tensor(10), amounts)
    moves = sampler.moves(given, state)
    level = len(given.schedule) - 11
    replaced = given.schedule.time[level] - given.schedule.time[level - 1]
    assert replaced > 1
    expected = 0.5 * float(replaced) * GUIDANCE.gradient(moves.denoised, TC, ENERGY)
    torch.testing.assert_close(moves.denoised - moves.guided, expected, atol=1e-4, rtol=1e-4)
    assert gradient.shape == amounts.shape


def test_parts_that_are_not_used_change_nothing():
    given = task()
    moves = sampler.moves(given, sampler.init(given))
    assert torch.equal(moves.denoised, moves.guided) and torch.equal(moves.guided, moves.conditioned)


def test_the_seed_decides_and_a_resumed_sampling_is_the_same():
    given = task(reference=Reference(HG1223.numpy(), (2, 3)), guidance_weight=1.0)
    half, _ = run_steps(sampler, given, 10)
    resumed, _ = run_steps(sampler, given, 20, State(half.step.clone(), half.amounts.clone()))
    assert torch.equal(resumed.amounts, sampled(given))
    assert not torch.allclose(sampled(replace(given, seed=5)), resumed.amounts)


def test_a_report_describes_the_samples_before_the_step():
    given = task()
    state = sampler.init(given)
    after, report = sampler.step(given, state)
    assert (report.step, report.stage, int(after.step)) == (0, 1, 1)
    np.testing.assert_allclose(report.composition.sum(1), 1, atol=1e-5)
    torch.testing.assert_close(report.tc_K, TC(report.composition))
    assert (report.integer_loss >= 0).all() and len(report.integer_loss) == 6
