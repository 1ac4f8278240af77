"""Checkpoints of networks of crystals are read with their scale, or refused; the stored ones make crystals as asked."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.predictors import checkpoint
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.sampler import SamplerSettings, Task, Wanted, run
from core.structures.diffusion.validity import structurally_valid
from core.structures.diffusion.weights import load_crystal_network
from tests.unit.structures.diffusion.conftest import SCALE, SMALL, network_of, noisy_crystals, stored


@torch.no_grad()
def test_a_stored_network_predicts_the_same_within_16_bit(tmp_path):
    stored(tmp_path, BASE)
    model, crystals = load_crystal_network(BASE, tmp_path), noisy_crystals(3)
    assert model.network.scale == SCALE and model.sizes == (0, 0, 2, 1) and model.network.size == SMALL
    arguments = crystals, torch.tensor([100])
    for found, expected in zip(model.network(*arguments), network_of(SMALL)(*arguments), strict=True):
        torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-2)


def test_a_card_that_does_not_fit_the_weights_is_refused(tmp_path):
    stored(tmp_path, BASE)
    card = checkpoint.read_card(BASE, tmp_path)
    for change in ({"lattice": {}}, {"settings": {"size": {"width": 12}}}, {"sizes": None}):
        checkpoint.rewrite_card(BASE, card | change, tmp_path)
        with pytest.raises(checkpoint.CheckpointError, match="fit"):
            load_crystal_network(BASE, tmp_path)
    stored(tmp_path, BASE, replace(SMALL, adapter=True))
    assert len(load_crystal_network(BASE, tmp_path).network.adapters) == 2


def crystals(name: str, count: int, steps: int, wanted: Wanted):
    model = load_crystal_network(name)
    settings = SamplerSettings(steps)
    return run(Task(model.network, model.sizes, 0, 0, count, wanted, settings, torch.device("cpu")))


@pytest.mark.parametrize(("name", "wanted"), [(BASE, Wanted()), (WITH_TC, Wanted(tc_K=10.0))])
def test_most_crystals_are_valid_and_have_few_elements(name, wanted):
    made = crystals(name, 16, 40, wanted)
    assert np.mean([each is not None and structurally_valid(each) for each in made]) >= 0.75
    assert np.mean([len(set(each.symbols)) for each in made if each is not None]) < 6


def test_rock_salt_is_found_for_its_formula():
    """NaCl was learned: among some samples of its formula is one with alternating ions at the known distance."""
    for structure in crystals(BASE, 8, 60, Wanted(composition=("Na", "Cl"))):
        assert structure is not None and Counter(structure.symbols) == Counter(("Na", "Cl"))
        if structurally_valid(structure) and structure.shortest_distance_A() == pytest.approx(2.82, abs=0.2):
            return
    pytest.fail("no sample has the distance of Na and Cl")
