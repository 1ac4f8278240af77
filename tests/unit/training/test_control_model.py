"""The training of the control model on small made-up tables: what it writes can be loaded as the control model."""

from __future__ import annotations

import numpy as np

from core.predictors.checkpoint import read_card
from core.predictors.control_model import NAME, load_control_model
from core.predictors.info import Role
from core.training import control_model, tc
from core.training.control_model import ControlModelSettings
from core.training.data import Table


def tables(seed: int) -> tc.Tables:
    """Superconductors whose Tc is 100 K times the share of the first element, and compounds at 0 K."""
    chance, found = np.random.default_rng(seed), []
    for scale_K in (100.0, 0.0):
        compositions = np.zeros((120, 118))
        compositions[:, :4] = chance.dirichlet(np.ones(4), 120)
        values = scale_K * compositions[:, 0]
        table = Table(compositions, values, ("H",) * 120, np.ones(120, dtype=int), {}, ((),) * 120)
        found.append((table, np.split(np.arange(120), (80, 100))))
    return found


def test_the_checkpoint_of_a_training_is_loaded_as_the_control_model(tmp_path, monkeypatch):
    made = tables(0)
    monkeypatch.setattr(tc, "read_tables", lambda folder, seed: (made, {}))
    settings = ControlModelSettings(height_trees=20, chance_trees=5, leaves=7)
    card = control_model.train(tmp_path, tmp_path / "out", 0, tmp_path, settings)
    assert card["role"] == read_card(NAME, tmp_path / "out")["role"] == Role.CONTROL
    x, _ = tc.part(made, 2)
    predicted = load_control_model(NAME, tmp_path / "out").tc_K(x)
    assert np.corrcoef(predicted[:20], x[:20, 0])[0, 1] > 0.5
    errors = np.abs(predicted[:20] - 100 * x[:20, 0])
    assert np.isclose(card["metrics_held_out"]["tc_mae_K"], errors.mean())
