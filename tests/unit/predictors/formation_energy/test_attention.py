"""The ensemble of networks with attention: zero at the elements, both references, and the committed weights."""

import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.errors import InputError
from core.predictors import checkpoint
from core.predictors.formation_energy.attention import (
    FormationEnergyAttention,
    load_formation_energy_ensemble,
    reference_change,
)
from core.predictors.info import MP, OQMD
from core.predictors.layers.composition_attention import AttentionSize

SIZE = AttentionSize(width=16, layers=2, heads=2, waves=4)
OXYGEN = elements.element("O").index


def fractions(*formulas: str) -> torch.Tensor:
    return torch.from_numpy(compositions(formulas)).float()


@pytest.fixture
def predictor():
    torch.manual_seed(0)
    offset = torch.zeros(elements.N_ELEMENTS)
    offset[OXYGEN] = 0.5
    known = torch.ones(elements.N_ELEMENTS, dtype=torch.bool)
    return FormationEnergyAttention("x", SIZE, known, offset).eval()


def test_known_elements_are_the_given_ones():
    known = torch.zeros(elements.N_ELEMENTS, dtype=torch.bool)
    known[:20] = True
    predictor = FormationEnergyAttention("x", SIZE, known)
    assert torch.equal(predictor.known_elements, known)
    assert predictor(fractions("Fe", "NaCl")).shape == (2,)


@pytest.mark.parametrize("reference", [MP, OQMD])
@pytest.mark.parametrize("frozen", [False, True])
def test_every_element_is_exactly_zero(predictor, reference, frozen):
    pure = torch.eye(elements.N_ELEMENTS)
    predictor = (predictor.freeze() if frozen else predictor).on_reference(reference)
    assert torch.count_nonzero(predictor(pure)) == 0
    mixed = torch.cat([fractions("NaCl", "Fe2O3"), pure, fractions("LaFeAsO")])
    assert torch.count_nonzero(predictor(mixed)[2:-1]) == 0
    assert torch.count_nonzero(predictor.capturable(4)(mixed)[2:-1]) == 0


def test_a_trace_in_an_element_changes_the_energy_in_proportion(predictor):
    share = torch.tensor([0.0, 1e-5, 2e-5], dtype=torch.float64)
    x = torch.zeros(3, elements.N_ELEMENTS, dtype=torch.float64)
    x[:, elements.element("Fe").index], x[:, OXYGEN] = 1 - share, share
    energy = predictor.double()(x)
    assert energy[0] == 0 and energy[1].abs() > 1e-7
    torch.testing.assert_close(energy[2], 2 * energy[1], rtol=0.1, atol=1e-9)


@pytest.mark.parametrize("formula", ["Fe", "Fe2O3", "LaFeAsO"])
@pytest.mark.parametrize("reference", [MP, OQMD])
def test_the_gradient_is_that_of_finite_differences(predictor, formula, reference):
    predictor = predictor.double().on_reference(reference)
    x = torch.from_numpy(compositions([formula])).requires_grad_()
    (gradient,) = torch.autograd.grad(predictor(x).sum(), x)
    step, present = 1e-6, [int(i) for i in x.detach()[0].nonzero()]
    for place in present:
        moved = x.detach().repeat(2, 1)
        moved[0, place] += step
        moved[1, place] -= step
        # An element alone is 0 for any amount; its gradient is that of the formula for a mixture with a trace.
        if len(present) == 1:
            moved[:, OXYGEN] = 1e-15
        up, down = predictor(moved)
        assert gradient[0, place].item() == pytest.approx(((up - down) / (2 * step)).item(), rel=1e-3, abs=1e-5)


def test_the_order_of_the_rows_and_the_other_rows_do_not_matter(predictor):
    x = fractions("NaCl", "Fe2O3", "Fe", "LaFeAsO", "MgB2")
    order = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(predictor(x[order]), predictor(x)[order], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(predictor(x[1:2]), predictor(x)[1:2], rtol=1e-5, atol=1e-6)


def test_frozen_weights_give_the_same_energies(predictor):
    x = fractions("NaCl", "Fe2O3", "Fe")
    before = predictor(x).detach()
    torch.testing.assert_close(predictor.freeze()(x), before, rtol=1e-5, atol=1e-6)
    assert not any(p.requires_grad for p in predictor.parameters())


def test_both_references_differ_by_the_offset_and_the_rest(predictor):
    x = fractions("FeO", "NaCl")
    rest = predictor.energy_and_rest(x)[:, 1]
    change = predictor.on_reference(OQMD)(x) - predictor(x) + rest
    assert change.tolist() == pytest.approx([0.5 * 0.5 * (1 - 2 * 0.5**4), 0], abs=1e-6)


def test_the_change_of_references_is_that_of_the_fractions_except_near_elements():
    x = fractions("Fe", "LaFeAsO")
    change = reference_change(x)
    assert torch.count_nonzero(change[0]) == 0
    torch.testing.assert_close(change[1], x[1] * (1 - 4 * 0.25**4))


def test_an_unknown_reference_is_refused(predictor):
    with pytest.raises(InputError, match="aflow"):
        predictor.on_reference("aflow")


def test_the_committed_ensemble():
    predictor = load_formation_energy_ensemble("formation-energy-ensemble")
    card = checkpoint.read_card("formation-energy-ensemble")
    assert len(predictor.members()) == card["settings"]["members"]
    assert int(predictor.known_elements.sum()) == len(card["known_elements"])
    assert not predictor.training and not any(p.requires_grad for p in predictor.parameters())
    energy, error = predictor.estimate(fractions("NaCl", "MgO", "Cu"))[:2]
    assert energy.tolist() == pytest.approx([-2.1, -3.0, 0], abs=0.25)  # eV/atom, Materials Project
    assert energy[2] == 0 and (error[:2] > 0).all() and (error < 0.2).all()
    on_oqmd = predictor.on_reference(OQMD)
    assert on_oqmd(fractions("MgO", "Cu")).tolist() == pytest.approx([-2.9, 0], abs=0.25)  # eV/atom, OQMD
