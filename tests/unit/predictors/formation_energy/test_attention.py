"""The ensemble of networks with attention: known elements, and the committed weights."""

import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.predictors import checkpoint
from core.predictors.formation_energy.attention import FormationEnergyAttention, load_formation_energy_ensemble
from core.predictors.layers.composition_attention import AttentionSize


def test_known_elements_are_the_given_ones():
    known = torch.zeros(elements.N_ELEMENTS, dtype=torch.bool)
    known[:20] = True
    predictor = FormationEnergyAttention("x", AttentionSize(width=16, layers=1, heads=2, waves=4), known)
    assert torch.equal(predictor.known_elements, known)
    assert predictor(torch.from_numpy(compositions(["Fe", "NaCl"])).float()).shape == (2,)


def test_the_committed_ensemble():
    predictor = load_formation_energy_ensemble("formation-energy-ensemble")
    card = checkpoint.read_card("formation-energy-ensemble")
    assert len(predictor.members()) == card["settings"]["members"]
    assert int(predictor.known_elements.sum()) == len(card["known_elements"])
    assert not predictor.training and not any(p.requires_grad for p in predictor.parameters())
    energy, error, _ = predictor.estimate(torch.from_numpy(compositions(["NaCl", "MgO"])).float())
    assert energy.tolist() == pytest.approx([-2.1, -3.0], abs=0.25)  # eV/atom, Materials Project
    assert (error > 0).all() and (error < 0.2).all()
