"""Systems held out: each composition once; an interrupted training goes on from the folds that are done."""

from __future__ import annotations

import numpy as np
import pytest

from core import composition
from core.training import tc_ensemble
from core.training.data import Table
from core.training.smooth_trees import BoostingSettings
from core.training.tc_ensemble import FOLDS, Regression, SystemsHeldOut, TcEnsembleSettings

SETTINGS = TcEnsembleSettings(heights=(BoostingSettings(trees=3, depth=2, share_of_features=1.0),))


@pytest.fixture(scope="module")
def superconductors():
    formulas = [f"{metal}{n}{other}" for metal in ("V", "Nb", "Ta", "Mo", "Ti") for other in ("C", "N", "Ge", "Si")
                for n in (1, 2, 3)]  # fmt: skip
    tc_K = np.random.default_rng(0).uniform(1, 20, len(formulas))
    table = Table(composition.compositions(formulas), tc_K, tuple(formulas), np.ones(len(formulas)))
    return table, list(np.split(np.random.default_rng(1).permutation(len(formulas)), [40, 50]))


def test_every_composition_is_predicted_by_what_never_saw_its_system(superconductors, monkeypatch):
    fit, seen = Regression.fit.__func__, []

    def watched(cls, x, y, settings, seed):
        seen.append({tuple(np.flatnonzero(row)) for row in x})
        found = fit(cls, x, y, settings, seed)
        return lambda held_out: (
            found(held_out) if not seen[-1] & {tuple(np.flatnonzero(row)) for row in held_out} else pytest.fail()
        )

    monkeypatch.setattr(Regression, "fit", classmethod(watched))
    systems = SystemsHeldOut.of(superconductors, SETTINGS, 0)
    assert len(seen) == FOLDS and (systems.distance > 0).all()
    assert sorted(np.concatenate([systems.part(k)[2] for k in range(3)])) == sorted(superconductors[0].values)


def test_an_interrupted_training_goes_on_where_it_was(superconductors, monkeypatch, tmp_path):
    whole = SystemsHeldOut.of(superconductors, SETTINGS, 0)
    fit, fits = Regression.fit.__func__, []

    def interrupted(cls, *arguments):
        fits.append(1)
        if len(fits) == 3:
            raise KeyboardInterrupt
        return fit(cls, *arguments)

    monkeypatch.setattr(Regression, "fit", classmethod(interrupted))
    with pytest.raises(KeyboardInterrupt):
        SystemsHeldOut.of(superconductors, SETTINGS, 0, tmp_path)
    resumed = SystemsHeldOut.of(superconductors, SETTINGS, 0, tmp_path)
    assert len(fits) == FOLDS + 1  # two done, one lost, three more
    assert np.array_equal(resumed.predicted, whole.predicted) and np.array_equal(resumed.distance, whole.distance)
    assert not list(tmp_path.iterdir())  # the next training begins anew


def test_folds_of_other_settings_are_not_taken(superconductors, tmp_path):
    x, y = superconductors[0].compositions, superconductors[0].values
    prints = {
        tc_ensemble._print(x, y, settings, seed) for settings in (SETTINGS, TcEnsembleSettings()) for seed in (0, 1)
    }
    assert len(prints | {tc_ensemble._print(x, y + 1, SETTINGS, 0)}) == 5
