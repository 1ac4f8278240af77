"""Checkpoints of networks of crystals are read with their scale, or refused."""

from dataclasses import replace

import pytest
import torch

from core.predictors import checkpoint
from core.structures.diffusion.names import BASE
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
