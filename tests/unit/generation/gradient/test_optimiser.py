"""The optimiser on predictors with a known optimum, restarts of dead candidates, and resuming."""

from dataclasses import dataclass, field, replace

import pytest
import torch

from core.generation.gradient import optimiser
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import Task
from core.generation.gradient.simplex_map import SimplexMap
from core.predictors.ensemble import Ensemble
from core.predictors.info import Role
from core.predictors.interface import Estimate, NetworkPredictor, Predictor
from core.problem.settings import OptimiserSettings

N = 118
TARGET = torch.zeros(N)
TARGET[[3, 7, 25]] = torch.tensor([0.2, 0.5, 0.3])


@dataclass
class Toy(Predictor):
    """Tc = 100 - 400 |x - target|^2: concave, with a known maximum."""

    name: str = "toy"
    known_elements: torch.Tensor = field(default_factory=lambda: torch.ones(N, dtype=torch.bool))

    def __call__(self, composition):
        return 100 - 400 * (composition - TARGET).square().sum(1)

    def to(self, device):
        return self


@dataclass
class Zero(Toy):
    def __call__(self, composition):
        return 0 * composition.sum(1)


@dataclass
class Poison(Toy):
    """Toy that is not finite if element 50 is present."""

    def __call__(self, composition):
        return torch.where(composition[:, 50] > 0, torch.nan, super().__call__(composition))


