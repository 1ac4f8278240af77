"""Attention in bfloat16: close to float32, row by row, with repeated and single tokens."""

import pytest
import torch

from core.predictors.layers.composition_attention_bfloat16 import AttentionInBfloat16
from tests.unit.predictors.layers.test_composition_attention import compositions, network


@pytest.mark.parametrize("trace", [0.0, 1e-3])
def test_it_agrees_with_float32(trace):
    model, x = network(2, trace).float(), compositions().float()
    expected, found = model(x).detach(), AttentionInBfloat16(model)(x)
    assert torch.allclose(found, expected, atol=0.02 * float(expected.abs().max())) and not torch.equal(found, expected)


def test_compositions_are_independent():
    model, x = AttentionInBfloat16(network().float()), compositions().float()
    repeated = torch.cat([x, x.flip(0)])
    assert torch.allclose(model(repeated), torch.cat([model(row[None]) for row in repeated]), atol=1e-2)


def test_not_a_number_stays_so():
    x = compositions().float()
    x[0, 5] = torch.nan
    found = AttentionInBfloat16(network().float())(x)
    assert found[0].isnan().all() and found[1:].isfinite().all()
