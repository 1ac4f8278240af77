"""What is proposed, as settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.forms.proposals import PROPOSALS, explanation, few_of_elements_label, proposals_of, with_proposals
from core.problem.settings import NEAR, OptimiserSettings

SETTINGS = OptimiserSettings()


@pytest.mark.parametrize("name", PROPOSALS)
def test_each_choice_is_read_from_the_settings_that_it_makes(name):
    chosen = with_proposals(SETTINGS, name)
    assert proposals_of(chosen) == name and with_proposals(chosen, "any") == SETTINGS
    assert explanation(chosen).endswith(".") and "{" not in explanation(chosen)


def test_another_combination_is_none_of_the_choices():
    known_ones_near = replace(SETTINGS, change=NEAR)
    assert proposals_of(known_ones_near) is None and explanation(known_ones_near) == ""


def test_the_explanations_have_the_distances_of_the_settings():
    chosen = replace(with_proposals(SETTINGS, "near"), most_changed=0.25)
    assert "at most 25% of the atoms" in explanation(chosen)
    assert "At least 2.5% of the atoms" in explanation(replace(with_proposals(SETTINGS, "new"), least_distance=0.025))


def test_the_label_for_different_elements_gives_the_limit():
    assert few_of_elements_label(SETTINGS) == "At most 3 formulas of the same elements"
    assert few_of_elements_label(replace(SETTINGS, per_element_set=1)) == "At most 1 formula of the same elements"
