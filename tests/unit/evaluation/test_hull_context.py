"""Known compounds on the hull of a model, beside a base."""

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.evaluation import user_formulas
from core.evaluation.hull_context import HullContext, hull_context
from core.predictors.registry import BEST, PUBLISHED, load_predictor


def context(*above: float) -> HullContext:
    names = tuple(f"FeSe{i}" for i in range(len(above)))
    return HullContext(-0.5, 0.1, 0.02, "", "iron-based", names, np.ones(len(above)), np.array(above))


def test_the_band_holds_the_middle_of_the_distances():
    assert context(*np.linspace(0.0, 1.0, 11)).band == pytest.approx((0.1, 0.5, 0.9))
    assert context(0.3, 0.1, 0.2, 0.0, 0.4).band == pytest.approx((0.04, 0.2, 0.36))


def test_few_compounds_make_no_band():
    assert context(0.1, 0.2, 0.3, 0.4).band is None


@pytest.mark.parametrize("models", [BEST, PUBLISHED])
def test_base_and_relatives_have_the_distances_of_the_command_screen(models):
    found = hull_context(load_predictor(models.formation_energy), compositions(["NdFeAsO"])[0])
    assert found.family == "iron-based" and len(found.relatives) == 25
    screened = user_formulas.screen(["NdFeAsO", *found.relatives[:3]], models, device="cpu")
    above = screened["energy_above_hull_eV_per_atom"]
    assert found.above_hull_eV_per_atom == pytest.approx(above[0], abs=1e-5)
    assert found.relatives_above_hull_eV_per_atom[:3] == pytest.approx(above[1:].to_numpy(), abs=1e-5)
    assert found.decomposition == screened["decomposition"][0]
    assert np.isnan(found.std_eV_per_atom) == (models is PUBLISHED)
    assert list(screened["nearest_known_tc_K"][1:]) == pytest.approx(found.relatives_tc_K[:3], abs=0.01)


def test_elements_that_the_model_does_not_know_are_refused():
    with pytest.raises(ValueError, match="does not know"):
        hull_context(load_predictor(BEST.formation_energy), compositions(["PoO2"])[0])
