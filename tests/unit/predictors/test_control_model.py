"""The control model: the features of its trees, and the committed trees."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.chemistry import composition
from core.predictors import checkpoint
from core.predictors.control_model import ControlModel, load_control_model, pack, tree_features, unpack
from core.predictors.features.element_features import element_features


class Constants:
    """Trees that predict the given numbers."""

    def __init__(self, *values: float):
        self.values = np.array(values)

    def predict(self, x, num_threads):
        return self.values[: len(x)]


def test_features_of_MgB2():
    properties = element_features().double().numpy()
    mg, b = properties[11], properties[4]
    mean = (mg + 2 * b) / 3
    spread = np.sqrt((mg**2 + 2 * b**2) / 3 - mean**2)
    fractions = np.zeros(118)
    fractions[[11, 4]] = 1 / 3, 2 / 3
    (features,) = tree_features(composition.compositions(["MgB2"]))
    by_hand = np.concatenate([fractions, mean, spread, np.minimum(mg, b), np.maximum(mg, b), [2]])
    assert features == pytest.approx(by_hand, abs=1e-5)


def test_a_low_probability_lowers_tc_and_tc_is_never_negative():
    control = ControlModel(Constants(10, 10, 10, 10, -3), Constants(0.9, 0.5, 0.25, 0.0, 0.9))
    assert control.tc_K(np.full((5, 118), 1 / 118)) == pytest.approx([10, 10, 7.5, 0, 0])


def test_an_empty_batch():
    assert load_control_model().tc_K(np.zeros((0, 118))).shape == (0,)


def test_the_committed_control_model_predicts_well_known_superconductors():
    tc = load_control_model().tc_K(composition.compositions(["YBa2Cu3O7", "MgB2", "Nb3Sn", "NaCl"]))
    assert tc == pytest.approx([90, 38, 17, 0], abs=8)


def test_trees_are_the_same_after_storing():
    trees = load_control_model().tc
    again = unpack(pack(trees))
    x = tree_features(composition.compositions(["LaFeAsO", "FeSe"]))
    assert np.array_equal(trees.predict(x), again.predict(x))
    assert pack(trees).dtype == torch.uint8


def test_metrics_on_the_card():
    held_out = checkpoint.read_card("judge")["metrics_held_out"]
    assert held_out["tc_mae_K"] <= 4.2 and held_out["tc_r2"] >= 0.92
