"""Data that pages share."""

from __future__ import annotations

import math

import pytest

from app import cached_data
from core.generation.registry import GRADIENT, SUBSTITUTION
from core.predictors.registry import BEST, PUBLISHED, member_count


def test_only_a_method_whose_members_take_turns_needs_averages_over_steps():
    members = math.lcm(member_count(BEST.tc), member_count(BEST.formation_energy))
    assert members > 1
    assert cached_data.steps_per_cycle(GRADIENT, BEST.tc, BEST.formation_energy) == members
    assert cached_data.steps_per_cycle(SUBSTITUTION, BEST.tc, BEST.formation_energy) == 1


@pytest.mark.parametrize("tc", [PUBLISHED.tc, "a-model-that-is-not-installed"])
def test_single_networks_and_missing_models_need_no_averages(tc):
    assert cached_data.steps_per_cycle(GRADIENT, tc, PUBLISHED.formation_energy) == 1
