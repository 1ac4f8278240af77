"""Checkpoints: round trip, and errors with remedies for damaged files."""

import json

import pytest
import torch

from core.predictors import checkpoint
from core.predictors.checkpoint import CheckpointError
from core.predictors.formation_energy.elemnet import ARCHITECTURE, ElemNet, elemnet_elements, load_elemnet


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    card = {"architecture": ARCHITECTURE, "known_elements": list(elemnet_elements())}
    checkpoint.save("energy", checkpoint.to_storage(ElemNet().state_dict()), card, tmp_path)
    return tmp_path


def test_round_trip(folder):
    predictor = load_elemnet("energy", folder)
    x = torch.full((2, 118), 1 / 118)
    assert torch.isfinite(predictor(x)).all()
    assert not any(p.requires_grad for p in predictor.parameters())
    assert predictor.known_elements.sum() == 86


def test_the_86_elements_are_not_the_first_86():
    names = elemnet_elements()
    assert len(names) == 86
    assert not {"He", "Ne", "Ar", "Po", "At", "Rn", "Fr", "Ra"} & set(names)
    assert {"Kr", "Xe", "Ac", "Th", "Pa", "U", "Np", "Pu"} <= set(names)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda w, c: w.unlink(), "weights energy.safetensors are missing"),
        (lambda w, c: c.unlink(), "card energy.json is missing"),
        (lambda w, c: c.write_text("{"), "card energy.json is damaged"),
        (lambda w, c: w.write_bytes(w.read_bytes()[:1000]), "corrupted or truncated"),
        (lambda w, c: w.write_bytes(w.read_bytes()[:-1] + b"?"), "corrupted or truncated"),
        (lambda w, c: edit(c, architecture="transformer"), "names the architecture “transformer”"),
    ],
)
def test_damage_is_reported_with_a_remedy(folder, damage, words):
    damage(*checkpoint.paths("energy", folder))
    with pytest.raises(CheckpointError, match=words) as caught:
        load_elemnet("energy", folder)
    assert "python -m core train energy" in str(caught.value)


def edit(card_path, **changes):
    card_path.write_text(json.dumps({**json.loads(card_path.read_text()), **changes}))


def test_another_architecture_is_rejected(folder):
    with pytest.raises(CheckpointError, match="energy requires “something-else”"):
        checkpoint.load("energy", "something-else", folder)
