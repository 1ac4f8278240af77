"""Fitting of the metal classifier: parts by formula, threshold, figures."""

import numpy as np
import pytest

from core.structures.structure_models import MetalClassifier
from core.training.metal_classifier import MetalSettings, equal_threshold, figures, parts
from core.training.structure_properties import PropertyRows


class First:
    def predict(self, x, *, num_threads):
        return x[:, 0]


def rows(n=200):
    formulas = np.array([f"A{i // 2}" for i in range(n)])  # each formula twice
    return PropertyRows(np.linspace(0, 1, n)[:, None], (np.arange(n) % 3 == 0).astype(float), formulas)


def test_no_formula_is_in_two_parts():
    found = parts(rows(), MetalSettings(), 0)
    assert sum(map(len, found)) == 200 and [len(part) for part in found[1:]] == [18, 20]
    formulas = [set(part.formulas.tolist()) for part in found]
    assert not formulas[0] & formulas[1] and not formulas[0] & formulas[2] and not formulas[1] & formulas[2]
    assert [part.formulas.tolist() for part in parts(rows(), MetalSettings(), 0)] == [
        p.formulas.tolist() for p in found
    ]
    assert parts(rows(), MetalSettings(), 1)[2].formulas.tolist() != found[2].formulas.tolist()


def test_at_the_threshold_both_classes_are_right_equally_often():
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.35, 0.5, 0.6, 0.7])
    metal = np.array([0, 0, 0, 0, 1, 1, 1, 1.0])
    assert 0.35 < equal_threshold(p, metal) <= 0.4


def test_figures_by_counting():
    x = np.array([[0.9], [0.8], [0.2], [0.6], [0.1]])
    found = figures(MetalClassifier(First()), PropertyRows(x, np.array([1, 1, 1, 0, 0.0]), np.array(list("aabbc"))))
    assert found["metals_right"] == pytest.approx(2 / 3) and found["non_metals_right"] == 0.5
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 0.5) / 2)
    assert (found["n"], found["formulas"], found["metals"]) == (5, 3, 3)
