"""The resume point of a training: a folder with weights, averaged weights and the state of the optimiser."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from core.errors import InputError


def store(
    folder: Path, settings: Any, epoch: int, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer,
    figures: dict[str, float],
) -> None:  # fmt: skip
    """Store the state after `epoch` epochs, and add the figures to log.jsonl. settings : a dataclass"""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    if average is not model:
        tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    state = optimiser.state_dict()["state"]
    tensors |= {f"optimiser.{i}.{k}": v for i, values in state.items() for k, v in values.items()}
    partial = folder / "state.partial"
    progress = {"epoch": str(epoch), "settings": json.dumps(asdict(settings))}
    save_file({k: v.clone().contiguous() for k, v in tensors.items()}, partial, metadata=progress)
    (folder / "progress.json.partial").write_text(json.dumps(progress))
    # Two renames: if the process is killed between them, one epoch is repeated, and no two epochs are mixed.
    partial.replace(folder / f"state-{epoch}.safetensors")
    (folder / "progress.json.partial").replace(folder / "progress.json")
    for old in folder.glob("state-*.safetensors"):
        if old.name != f"state-{epoch}.safetensors":
            old.unlink()
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps({"epoch": epoch, **figures}) + "\n")


def restore(folder: Path, settings: Any, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Load the resume point, if any; returns the number of finished epochs.

    Raises InputError if it belongs to a training with other settings.
    """
    if not (folder / "progress.json").exists():
        return 0
    progress = json.loads((folder / "progress.json").read_text())
    if progress.get("settings") != json.dumps(asdict(settings)):
        raise InputError(
            "resume point", folder, "it belongs to a training with other settings", "Remove this folder and train again"
        )
    epoch = int(progress["epoch"])
    tensors = load_file(folder / f"state-{epoch}.safetensors")

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

    model.load_state_dict(part("model."))
    if average is not model:
        average.load_state_dict(part("average."))
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in part("optimiser.").items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return epoch
