"""The judge: what its trees see, by hand; and the committed one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.chemistry import composition
from core.predictors import checkpoint
from core.predictors.control_model import Judge, described, load_judge, pack, unpack
from core.predictors.features.element_features import element_facts


class Says:
    """Trees that say these numbers."""

    def __init__(self, *values: float):
        self.values = np.array(values)

    def predict(self, x, num_threads):
        return self.values[: len(x)]


def test_what_the_trees_see_of_MgB2():
    facts = element_facts().double().numpy()
    mg, b = facts[11], facts[4]
    mean = (mg + 2 * b) / 3
    spread = np.sqrt((mg**2 + 2 * b**2) / 3 - mean**2)
    fractions = np.zeros(118)
    fractions[[11, 4]] = 1 / 3, 2 / 3
    (seen,) = described(composition.compositions(["MgB2"]))
    by_hand = np.concatenate([fractions, mean, spread, np.minimum(mg, b), np.maximum(mg, b), [2]])
    assert seen == pytest.approx(by_hand, abs=1e-5)


def test_a_doubtful_superconductor_has_less_and_none_has_a_negative_tc():
    judge = Judge(Says(10, 10, 10, 10, -3), Says(0.9, 0.5, 0.25, 0.0, 0.9))
    assert judge.tc_K(np.full((5, 118), 1 / 118)) == pytest.approx([10, 10, 7.5, 0, 0])


def test_nothing_is_judged_where_there_is_nothing():
    assert load_judge().tc_K(np.zeros((0, 118))).shape == (0,)


def test_the_committed_judge_knows_the_best_known():
    tc = load_judge().tc_K(composition.compositions(["YBa2Cu3O7", "MgB2", "Nb3Sn", "NaCl"]))
    assert tc == pytest.approx([90, 38, 17, 0], abs=8)


def test_trees_are_the_same_after_storing():
    height = load_judge().height
    again = unpack(pack(height))
    x = described(composition.compositions(["LaFeAsO", "FeSe"]))
    assert np.array_equal(height.predict(x), again.predict(x))
    assert pack(height).dtype == torch.uint8


def test_its_card_holds_what_a_judge_must_be():
    held_out = checkpoint.read_card("judge")["metrics_held_out"]
    assert held_out["tc_mae_K"] <= 4.2 and held_out["tc_r2"] >= 0.92
