"""The stored networks make crystals that are mostly valid, of few elements, and as asked."""

from collections import Counter

import numpy as np
import pytest
import torch

from core.structures.diffusion.names import BASE, WITH_TC, are_trained
from core.structures.diffusion.sampler import SamplerSettings, Task, Wanted, run
from core.structures.diffusion.validity import structurally_valid
from core.structures.diffusion.weights import load_crystal_network

pytestmark = pytest.mark.skipif(not are_trained(), reason="the networks of crystals are not stored")


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
