"""The training loop of all networks: AdamW, one-cycle schedule, averaged weights.

A resume point is stored after each epoch, so that an interrupted training can resume.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from tqdm import tqdm

from core.errors import InputError

Batch = tuple[torch.Tensor, ...]
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class FitSettings:
    """Settings of a fit. `averaging` is the decay per step of the exponential moving average of the weights."""

    epochs: int
    steps_per_epoch: int
    learning_rate: float
    weight_decay: float
    averaging: float = 0.999
    gradient_clip: float = 1.0


def fit(
    model: Network,
    batches: Callable[[int], Iterable[Batch]],
    loss: Callable[[Network, Batch], torch.Tensor],
    settings: FitSettings,
    resume: Path,
    report: Callable[[Network], dict[str, float]],
) -> Network:
    """Train `model`, on a CUDA device if there is one, and return the model with averaged weights, on the CPU.

    batches(epoch) : the batches of an epoch; they must depend on the epoch only, so that a resumed fit uses the same
    loss(model, batch) : scalar to minimise
    report(averaged model) : validation figures after each epoch, shown and logged to `resume`/log.jsonl
    resume : folder of the resume point; read if it exists

    Raises InputError if the resume point belongs to a training with other settings.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    average = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    total = settings.epochs * settings.steps_per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total, pct_start=0.15)
    first = _restore(resume, settings, model, average, optimiser, schedule)
    for epoch in range(first, settings.epochs):
        torch.manual_seed(epoch)  # dropout
        model.train()
        bar = tqdm(batches(epoch), total=settings.steps_per_epoch, desc=f"epoch {epoch + 1}/{settings.epochs}")
        running = 0.0
        for step, batch in enumerate(bar, start=1):
            optimiser.zero_grad(set_to_none=True)
            value = loss(model, tuple(part.to(device) for part in batch))
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimiser.step()
            schedule.step()
            _average(average, model, settings.averaging)
            running += (value.item() - running) / step
            if step % 20 == 0:
                bar.set_postfix(loss=f"{running:.4f}")
        figures = report(copy.deepcopy(average).cpu().eval())
        print(json.dumps({"epoch": epoch + 1, "loss": running, **figures}), flush=True)
        _store(resume, settings, epoch + 1, model, average, optimiser, schedule, {"loss": running, **figures})
    return average.cpu().eval()


@torch.no_grad()
def _average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the averaged weights and running statistics towards the current ones by 1 - decay."""
    # Floating-point tensors only: torch's AveragedModel would also average index buffers, and round them down.
    for old, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)


def _store(folder: Path, settings: FitSettings, epoch: int, model, average, optimiser, schedule, figures: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    state = optimiser.state_dict()["state"]
    tensors |= {f"optimiser.{i}.{k}": v for i, values in state.items() for k, v in values.items()}
    partial = folder / "state.partial"
    progress = {
        "epoch": str(epoch), "schedule_step": str(schedule.last_epoch), "settings": json.dumps(asdict(settings)),
    }  # fmt: skip
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


def _restore(folder: Path, settings: FitSettings, model, average, optimiser, schedule) -> int:
    """Load the resume point, if any; returns the number of finished epochs. Raises InputError as `fit` does."""
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
    average.load_state_dict(part("average."))
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in part("optimiser.").items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the schedule is stepped without its optimiser on purpose
        for _ in range(int(progress["schedule_step"])):
            schedule.step()
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return epoch
