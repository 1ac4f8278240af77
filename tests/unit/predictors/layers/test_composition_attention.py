"""Attention over elements: smooth as an element vanishes, and independent of the rest of the batch."""

import pytest
import torch

from core.chemistry import composition, elements
from core.predictors.layers import composition_attention
from core.predictors.layers.composition_attention import (
    AttentionSize,
    CompositionAttention,
    _Attention,
    _Groups,
)

FORMULAS = ["Fe", "NaCl", "YBa2Cu3O7", "La1.85Sr0.15CuO4", "BaSrCaYLaFeCoAsO"]


def network(outputs: int = 1, trace: float = 0.0) -> CompositionAttention:
    torch.manual_seed(1)
    size = AttentionSize(width=32, layers=2, heads=4, waves=8, trace=trace)
    return CompositionAttention(size, outputs).double().eval()


def compositions(formulas=FORMULAS) -> torch.Tensor:
    return torch.from_numpy(composition.compositions(formulas))


def with_trace(x: torch.Tensor, symbol: str, fraction: float) -> torch.Tensor:
    """The composition with a small fraction of another element added."""
    mixed = x.clone()
    mixed[:, elements.element(symbol).index] += fraction
    return mixed / mixed.sum(1, keepdim=True)


def test_one_number_per_output():
    assert network(3)(compositions()).shape == (len(FORMULAS), 3)


def test_compositions_are_independent():
    """Also if the other compositions of the batch have more elements."""
    model, x = network(), compositions()
    assert torch.allclose(model(x), torch.cat([model(row[None]) for row in x]), atol=1e-12)