def guesses(candidate: int, restart: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(1000 * restart + candidate)
    guess = torch.zeros(N)
    guess[[3, 7, 25, 30, 41]] = torch.rand(5, generator=random) + 0.05
    return guess / guess.sum()


def task(tc=None, guess=guesses, fixed=None, **settings) -> Task:
    x_const = torch.zeros(N) if fixed is None else fixed
    defaults = {"candidates": 6, "steps": (400, 200), "integer_weight": 0.0, "max_elements": 5, "learning_rate": 0.01}
    chosen = OptimiserSettings(**{**defaults, **settings})
    return Task(
        tc or Toy(),
        Zero(),
        SimplexMap(x_const, x_const == 0),
        chosen,
        torch.arange(*(chosen.n_unit[0], chosen.n_unit[1] + 1), dtype=torch.float32),
        guess,
    )


def final(task: Task):
    state, status = optimise(task)
    assert status == "finished"
    return optimiser.evaluate(task, state)


@dataclass
class Unsure(Toy):
    """Toy with a predicted error of 500 K times the fraction of element 7."""

    def estimate(self, composition):
        return Estimate(self(composition), 500 * composition[:, 7])


def test_risk_aversion_avoids_uncertain_compositions():
    bold, careful = (final(task(tc=Unsure(), risk_aversion=kappa)) for kappa in (0.0, 1.0))
    assert torch.allclose(bold.composition, final(task()).composition)
    assert careful.composition[:, 7].max() < bold.composition[:, 7].min() - 0.2
    assert torch.allclose(careful.tc_K, Toy()(careful.composition))  # the report has Tc without the penalty


def test_risk_aversion_has_no_effect_without_an_error_estimate():
    assert torch.equal(final(task(risk_aversion=3.0)).composition, final(task(risk_aversion=0.0)).composition)


class Tilted(NetworkPredictor):
    """Toy plus a slope along one element, which cancels over the ensemble."""

    role = Role.TC

    def __init__(self, slope: float):
        super().__init__()
        self.slope = slope
        self.register_buffer("known_elements", torch.ones(N, dtype=torch.bool))

    def forward(self, composition):
        return Toy()(composition) + self.slope * composition[:, 3]


def test_steps_alternate_between_members_and_reports_have_the_mean():
    tilted = [Tilted(300.0), Tilted(-300.0)]
    ours = task(tc=Ensemble("tilted", tilted), steps=(2, 0))
    state = optimiser.init(ours)
    whole = optimiser.evaluate(ours, state)
    assert torch.allclose(whole.tc_K, Toy()(whole.composition), atol=1e-3)
    for k in (0, 1):
        state, report = optimiser.step(ours, state)
        assert torch.equal(report.tc_K, tilted[k](report.composition))
    report = final(task(tc=Ensemble("tilted", tilted)))
    assert report.tc_K.min() > 99.5  # the two slopes cancel


def test_the_same_optimum_from_every_start():
    report = final(task())
    assert torch.allclose(report.composition, TARGET.expand(6, N), atol=2e-3)
    assert (report.tc_K > 99.9).all()


def test_the_fixed_part_is_constant():
    fixed = torch.zeros(N)
    fixed[7] = 0.5
    report = final(task(fixed=fixed))
    assert torch.equal(report.composition[:, 7], torch.full((6,), 0.5))
    assert torch.allclose(report.composition, TARGET.expand(6, N), atol=2e-3)


def test_constraints_hold_at_every_step():
    fixed = torch.zeros(N)
    fixed[7] = 0.3
    seen = []

    def watch(state, report):
        x = report.composition
        seen.append(report.stage)
        assert torch.allclose(x.sum(1), torch.ones(len(x)), atol=1e-6)
        assert torch.equal(x[:, 7], torch.full((6,), 0.3)) and (x >= 0).all()
        if report.stage == 2:
            assert ((x > 0).sum(1) <= 3).all()
        return True

    optimise(task(fixed=fixed, max_elements=3, steps=(30, 30)), on_step=watch)
    assert seen == [1] * 30 + [2] * 30


def test_the_integer_loss_leads_to_the_grid():
    settings = {"n_unit": (7, 7), "integer_weight": 3000.0, "steps": (200, 400), "integer_schedule": "linear"}
    free, pulled = final(task(n_unit=(7, 7))), final(task(**settings))
    assert pulled.integer_loss.max() < 0.02 < free.integer_loss.min()


def test_integer_weight_schedules():
    linear = OptimiserSettings(steps=(10, 20), integer_weight=100.0, integer_schedule="linear")
    weights = [optimiser.integer_weight(linear, step) for step in range(30)]
    assert weights[:10] == [0.0] * 10 and weights[10] == 5.0 and weights[29] == 100.0
    constant = replace(linear, integer_schedule="constant")
    assert optimiser.integer_weight(constant, 9) == 0.0 and optimiser.integer_weight(constant, 10) == 100.0


def test_step_sizes():
    shrinking = OptimiserSettings(steps=(10, 4), learning_rate=0.16, step_schedule="shrinking")
    sizes = [optimiser.step_size(shrinking, step) for step in range(14)]
    assert sizes[:10] == [0.16] * 10
    assert sizes[10:] == pytest.approx([0.16, 0.09, 0.04, 0.01])
    constant = replace(shrinking, step_schedule="constant")
    assert {optimiser.step_size(constant, step) for step in range(14)} == {0.16}


def test_shrinking_steps_converge():
    settings = {"n_unit": (40, 40), "integer_weight": 3000.0, "integer_loss": "absolute", "steps": (100, 60)}
    pushed, resting = (final(task(**settings, step_schedule=schedule)) for schedule in ("constant", "shrinking"))
    assert resting.integer_loss.mean() < 0.2 * pushed.integer_loss.mean()


def test_adam_is_torchs_adam():
    ours = task(candidates=1, steps=(25, 0), integer_weight=0.0)
    state, _ = optimise(ours)
    x_base = guesses(0, 0)[None].requires_grad_()
    reference = torch.optim.Adam([x_base], lr=0.01)
    for _ in range(25):
        reference.zero_grad()
        (-Toy()(ours.constraints.compose(x_base))).sum().backward()
        reference.step()
    assert torch.allclose(state.x_base, x_base.detach(), atol=1e-6)


def test_a_candidate_without_positive_ratios_is_restarted_and_counted():
    def guess(candidate, restart):
        return torch.zeros(N) - 1 if restart == 0 and candidate == 2 else guesses(candidate, restart)

    state, _ = optimise(task(guess=guess, steps=(300, 0)))
    assert state.restarts.tolist() == [0, 0, 1, 0, 0, 0]
    assert state.age.tolist() == [300] * 6


def test_a_candidate_that_is_not_finite_is_restarted_and_counted():
    def guess(candidate, restart):
        poisoned = guesses(candidate, restart)
        if restart == 0 and candidate == 4:
            poisoned[50] = 0.3
        return poisoned

    ours = task(tc=Poison(), guess=guess)
    state, _ = optimise(ours)
    report = optimiser.evaluate(ours, state)
    assert state.restarts.tolist() == [0, 0, 0, 0, 1, 0]
    assert torch.isfinite(report.tc_K).all() and (report.tc_K > 99).all()


@pytest.mark.parametrize("at", [1, 17, 30, 31, 59])
def test_resuming_gives_the_same_bits(at):
    ours = task(steps=(30, 30), integer_weight=100.0)
    straight, _ = optimise(ours)
    stopped, status = optimise(ours, on_step=lambda state, report: int(state.step) < at)
    assert status == "cancelled" and int(stopped.step) == at
    resumed, _ = optimise(ours, state=stopped)
    assert torch.equal(resumed.x_base, straight.x_base)


def test_stage_2_alone():
    state = optimiser.init(task(steps=(0, 5), max_elements=2))
    assert (state.max_mask.sum(1) == 2).all()


@pytest.mark.parametrize("cores", [BatchParallel(3), BatchParallel(2, max_rows=20), BatchParallel(1, max_rows=7)])
def test_results_do_not_depend_on_the_number_of_cores(cores):
    one = final(task(candidates=96, steps=(20, 20), integer_weight=3.0))
    many = final(replace(task(candidates=96, steps=(20, 20), integer_weight=3.0), cores=cores))
    assert torch.allclose(one.composition, many.composition, atol=1e-5)
    assert torch.allclose(one.integer_loss, many.integer_loss, atol=1e-5) and one.restarts == many.restarts
