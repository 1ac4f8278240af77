"""Models of the properties of structures: threshold, classes, no Tc for non-metals, shipped checkpoints."""

import math

import numpy as np
import pytest

from core.predictors import checkpoint
from core.structures.structure_models import (
    METAL,
    METAL_NAME,
    NON_METAL,
    TC_NAME,
    MetalClassifier,
    StructureModels,
    TcByStructure,
    load_metal_classifier,
    load_structure_models,
)
from tests import crystals


class Always:
    def __init__(self, *values):
        self._values = values

    def predict(self, x, *, num_threads):
        return np.resize(self._values, len(x))


def test_the_threshold_becomes_one_half():
    found = MetalClassifier(Always(0.3, 0.7, 0.2), threshold=0.3).probabilities(np.zeros((3, 1)))
    assert found[0] == pytest.approx(0.5) and found[1] > 0.7 and found[2] < 0.5
    assert MetalClassifier(Always(0.7)).probabilities(np.zeros((1, 1))) == pytest.approx([0.7])
    assert len(MetalClassifier(Always(0.7)).probabilities(np.zeros((0, 1)))) == 0


def test_tc_is_the_mean_of_squares_and_never_negative():
    model = TcByStructure([Always(2.0, -1.0), Always(4.0, -3.0)])
    assert model.tc_K(np.zeros((2, 1))) == pytest.approx([10.0, 0.0]) and len(model.tc_K(np.zeros((0, 1)))) == 0


def test_a_non_metal_has_no_tc():
    models = StructureModels(MetalClassifier(Always(0.9, 0.1)), TcByStructure([Always(3.0)]))
    pair = [crystals.a15("Nb", "Sn", 5.29), crystals.rock_salt("Na", "Cl", 5.64)]
    metal, other = models.properties(pair, [223, 225])
    assert metal.band_gap_class == METAL and metal.tc_K == pytest.approx(9.0)
    assert other.band_gap_class == NON_METAL and math.isnan(other.tc_K)
    assert models.properties([], []) == []


def test_the_shipped_models_know_textbook_structures():
    pair = [crystals.a15("Nb", "Sn", 5.29), crystals.rock_salt("Na", "Cl", 5.64)]
    metal, other = load_structure_models().properties(pair, [223, 225])
    assert metal.band_gap_class == METAL and metal.tc_K > 5 and other.band_gap_class == NON_METAL


def test_models_fitted_on_other_features_are_refused(tmp_path):
    for name in (METAL_NAME, TC_NAME):
        tensors, card = checkpoint.load(name, checkpoint.read_card(name)["architecture"])
        checkpoint.save(name, tensors, card | {"features": ["volume"]}, tmp_path)
    with pytest.raises(checkpoint.CheckpointError, match="other features"):
        load_metal_classifier(tmp_path)
