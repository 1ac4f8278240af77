"""Fitting of Tc by structure: figures by counting, a fit that finds a simple rule, equal results for equal seeds."""

import numpy as np
import pytest

from core.structures.structure_models import TcByStructure
from core.training.electron_phonon import ElectronPhonon
from core.training.structure_properties import PropertyRows, TreeSettings
from core.training.tc_structure import TcStructureSettings, figures, fitted_members

SETTINGS = TcStructureSettings(1, TreeSettings(60, 7, 0.1, 5, 1.0, 0.8))


def rows(n, seed, name):
    x = np.random.default_rng(seed).random((n, 3))
    return PropertyRows(x, 10 * x[:, 2], np.array([f"{name}{i}" for i in range(n)]))


DATA = ElectronPhonon(rows(150, 0, "a"), rows(60, 1, "v"), rows(50, 2, "j"), {})


def test_a_rule_of_the_structure_is_found_and_of_the_composition_is_not():
    whole = figures(TcByStructure(fitted_members(DATA, SETTINGS, 0)), DATA)
    part = figures(TcByStructure(fitted_members(DATA, SETTINGS, 0, 2)), DATA, 2)
    assert whole["tc_mae_K"] < 0.4 * part["tc_mae_K"] and whole["rank_correlation"] > 0.9


def test_equal_seeds_give_equal_trees():
    one, same, other = (TcByStructure(fitted_members(DATA, SETTINGS, seed)).tc_K(DATA.val.x) for seed in (0, 0, 1))
    assert (one == same).all() and (one != other).any()


class First:
    def predict(self, x, *, num_threads):
        return np.sqrt(x[:, 0])


def test_figures_by_counting():
    val = PropertyRows(np.array([[1.0], [2], [8]]), np.array([1.0, 4.0, 7.0]), np.array(["t0", "u", "w"]))
    train = PropertyRows(np.zeros((2, 1)), np.array([0.0, 4.0]), np.array(["t0", "t1"]))
    found = figures(TcByStructure([First()]), ElectronPhonon(train, val, train, {}))
    assert found["tc_mae_K"] == pytest.approx(1.0) and found["mean_of_train_tc_mae_K"] == pytest.approx(8 / 3)
    assert found["new_formulas_n"] == 2 and found["new_formulas_tc_mae_K"] == pytest.approx(1.5)
    assert found["above_5_K_n"] == 1 and found["rank_correlation"] == pytest.approx(1.0)
