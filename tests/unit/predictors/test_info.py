"""Description of a predictor in the registry."""

import pytest

from core.predictors.info import PredictorInfo, Role


@pytest.mark.parametrize("role", Role)
def test_every_role_names_its_property_and_unit(role):
    assert "(K)" in role.predicts or "(eV/atom)" in role.predicts


def test_a_predictor_has_one_member_unless_it_declares_more():
    info = PredictorInfo("x", Role.TC, "X", "x-v1", loader="a:b", trainer="a:b", evaluator="a:b")
    assert info.member_count({}) == 1 and info.model_set is None and info.loader_as_trained is None
