"""The mixture of kernel and network: its equation, and the committed model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core import composition, elements
from core.predictors import checkpoint
from core.predictors.composition_kernel import KernelShape
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.registry import load_predictor
from core.predictors.tc_kernel import ErrorScale, Mixture, TcKernel, load_tc_kernel
from core.references import load_references
from core.training.kernel_regression import fit
from core.training.metrics import inside_intervals
from core.training.tc_kernel import fit_error_scale

KNOWN = {"YBa2Cu3O7": 92.0, "MgB2": 39.0, "FeSe": 9.0}
SCALE = ErrorScale(floor_K=1.0, relative=0.1, near=0.2, near_distance=0.05, far=0.5)


class Says(torch.nn.Module):
    """A network that says the same of everything."""

    def __init__(self, tc_K: float, name: str = "says"):
        super().__init__()
        self.name, self.tc_K = name, tc_K
        self.register_buffer("known_elements", torch.ones(elements.N_ELEMENTS, dtype=torch.bool))

    def forward(self, composition):
        return self.tc_K + 0 * composition.sum(1)


def vectors(formulas) -> torch.Tensor:
    return torch.from_numpy(composition.compositions(formulas))


def model(tc_K: float, mixture: Mixture | None = None) -> TcKernel:
    kernel = fit(composition.compositions(KNOWN), np.array(list(KNOWN.values())), 1e-6, KernelShape())
    return TcKernel("mixed", Says(tc_K), kernel, mixture or Mixture(), SCALE, familiar_distance=0.5).double()


@pytest.mark.parametrize(("by_network", "gate"), [(0.0, 0.0), (0.5, 0.75), (1.0, 1.0), (30.0, 1.0)])
def test_the_network_says_where_there_is_nothing(by_network, gate):
    mixed = model(by_network, Mixture(sure_near_K=1.0, sure_far_K=0.0))
    x = vectors(["YBa2Cu3O7"])
    value, distance = mixed.kernel(x)
    trust = 1 - distance**2 / (2 * (distance**2 + 0.15**2))
    assert float(mixed(x)) == pytest.approx(gate * float(trust * value + (1 - trust) * by_network))


def test_away_from_what_is_known_the_network_must_be_surer():
    mixed = model(1.0, Mixture(sure_near_K=0.5, sure_far_K=3.0, near_distance=0.05))
    assert mixed.sure_K(torch.tensor([0.0, 0.05**2, 1e6])).tolist() == pytest.approx([0.5, 2.0, 3.5])
    assert float(mixed(vectors(["Rb3C60"]))) == pytest.approx(
        (1 - (1 - 1 / float(mixed.sure_K(mixed.kernel(vectors(["Rb3C60"]))[1] ** 2))) ** 2)
        * float(model(1.0, Mixture(sure_near_K=0.5, sure_far_K=0.0))(vectors(["Rb3C60"]))),
        rel=1e-6,
    )


def test_far_from_all_known_ones_both_count_half():
    mixed = model(50.0, Mixture(trust_distance=1e-3))
    value, _ = mixed.kernel(vectors(["Rb3C60"]))
    assert float(mixed(vectors(["Rb3C60"]))) == pytest.approx((float(value) + 50) / 2, rel=1e-3)


def test_it_is_never_negative():
    x = torch.distributions.Dirichlet(torch.full((elements.N_ELEMENTS,), 0.05, dtype=torch.float64)).sample((64,))
    assert (model(2.0)(x) >= 0).all()


def test_the_error_to_expect_by_hand():
    assert SCALE(50.0, 0.0) == pytest.approx(1 + 50 * 0.1)
    assert SCALE(50.0, 0.05) == pytest.approx(1 + 50 * (0.1 + 0.2 / 2 + 0.5 * 0.0025))
    assert SCALE(0.0, 2.0) == 1.0


def test_the_error_grows_away_from_what_is_known():
    mixed = model(30.0)
    tc, error, distance = mixed.estimate(vectors(["YBa2Cu3O7", "YBaSrCu3O7", "YBa2Cu3O6.5"]))
    from_kernel = mixed.kernel(vectors(["YBa2Cu3O7", "YBaSrCu3O7", "YBa2Cu3O6.5"]))[1]
    assert torch.allclose(distance, from_kernel - mixed.kernel.shape.soft) and abs(float(distance[0])) < 1e-3
    assert torch.equal(tc, mixed(vectors(["YBa2Cu3O7", "YBaSrCu3O7", "YBa2Cu3O6.5"])))
    assert torch.allclose(error, SCALE(tc, from_kernel))
    assert ((error / tc).diff() > 0).all()


def test_the_scale_is_found_again_from_errors_that_have_it():
    random = np.random.default_rng(0)
    tc, distance = random.uniform(0, 100, 50_000), random.exponential(0.2, 50_000)
    measured = tc + random.laplace(scale=SCALE(tc, distance))
    found = fit_error_scale(tc, distance, measured)
    at = np.array([0.0, 0.02, 0.1, 0.4])
    assert found(60.0, at) == pytest.approx(SCALE(60.0, at), rel=0.05)
    figures = inside_intervals(tc - measured, found(tc, distance))
    assert {name: round(share, 1) for name, share in figures.items()} == {f"{p}%": p / 100 for p in range(10, 100, 10)}


# The committed model.


@pytest.fixture(scope="module")
def committed():
    return load_predictor("tc-kernel")


def test_it_is_a_predictor_that_knows_what_its_network_knows(committed):
    assert isinstance(committed, Predictor) and committed.name == "tc-kernel"
    assert torch.equal(committed.known_elements, load_predictor("tc").known_elements)


def test_it_gives_back_what_is_known_better_than_the_network(committed):
    references = load_references()
    rows = np.random.default_rng(0).choice(len(references.known_tc_K), 500, replace=False)
    x, tc = torch.from_numpy(references.known_compositions[rows]).float(), references.known_tc_K[rows]
    ours, network = (np.abs(predict_in_batches(p, x) - tc).mean() for p in (committed, load_predictor("tc")))
    assert ours < network < 10


def test_slopes_of_the_committed_model_against_finite_differences():
    exact = load_predictor("tc-kernel").double()  # the tips at known compositions are too narrow for float32 steps
    x = vectors(["LaFeAsO", "YBa2Cu3O7", "Mg0.9Al0.1B2"]).requires_grad_()
    (gradient,) = torch.autograd.grad(exact(x).sum(), x)
    assert torch.isfinite(gradient).all()
    direction = vectors(["FeO", "CuO", "MgB"]) - x.detach()
    with torch.no_grad():
        numeric = (exact(x + 1e-6 * direction) - exact(x - 1e-6 * direction)) / 2e-6
    assert (gradient * direction).sum(1).tolist() == pytest.approx(numeric.tolist(), rel=1e-3, abs=0.1)


def test_its_card_holds_the_floors():
    held_out = checkpoint.read_card("tc-kernel")["metrics_held_out"]
    assert held_out["tc_mae_K"] <= 4.1 and held_out["tc_r2"] >= 0.924
    assert held_out["precision_above_1_K_with_cod"] >= 0.80
    assert held_out["precision_at_recall_0.9_with_cod"] >= 0.85


def test_its_intervals_hold_on_systems_that_it_never_saw():
    inside = checkpoint.read_card("tc-kernel")["metrics_held_out"]["systems_held_out"]["inside_intervals"]
    assert inside["50%"] == pytest.approx(0.5, abs=0.05)
    assert inside["90%"] == pytest.approx(0.9, abs=0.05)


def test_it_is_not_put_on_another_network(tmp_path):
    with pytest.raises(checkpoint.CheckpointError, match="fitted on other weights"):
        for name in ("tc", "tc-kernel"):
            for path in checkpoint.paths(name):
                (tmp_path / path.name).write_bytes(path.read_bytes())
        checkpoint.rewrite_card("tc", checkpoint.read_card("tc") | {"sha256": "other"}, tmp_path)
        load_tc_kernel("tc-kernel", Says(1.0, "tc"), tmp_path)
