"""A checkpoint is two files: NAME.safetensors (16-bit weights) and NAME.json, its card.

The card states the architecture, the training data, the figures on held-out data, and the SHA-256 of the weights file,
which is verified on every load. Nothing is unpickled. Cards are read without importing torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.chemistry import elements
from core.paths import CHECKPOINTS

if TYPE_CHECKING:
    import torch

_NOT_STORED = "num_batches_tracked"  # the batch counter of batch norm, which is not needed for evaluation


class CheckpointError(RuntimeError):
    """A checkpoint is missing, damaged, or has another architecture; the message includes a remedy."""


def _remedy(name: str) -> str:
    return f"Restore checkpoints/ from the repository, or train the model: python -m core train {name}"


def paths(name: str, folder: Path = CHECKPOINTS) -> tuple[Path, Path]:
    """Weights file and card of a checkpoint."""
    return folder / f"{name}.safetensors", folder / f"{name}.json"


def save(name: str, tensors: dict[str, torch.Tensor], card: dict, folder: Path = CHECKPOINTS) -> None:
    """Write weights and card. The card must have the key `architecture`; the key `sha256` is added."""
    from safetensors.torch import save as save_tensors

    folder.mkdir(parents=True, exist_ok=True)
    content = save_tensors({key: value.contiguous().cpu() for key, value in tensors.items()})
    paths(name, folder)[0].write_bytes(content)
    rewrite_card(name, {**card, "sha256": hashlib.sha256(content).hexdigest()}, folder)


def rewrite_card(name: str, card: dict, folder: Path = CHECKPOINTS) -> None:
    """Write the card without changing the weights."""
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    paths(name, folder)[1].write_text(text, encoding="utf-8")


def read_card(name: str, folder: Path = CHECKPOINTS) -> dict:
    """The card of a checkpoint. Raises CheckpointError if it is missing or unreadable."""
    card_path = paths(name, folder)[1]
    try:
        return json.loads(card_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"The card {card_path.name} is missing. {_remedy(name)}.") from None
    except ValueError as error:
        raise CheckpointError(f"The card {card_path.name} is damaged ({error}). {_remedy(name)}.") from None


def check_architecture(name: str, card: Mapping, architecture: str) -> None:
    """Raises CheckpointError unless the card names this architecture."""
    if card.get("architecture") != architecture:
        raise CheckpointError(
            f"The card of {name} names the architecture “{card.get('architecture')}”; "
            f"{name} requires “{architecture}”. {_remedy(name)}."
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
        content = weights_path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"The weights {weights_path.name} are missing. {_remedy(name)}.") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.get("sha256"):
        raise CheckpointError(
            f"{weights_path.name} is corrupted or truncated: its SHA-256 is {digest[:12]}…, but the card states "
            f"{str(card.get('sha256'))[:12]}…. {_remedy(name)}."
        )
    return load_tensors(content), card


def known_mask(card: Mapping) -> torch.Tensor:
    """Known elements listed on a card: (118,) bool."""
    import torch

    return torch.tensor([symbol in card["known_elements"] for symbol in elements.symbols()])


def load_into(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Load tensors into a module. Raises CheckpointError if keys or shapes differ."""
    counters = {key: value for key, value in module.state_dict().items() if key.endswith(_NOT_STORED)}
    try:
        module.load_state_dict({key: value.float() for key, value in tensors.items()} | counters, strict=True)
    except RuntimeError as error:
        raise CheckpointError(f"{name} does not fit this architecture: {error}. {_remedy(name)}.") from None


def to_storage(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights in float16; running statistics of batch norm in float32, because they may exceed float16's range."""
    kept = {k: v for k, v in state.items() if not k.endswith(_NOT_STORED)}
    return {k: v.float() if "running_" in k else v.half() for k, v in kept.items()}
