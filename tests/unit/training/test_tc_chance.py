"""The classifier of the ensemble of Tc."""

from __future__ import annotations

import numpy as np
import torch

from core.chemistry.composition import compositions
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention
from core.training.smooth_trees import BoostingSettings
from core.training.tc_chance import fit_chance, log_odds
from core.training.tc_regression import Regression, TcEnsembleSettings

SMALL = BoostingSettings(trees=20, depth=2, share_of_features=1.0, learning_rate=0.3)
SETTINGS = TcEnsembleSettings(heights=(SMALL,), chance=SMALL)


def test_superconductors_have_the_higher_log_odds():
    real = compositions([f"{metal}{n}{other}" for metal in ("V", "Nb", "Ta", "Mo") for other in ("C", "N", "Ge", "Si")
                         for n in (1, 2, 3)])  # fmt: skip
    others = compositions([f"{metal}{other}{n}" for metal in ("Na", "K", "Ca", "Al", "Rb", "Mg")
                           for other in ("F", "Cl", "O", "Br") for n in (1, 2)])  # fmt: skip
    torch.manual_seed(0)
    network = CompositionAttention(AttentionSize())
    regression = Regression.fit(real, np.linspace(1, 20, len(real)), SETTINGS, 0, lambda *_: [network])
    chance = fit_chance(np.concatenate([real, others]), len(real), regression, SETTINGS, 0)
    of_real, of_others = (
        log_odds(chance, parts.features, parts.distance) for parts in map(regression.parts, (real, others))
    )
    assert (of_real > 0).mean() > 0.9 and (of_others < 0).mean() > 0.9
    assert of_real.dtype == np.float64 and of_real.shape == (len(real),)
