"""The trained Tc network, fused for evaluation: the same function, and plausible values for well-known materials.

test_resnet.py tests that fusing is exact for networks with random weights.
"""

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.predictors import checkpoint
from core.predictors.interface import Predictor
from core.predictors.registry import known_elements, load_predictor
from core.predictors.tc.resnet import TcResNet, load_tc_resnet
from core.predictors.tc.resnet_fused import FusedTcResNet
from core.reference_data.references import load_references


@pytest.fixture(scope="module")
def plain() -> TcResNet:
    return load_tc_resnet()


@pytest.fixture(scope="module")
def fused() -> Predictor:
    return load_predictor("tc")


def tc_K(predictor: Predictor, formulas: list[str]) -> np.ndarray:
    with torch.no_grad():
        return predictor(torch.from_numpy(compositions(formulas)).float()).numpy()


def random_compositions(n: int, seed: int = 0) -> torch.Tensor:
    """Compositions (n, 118), two to seven elements each."""
    random = torch.Generator().manual_seed(seed)
    x = torch.zeros(n, elements.N_ELEMENTS)
    for i, row in enumerate(x):
        chosen = torch.randperm(96, generator=random)[: 2 + i % 6]
        row[chosen] = torch.rand(len(chosen), generator=random) + 0.05
    return x / x.sum(1, keepdim=True)


def superconductors(n: int) -> torch.Tensor:
    """n known superconductors at equal intervals of the table, where Tc and its gradient are not zero."""
    known = load_references().known_compositions
    return torch.from_numpy(known[:: len(known) // n][:n]).float()


def test_the_registry_loads_the_fused_network(fused):
    assert isinstance(fused, FusedTcResNet) and isinstance(fused, Predictor) and fused.name == "tc"
    assert not fused.training and not any(p.requires_grad for p in fused.parameters())
    known = {symbol for symbol, flag in zip(elements.symbols(), fused.known_elements, strict=True) if flag}
    assert known == known_elements("tc")


@pytest.mark.parametrize("compositions_of", [random_compositions, superconductors])
def test_same_tc_as_unfused(plain, fused, compositions_of):
    x = compositions_of(256)
    with torch.no_grad():
        before, *after = plain(x), fused(x), fused.in_tf32()(x)
    assert (before >= 0).all() and before.std() > 1
    for each in after:
        assert (each - before).abs().max() < 1e-3


def test_same_gradients_as_unfused():
    """In float64, so that rounding does not hide a difference.

    A small fraction of every element is added: in empty regions of the image equal values tie in the pooling, and the
    gradient depends on which of them is selected.
    """
    plain = load_tc_resnet().double()
    fused = FusedTcResNet(load_tc_resnet()).eval().requires_grad_(False).double()
    random = torch.Generator().manual_seed(1)
    x = superconductors(32).double() + 1e-3 * torch.rand(32, elements.N_ELEMENTS, generator=random)
    x = x / x.sum(1, keepdim=True)
    gradients = []
    for predictor in (plain, fused, fused.in_tf32()):
        leaf = x.clone().requires_grad_()
        gradients.append(torch.autograd.grad(predictor(leaf).sum(), leaf)[0])
    assert torch.isfinite(gradients[0]).all() and gradients[0].abs().max() > 10  # K per fraction
    # The fused weights are products in float32, which leaves differences of about 1e-7 of the largest gradient.
    for each in gradients[1:]:
        assert (gradients[0] - each).abs().max() < 1e-4 * gradients[0].abs().max()


def test_the_form_for_tf32_shares_nothing_that_changes(fused):
    form = fused.in_tf32()
    assert form is not fused and form.name == fused.name
    assert not any(p.requires_grad for p in form.parameters()) and not form.training
    assert sum(type(m).__name__ == "_AlongColumns" for m in fused.modules()) > 0
    assert not any(type(m).__name__ == "_AlongColumns" for m in form.modules())


def test_compositions_are_independent(fused):
    x = superconductors(16)
    with torch.no_grad():
        assert torch.allclose(fused(x)[3:5], fused(x[3:5]), atol=1e-3)
        assert fused(x[:0]).shape == (0,)


# The committed weights.


def test_metrics_on_the_card_are_good_enough():
    held_out = checkpoint.read_card("tc")["metrics_held_out"]
    assert held_out["tc_r2"] >= 0.88 and held_out["tc_mae_K"] <= 5.0
    assert held_out["precision_above_1_K_with_cod"] >= 0.80 and held_out["recall_above_1_K_with_cod"] >= 0.90
    assert held_out["n_superconductors"] > 1500


@pytest.mark.parametrize(
    ("formula", "least"),
    [("YBa2Cu3O7", 60.0), ("MgB2", 20.0), ("Nb3Sn", 8.0)],  # measured: 92 K, 39 K, 18 K
)
def test_known_superconductors_have_a_high_tc(fused, formula, least):
    assert tc_K(fused, [formula])[0] > least


@pytest.mark.parametrize("formula", ["NaCl", "SiO2"])
def test_insulators_have_a_tc_near_zero(fused, formula):
    assert tc_K(fused, [formula])[0] < 1.0
