"""Checkpoints: round trip, and errors with remedies for damaged files."""

import hashlib
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


def tampered(folder, change=lambda content: content, **card) -> None:
    """Change the weights and the card, and give the card the checksum of the new weights."""
    weights, card_path = checkpoint.paths("energy", folder)
    content = change(weights.read_bytes())
    weights.write_bytes(content)
    edit(card_path, **card, sha256=hashlib.sha256(content).hexdigest())


def with_header(change):
    """A change of the header of a safetensors file."""

    def changed(content: bytes) -> bytes:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        change(header, next(name for name in header if name != "__metadata__"))
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + content[8 + length :]

    return changed


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ({"name": "tc"}, "names the checkpoint “tc”"),
        ({"known_elements": ["Qq"]}, "known elements"),
        ({"known_elements": 3}, "known elements"),
        ({"settings": []}, "settings"),
        ({"settings": {"members": 10**9}}, "absurd size"),
        ({"settings": {"size": {"width": 10**9}}}, "absurd size"),
        ({"change": with_header(lambda h, n: h[n].update(shape=[10**9, 10**9]))}, "shape does not agree"),
        ({"change": with_header(lambda h, n: h[n].update(shape=[0, 10**15]))}, "shape does not agree"),
        ({"change": with_header(lambda h, n: h.pop(n))}, "bytes of no tensor|instead of"),
        ({"change": lambda content: content[:500]}, "cut off"),
        ({"change": lambda content: b""}, "cut off"),
    ],
)
def test_a_tampered_checkpoint_with_a_fitting_checksum_is_refused_in_one_sentence(folder, tampering, words):
    tampered(folder, **tampering)
    with pytest.raises(CheckpointError, match=words) as caught:
        load_elemnet("energy", folder)
    assert len(str(caught.value)) < 600


def test_weights_that_are_not_finite_are_refused(folder):
    tensors, card = checkpoint.load("energy", ARCHITECTURE, folder)
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    checkpoint.save("energy", tensors, card, folder)
    with pytest.raises(CheckpointError, match="not finite"):
        load_elemnet("energy", folder)


@pytest.mark.parametrize("name", ["x" * 300, "../../etc/passwd", "/etc/passwd", "", "a/b", "\0", "a\nb", ".hidden"])
def test_a_name_leads_to_no_other_folder(tmp_path, name):
    with pytest.raises(CheckpointError, match="no name of a checkpoint") as caught:
        checkpoint.read_card(name, tmp_path)
    assert len(str(caught.value)) < 400
