"""Numerical features of the elements."""

import torch

from core.chemistry import elements
from core.predictors.features.element_features import element_features


def test_the_features_differ_between_all_elements():
    features = element_features()
    assert features.shape[0] == elements.N_ELEMENTS and torch.isfinite(features).all()
    assert len(torch.unique(features, dim=0)) == elements.N_ELEMENTS


def test_every_column_is_standardised():
    features = element_features()
    assert torch.allclose(features.mean(0), torch.zeros(features.shape[1]), atol=1e-6)
    assert torch.allclose(features.std(0), torch.ones(features.shape[1]), atol=1e-6)
