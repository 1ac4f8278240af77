"""From names to predictors."""

import pytest

from core.predictors.registry import load_predictor, turns
from core.problem.problem import BEST, PUBLISHED


@pytest.mark.parametrize("models", [BEST, PUBLISHED])
def test_as_many_turns_as_there_are_members(models):
    for name in (models.tc, models.formation_energy):
        assert turns(name) == len(getattr(load_predictor(name), "members", [None]))
