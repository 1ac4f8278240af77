"""Values of a run averaged over the members of the ensembles."""

from __future__ import annotations

import torch

from core.generation.interface import Report
from core.generation.registry import GRADIENT, SUBSTITUTION
from core.predictors.registry import BEST, PUBLISHED, member_count
from core.runs.member_mean import MemberMean, steps_per_cycle


def report(step: int, tc: list[float], energy: float = 0.0) -> Report:
    values = torch.tensor(tc)
    return Report(step, 1, torch.ones(len(tc), 118), values, torch.full_like(values, energy), values, 0)


def test_the_mean_is_over_the_last_steps_of_each_candidate():
    mean = MemberMean(3)
    for step, (tc, expected) in enumerate(
        [([3.0, 0.0], [3.0, 0.0]), ([6.0, 0.0], [4.5, 0.0]), ([9.0, 3.0], [6.0, 1.0]), ([0.0, 3.0], [5.0, 2.0])]
    ):
        given = report(step, tc, -float(step))
        mean(given)
        found = mean.of(given)
        assert found.tc_K.tolist() == expected and found.step == step and found.integer_loss is given.integer_loss
    assert found.formation_energy_eV_per_atom.tolist() == [-2.0, -2.0]


def test_a_value_that_is_not_finite_stays_one_for_a_cycle():
    mean = MemberMean(2)
    found = []
    for step, tc in enumerate([1.0, float("nan"), 3.0, 5.0]):
        given = report(step, [tc])
        mean(given)
        found.append(float(mean.of(given).tc_K[0]))
    assert found[0] == 1.0 and found[1] != found[1] and found[2] != found[2] and found[3] == 4.0


def test_the_mean_continues_after_an_interruption():
    through, before = MemberMean(3), MemberMean(3)
    reports = [report(step, [float(step**2)]) for step in range(6)]
    for each in reports[:4]:
        through(each)
        before(each)
    after = MemberMean(3, before.tensors())
    for each in reports[4:]:
        through(each)
        after(each)
        assert torch.equal(through.of(each).tc_K, after.of(each).tc_K)


def test_a_report_of_a_model_without_members_stays_as_it_is():
    mean, given = MemberMean(1), report(0, [1.0])
    mean(given)
    assert mean.of(given) is given and mean.tensors() == {}


def test_a_cycle_uses_every_member_of_both_models():
    cycle = steps_per_cycle(GRADIENT, BEST.tc, BEST.formation_energy)
    assert cycle > 1 and cycle % member_count(BEST.tc) == 0 == cycle % member_count(BEST.formation_energy)
    assert steps_per_cycle(GRADIENT, PUBLISHED.tc, PUBLISHED.formation_energy) == 1
    assert steps_per_cycle(SUBSTITUTION, BEST.tc, BEST.formation_energy) == 1
