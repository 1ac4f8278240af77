"""Presets are recognised by their settings, floors and charge rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.problem.presets import HYDRIDE, HYDRIDE_FLOORS, PAPER, PRESETS, preset_of
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, ONE_STATE, check_settings


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_and_recognised(name):
    preset = PRESETS[name]
    assert check_settings(preset.settings) == []
    assert preset_of(preset.settings, preset.floors, preset.charge_rule) == name
    assert preset.description and not preset.description.endswith(".")


def test_other_settings_are_no_preset():
    assert preset_of(PAPER) == "As in the paper"
    assert preset_of(replace(PAPER, candidates=1)) is None
    assert preset_of(PAPER, charge_rule=EVERY_ATOM) is None


def test_floors_of_the_preset_are_needed_and_others_are_ignored():
    assert preset_of(HYDRIDE, {}, EVERY_ATOM) is None
    assert preset_of(HYDRIDE, {**HYDRIDE_FLOORS, "Y": 0.1}, EVERY_ATOM) == "Hydrides"
    assert preset_of(HYDRIDE, HYDRIDE_FLOORS, ONE_STATE) is None


def test_the_defaults_of_a_problem_are_the_first_preset():
    problem = DesignProblem("LaFeAsO")
    assert preset_of(problem.settings, problem.floors, problem.charge_rule) == next(iter(PRESETS))
