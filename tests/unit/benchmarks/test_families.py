"""Families left out of the training: their shares by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.benchmarks.families import described, sentences
from core.predictors.tc.ensemble import ErrorScale, Gate
from core.training.tc_reliability import HeldOut


def test_shares_by_hand():
    scale = ErrorScale(1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)  # b = 1 K: the 90% interval is Tc ± 2.3 K
    reliability = SimpleNamespace(error=scale, familiar_distance=0.5)
    predictor = SimpleNamespace(
        gate=Gate(), reliability=reliability, kernel=SimpleNamespace(shape=SimpleNamespace(soft=0.01))
    )
    height, odds = np.array([20.0, 20.0, 20.0, 20.0]), np.full(4, 50.0)
    members = HeldOut(height, np.zeros(4), odds, np.array([0.1, 0.1, 0.6, 0.505]), np.array([21.0, 25.0, 25.0, 15.0]))
    found = described(members, predictor)
    assert (found["flagged"], found["inside"], found["flagged_or_inside"]) == (0.25, 0.25, 0.5)
    assert found["tc_mae_K"] == pytest.approx(4.0) and found["mean_width_K"] == pytest.approx(2 * np.log(10))
    text = sentences(pd.DataFrame([{"family": "A15", **found}]), 0.02)
    assert text[0].startswith("Without A15 (4 compositions): 50% are flagged") and "2.0%" in text[1]
