"""Formation energy by ElemNet: gradients, unknown elements, and the accuracy of the committed weights."""

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.predictors import checkpoint
from core.predictors.formation_energy.elemnet import (
    UNKNOWN,
    ElemNet,
    FormationEnergyElemNet,
    elemnet_elements,
    load_elemnet,
)
from core.predictors.interface import Predictor
from core.predictors.registry import known_elements, load_predictor


@pytest.fixture(scope="module")
def trained() -> FormationEnergyElemNet:
    return load_elemnet()


def energies(predictor: Predictor, formulas: list[str]) -> np.ndarray:
    """Predicted formation energies in eV/atom."""
    with torch.no_grad():
        return predictor(torch.from_numpy(compositions(formulas)).float()).numpy()


def random_compositions(n: int) -> torch.Tensor:
    """Compositions (n, 118) of five known elements each."""
    random = torch.Generator().manual_seed(0)
    index = torch.tensor([elements.element(symbol).index for symbol in elemnet_elements()])
    x = torch.zeros(n, elements.N_ELEMENTS)
    for row in x:
        row[index[torch.randperm(len(index), generator=random)[:5]]] = torch.rand(5, generator=random) + 0.05
    return x / x.sum(1, keepdim=True)


def test_elemnet_implements_the_predictor_interface(trained):
    assert isinstance(trained, Predictor) and trained.name == "formation-energy"
    x = random_compositions(7)
    assert trained(x).shape == (7,) and torch.isfinite(trained(x)).all() and trained(x).std() > 0
    assert trained(x[:0]).shape == (0,)
    assert torch.allclose(load_predictor("formation-energy")(x), trained(x), atol=1e-5)


def test_elemnet_has_17_layers_and_dropout_in_training_only():
    torch.manual_seed(0)
    network, x = ElemNet(dropout=True), torch.rand(4, 86)
    assert sum(isinstance(layer, torch.nn.Linear) for layer in network.layers) == 17
    assert not torch.equal(network.train()(x), network(x))
    assert torch.equal(network.eval()(x), network(x))
    without = ElemNet(dropout=False)
    assert not any(isinstance(layer, torch.nn.Dropout) for layer in without.layers)


def test_compositions_are_independent(trained):
    x = random_compositions(16)
    everything = trained(x)
    assert torch.allclose(everything[3:5], trained(x[3:5]), atol=1e-5)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(trained(x[order]), everything[order], atol=1e-5)


def test_gradients_are_finite_and_agree_with_finite_differences():
    predictor, x = load_elemnet().double(), random_compositions(6).double()
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(predictor(leaf).sum(), leaf)
    assert torch.isfinite(gradient).all()
    random, step = torch.Generator().manual_seed(2), 1e-7
    for _ in range(3):
        direction = torch.randn(x.shape, generator=random, dtype=torch.float64)
        slopes = (gradient * direction).sum(1)
        numeric = (predictor(x + step * direction) - predictor(x - step * direction)) / (2 * step)
        assert torch.allclose(slopes, numeric, rtol=1e-4, atol=1e-4)
    assert gradient.abs().max() > 0.1


def test_unknown_elements_have_no_effect(trained):
    """ElemNet has no input for them, so that they have no gradient."""
    names = set(elements.symbols())
    known = {symbol for symbol, flag in zip(elements.symbols(), trained.known_elements, strict=True) if flag}
    assert known == set(elemnet_elements()) == known_elements("formation-energy")
    assert names - known == UNKNOWN | set(elements.symbols()[94:])  # from Am on
    x = random_compositions(2).requires_grad_()
    (gradient,) = torch.autograd.grad(trained(x).sum(), x)
    assert (gradient[:, ~trained.known_elements] == 0).all()
    assert (gradient[:, trained.known_elements] != 0).any(0).all()


# The committed weights.


def test_metrics_on_the_card_are_good_enough():
    held_out = checkpoint.read_card("formation-energy")["metrics_held_out"]
    assert held_out["formation_energy_mae_eV_per_atom"] <= 0.10
    assert held_out["n"] > 10_000


@pytest.mark.parametrize(("formula", "true"), [("NaCl", -2.1), ("MgO", -3.0), ("Al2O3", -3.4)])
def test_salts_and_oxides_as_in_the_materials_project(trained, formula, true):
    (energy,) = energies(trained, [formula])
    assert energy == pytest.approx(true, abs=0.35)


def test_elements_are_near_zero(trained):
    common = ["O", "Na", "Mg", "Al", "Si", "S", "Cl", "Ca", "Ti", "Fe", "Ni", "Cu", "Zn", "Ag", "Sn", "La", "Au", "Pb"]
    assert np.abs(energies(trained, common)).max() < 0.2
    assert np.median(np.abs(energies(trained, list(elemnet_elements())))) < 0.1


def test_compounds_are_stable_and_immiscible_metals_are_not(trained):
    """Salts and oxides are well below the elements; metals that do not mix are not."""
    assert energies(trained, ["CaF2", "La2O3", "TiO2", "BaTiO3", "La2CuO4"]).max() < -1.5
    assert energies(trained, ["FePb", "AgFe", "CuW", "AgW"]).min() > -0.05
