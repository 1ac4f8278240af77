"""A checkpoint is two files: NAME.safetensors (16-bit weights) and NAME.json, its card.

The card states the architecture, for a predictor its role, the training data, the figures on held-out data, and the
SHA-256 of the weights file, which is verified on every load. Nothing is unpickled. Cards are read without importing
torch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core import json_text, tensor_file
from core.chemistry import elements
from core.errors import shown
from core.limits import CARD_BYTES, NAME_CHARACTERS, WEIGHTS_BYTES
from core.paths import CHECKPOINTS

if TYPE_CHECKING:
    import torch

    from core.predictors.info import Role

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{NAME_CHARACTERS - 1}}}")
_MOST_SIZE = 100_000  # of a number that determines the size of a network: no network here comes near
_NOT_STORED = "num_batches_tracked"  # the batch counter of batch norm, which is not needed for evaluation


class CheckpointError(RuntimeError):
    """A checkpoint is missing, damaged, or has another architecture; the message includes a remedy."""


def _remedy(name: str) -> str:
    return f"Restore checkpoints/ from the repository, or train the model: python -m core train {name}"


def paths(name: str, folder: Path = CHECKPOINTS) -> tuple[Path, Path]:
    """Weights file and card of a checkpoint. Raises CheckpointError unless the name is one in this folder."""
    if not _NAME.fullmatch(name):
        raise CheckpointError(
            f"“{shown(name)}” is no name of a checkpoint: up to {NAME_CHARACTERS} letters, digits and ._-"
        )
    return folder / f"{name}.safetensors", folder / f"{name}.json"


def save(name: str, tensors: dict[str, torch.Tensor], card: dict, folder: Path = CHECKPOINTS) -> None:
    """Write weights and card. The card must have the key `architecture`; `name`, `sha256` are added."""
    from safetensors.torch import save as save_tensors

    folder.mkdir(parents=True, exist_ok=True)
    content = save_tensors({key: value.contiguous().cpu() for key, value in tensors.items()})
    paths(name, folder)[0].write_bytes(content)
    rewrite_card(name, {"name": name, **card, "sha256": hashlib.sha256(content).hexdigest()}, folder)


def rewrite_card(name: str, card: dict, folder: Path = CHECKPOINTS) -> None:
    """Write the card without changing the weights."""
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    paths(name, folder)[1].write_text(text, encoding="utf-8")


def read_card(name: str, folder: Path = CHECKPOINTS) -> dict:
    """The card of a checkpoint. Raises CheckpointError if it is missing, unreadable, or the card of another one."""
    card_path = paths(name, folder)[1]
    try:
        card = json_text.parse(_content(card_path, CARD_BYTES), CARD_BYTES)
    except FileNotFoundError:
        raise CheckpointError(f"The card {card_path.name} is missing. {_remedy(name)}.") from None
    except OSError as error:
        raise CheckpointError(
            f"The card {card_path.name} cannot be read ({error.strerror}). {_remedy(name)}."
        ) from None
    except ValueError as error:
        raise CheckpointError(f"The card {card_path.name} is damaged: it {shown(error)}. {_remedy(name)}.") from None
    wrong = _wrong_card(name, card)
    if wrong:
        raise CheckpointError(f"The card {card_path.name} is damaged: {wrong}. {_remedy(name)}.")
    return card


def _content(path: Path, most_bytes: int) -> bytes:
    """The bytes of a file, at most one more than `most_bytes`."""
    with path.open("rb") as file:
        return file.read(most_bytes + 1)


def _wrong_card(name: str, card: object) -> str:
    """What is wrong with the fields of a card that loaders rely on; "" if nothing is."""
    if not isinstance(card, dict):
        return "it is not a JSON object"
    if card.get("name") != name:
        return f"it names the checkpoint “{shown(card.get('name'), 60)}”"
    settings, known = card.get("settings", {}), card.get("known_elements", [])
    if not isinstance(settings, dict):
        return "its settings are not a JSON object"
    if not isinstance(known, list) or not all(isinstance(s, str) and elements.is_element(s) for s in known):
        return "its known elements are not a list of symbols"
    sizes = settings.get("size", {})
    numbers = [settings.get("members", 1), *(sizes.values() if isinstance(sizes, dict) else [])]
    if any(isinstance(n, int | float) and not 0 <= n <= _MOST_SIZE for n in numbers):
        return "its settings give an absurd size"
    return ""


@contextmanager
def refusing_what_does_not_fit(name: str) -> Generator[None]:
    """Turns whatever a loader raises for a card or weights that it cannot use into one CheckpointError."""
    try:
        yield
    except (CheckpointError, ImportError):
        raise
    except Exception as error:  # of any kind: a loader builds the model from what the files say
        reason = f"{type(error).__name__}: {shown(error)}"
        raise CheckpointError(f"Card and weights of {name} do not fit together ({reason}). {_remedy(name)}.") from error


def check_architecture(name: str, card: Mapping, architecture: str) -> None:
    """Raises CheckpointError unless the card names this architecture."""
    if card.get("architecture") != architecture:
        raise CheckpointError(
            f"The card of {name} names the architecture “{shown(card.get('architecture'))}”; "
            f"{name} requires “{architecture}”. {_remedy(name)}."
        )


def check_role(name: str, card: Mapping, role: Role) -> None:
    """Raises CheckpointError unless the card names this role. name : of a predictor"""
    if "role" not in card:
        raise CheckpointError(f"The card of {name} names no role; {name} predicts {role.predicts}. {_remedy(name)}.")
    if card["role"] != role:
        raise CheckpointError(
            f"The card of {name} names the role “{shown(card['role'])}”, but {name} predicts {role.predicts}. "
            f"{_remedy(name)}."
        )


def load(name: str, architecture: str, folder: Path = CHECKPOINTS) -> tuple[dict[str, torch.Tensor], dict]:
    """Verified tensors (as stored) and card.

    Raises CheckpointError if a file is missing, the checksum differs, or the card names another architecture.
    """
    from safetensors.torch import load as load_tensors

    card = read_card(name, folder)
    check_architecture(name, card, architecture)
    weights_path = paths(name, folder)[0]
    try:
        content = _content(weights_path, WEIGHTS_BYTES)
    except FileNotFoundError:
        raise CheckpointError(f"The weights {weights_path.name} are missing. {_remedy(name)}.") from None
    except OSError as error:
        raise CheckpointError(f"{weights_path.name} cannot be read ({error.strerror}). {_remedy(name)}.") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.get("sha256"):
        raise CheckpointError(
            f"{weights_path.name} is corrupted or truncated: its SHA-256 is {digest[:12]}…, but the card states "
            f"{shown(card.get('sha256'))[:12]}…. {_remedy(name)}."
        )
    try:
        tensor_file.layout(content)  # before memory is taken for the tensors
    except tensor_file.TensorFileError as error:
        raise CheckpointError(f"{weights_path.name} {shown(error)}. {_remedy(name)}.") from None
    with refusing_what_does_not_fit(name):
        return load_tensors(content), card


def known_mask(card: Mapping) -> torch.Tensor:
    """Known elements listed on a card: (118,) bool."""
    import torch

    return torch.tensor([symbol in card["known_elements"] for symbol in elements.symbols()])


def load_into(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Load tensors into a module. Raises CheckpointError if keys or shapes differ, or a weight is not finite."""
    counters = {key: value for key, value in module.state_dict().items() if key.endswith(_NOT_STORED)}
    try:
        module.load_state_dict({key: value.float() for key, value in tensors.items()} | counters, strict=True)
    except RuntimeError as error:
        raise CheckpointError(f"{name} does not fit this architecture: {shown(error)}. {_remedy(name)}.") from None
    if not all(bool(value.isfinite().all()) for value in tensors.values() if value.is_floating_point()):
        raise CheckpointError(f"{name} has weights that are not finite. {_remedy(name)}.")


def to_storage(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights in float16; running statistics of batch norm in float32, because they may exceed float16's range."""
    kept = {k: v for k, v in state.items() if not k.endswith(_NOT_STORED)}
    return {k: v.float() if "running_" in k else v.half() for k, v in kept.items()}
