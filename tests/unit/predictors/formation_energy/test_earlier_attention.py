"""The first version of the ensemble: the committed weights."""

import pytest
import torch

from core.chemistry.composition import compositions
from core.errors import InputError
from core.predictors import checkpoint
from core.predictors.formation_energy.earlier_attention import load_earlier_ensemble


def test_the_committed_ensemble():
    predictor = load_earlier_ensemble("formation-energy-ensemble")
    card = checkpoint.read_card("formation-energy-ensemble")
    assert len(predictor.members()) == card["settings"]["members"]
    assert int(predictor.known_elements.sum()) == len(card["known_elements"])
    assert not predictor.training and not any(p.requires_grad for p in predictor.parameters())
    energy, error, _ = predictor.estimate(torch.from_numpy(compositions(["NaCl", "MgO"])).float())
    assert energy.tolist() == pytest.approx([-2.1, -3.0], abs=0.25)  # eV/atom, Materials Project
    assert (error > 0).all() and (error < 0.2).all()


def test_its_energies_are_on_the_references_of_the_materials_project_only():
    predictor = load_earlier_ensemble("formation-energy-ensemble")
    with pytest.raises(InputError, match="references of mp only"):
        predictor.on_reference("oqmd")