def test_attention_agrees_with_its_equation():
    """For each composition and head: sum over elements j of softmax_j(q_i k_j / sqrt(d) + bias_j) v_j."""
    heads, width = 2, 6
    random, x = torch.Generator().manual_seed(0), compositions()
    groups, _, _ = _Groups.of(x)
    tokens = int((x > 0).sum())
    projected = torch.randn(tokens, 3, heads, width // heads, dtype=torch.float64, generator=random, requires_grad=True)
    bias = torch.randn(tokens, heads, dtype=torch.float64, generator=random, requires_grad=True)
    expected, begin = [], 0
    for k in sorted((x > 0).sum(1).tolist()):
        (query, key, value), here = projected[begin : begin + k].unbind(1), bias[begin : begin + k]
        scores = torch.einsum("ihd,jhd->hij", query, key) / (width // heads) ** 0.5 + here.T[:, None]
        expected.append(torch.einsum("hij,jhd->ihd", scores.softmax(2), value).flatten(1))
        begin += k
    found, expected = _Attention.apply(projected.flatten(1), bias, groups), torch.cat(expected)
    assert torch.allclose(found, expected)
    weight = torch.randn(expected.shape, dtype=torch.float64, generator=random)
    slopes = [torch.autograd.grad(each, (projected, bias), weight) for each in (found, expected)]
    assert all(torch.allclose(*pair) for pair in zip(*slopes, strict=True))


def test_empty_and_nan_rows_do_not_change_the_others():
    model, x = network(), compositions()
    nothing, no_number = torch.zeros_like(x[:1]), torch.full_like(x[:1], torch.nan)
    found = model(torch.cat([nothing, x, no_number]))
    assert torch.allclose(found[1:-1], model(x), atol=1e-12)
    assert torch.isnan(found[-1]).all() and torch.equal(found[:1], model(nothing))
    assert model(x[:0]).shape == (0, 1)


@pytest.mark.parametrize("symbol", ["H", "Hg", "U"])
def test_a_trace_of_an_element_has_no_effect(symbol):
    model, x = network(), compositions()
    before = model(x)
    with torch.no_grad():
        changes = [float((model(with_trace(x, symbol, trace)) - before).abs().max()) for trace in (1e-3, 1e-6, 1e-9)]
    assert changes[1] < 1e-4 and changes[2] < 1e-7
    assert changes[0] > changes[1] > changes[2]


@torch.no_grad()
def test_other_elements_do_not_attend_to_a_trace():
    x = compositions()
    changes, values = [], []
    for trace in (0.0, 1e-3):
        model = network(trace=trace)
        for layer in model.layers:
            layer.query_key_value.weight[: 2 * model.size.width] *= 4  # queries and keys
        values.append(model(x))
        changes.append(float((model(with_trace(x, "Hg", 1e-6)) - model(x)).abs().max()))
    assert changes[1] < 0.01 * changes[0]
    assert torch.allclose(values[0], values[1], rtol=1e-2)  # larger fractions get the same attention as before


@pytest.mark.parametrize("trace", [0.0, 1e-3])
def test_gradient_against_finite_differences(trace):
    model = network(trace=trace)
    x = torch.full((2, elements.N_ELEMENTS), 1e-3, dtype=torch.float64)
    x[0, :4], x[1, 20:26] = 0.3, 0.2
    x = (x + 1e-4 * torch.rand(2, elements.N_ELEMENTS, generator=torch.Generator().manual_seed(0))).requires_grad_()
    (gradient,) = torch.autograd.grad(model(x).sum(), x)
    for direction in torch.eye(elements.N_ELEMENTS, dtype=torch.float64)[[0, 7, 21, 90]]:
        step = 1e-6 * direction
        with torch.no_grad():
            numeric = (model(x + step) - model(x - step)).sum() / 2e-6
        assert float((gradient * direction).sum()) == pytest.approx(float(numeric), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("trace", [0.0, 1e-3])
@pytest.mark.parametrize("formula", FORMULAS)
def test_gradients_are_finite_everywhere(formula, trace):
    model = network(trace=trace).float()
    x = compositions([formula]).float().requires_grad_()
    value = model(x)
    (gradient,) = torch.autograd.grad(value.sum(), x)
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all()
    edge = with_trace(compositions([formula]), "Xe", 1e-30).float().requires_grad_()
    (gradient,) = torch.autograd.grad(model(edge).sum(), edge)
    assert torch.isfinite(gradient).all()


MOST = 9  # elements of a formula


def with_its_gradients(model, x):
    """Values, and their gradients in the compositions and in every weight; each row has another weight in the sum."""
    x = x.clone().requires_grad_()
    value = model(x)
    total = (value * torch.arange(1.0, 1 + value.numel(), dtype=value.dtype).view_as(value)).sum()
    wanted = [x, *(weight for weight in model.parameters() if weight.requires_grad)]
    return [value.detach(), *torch.autograd.grad(total, wanted)]


@pytest.mark.parametrize("capacity", [MOST, MOST + 4, elements.N_ELEMENTS])
@pytest.mark.parametrize("trace", [0.0, 1e-3])
@pytest.mark.parametrize("outputs", [1, 3])
def test_tables_of_a_fixed_number_of_tokens_give_the_same(capacity, trace, outputs):
    """Values and gradients, in compositions and weights, also of one element, of traces and of the smallest number."""
    model, x = network(outputs, trace), compositions()
    x = torch.cat([x, with_trace(x[:-1], "Hg", 1e-6), with_trace(x[:1], "Xe", 1e-300)])
    for frozen in (False, True):
        model.requires_grad_(not frozen)
        found = with_its_gradients(model.with_capacity(capacity), x)
        for one, other in zip(found, with_its_gradients(model, x), strict=True):
            assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)


def test_fixed_tables_in_chunks_of_rows_give_the_same(monkeypatch):
    model, x = network(trace=1e-3).requires_grad_(False), compositions()
    whole = with_its_gradients(model.with_capacity(MOST), x)
    monkeypatch.setattr(composition_attention, "TOKENS_AT_ONCE", 2 * MOST)
    for one, other in zip(with_its_gradients(model.with_capacity(MOST), x), whole, strict=True):
        assert torch.allclose(one, other, rtol=1e-12, atol=1e-12)


def test_a_capacity_reads_the_largest_fractions():
    """Elements beyond the capacity are left out, as if their fractions were 0."""
    model, x = network().with_capacity(3), with_trace(compositions(["YBa2Cu3O7"]), "Hg", 0.01)
    largest = x.topk(3).values[:, -1:]
    assert torch.allclose(model(x), network()(torch.where(x >= largest, x, 0)), atol=1e-12)
    with pytest.raises(ValueError, match="at least 1"):
        network().with_capacity(0)


@pytest.mark.parametrize("frozen", [False, True])
def test_empty_and_nan_rows_do_not_change_the_others_in_fixed_tables(frozen):
    model, x = network().requires_grad_(not frozen), compositions()
    nothing, no_number = torch.zeros_like(x[:1]), torch.full_like(x[:1], torch.nan)
    found = model.with_capacity(MOST)(torch.cat([nothing, x, no_number]))
    assert torch.allclose(found[1:-1], model(x), atol=1e-12)
    assert torch.isnan(found[-1]).all() and torch.allclose(found[:1], model(nothing))
    assert model.with_capacity(MOST)(x[:0]).shape == (0, 1)
    assert all(
        torch.isfinite(each).all() for each in with_its_gradients(model.with_capacity(MOST), torch.cat([nothing, x]))
    )


def test_gradients_of_fixed_tables_are_finite_in_float32():
    model = network(trace=1e-3).float().with_capacity(MOST + 1)
    x = with_trace(compositions(), "Xe", 1e-30).float()
    assert all(torch.isfinite(each).all() for each in with_its_gradients(model, x))
