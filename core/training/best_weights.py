"""The weights of the best epoch of a training, kept in the folder of its resume point."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

VALIDATION_LOSS = "validation_loss"  # the figure by which epochs are compared


class BestWeights:
    """The weights with the lowest validation loss of a training; called with the network after each epoch."""

    def __init__(self, folder: Path, figures: Callable[[nn.Module], dict[str, float]]):
        """figures : figures of a network, among them "validation_loss" """
        self._file, self._figures = folder / "best.safetensors", figures
        self.loss = float("inf")
        if self._file.exists():
            with safe_open(self._file, "pt") as stored:
                self.loss = json.loads(stored.metadata()[VALIDATION_LOSS])

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The figures of the weights after an epoch."""
        found = self._figures(network)
        if found[VALIDATION_LOSS] < self.loss:
            self.loss = found[VALIDATION_LOSS]
            self._file.parent.mkdir(parents=True, exist_ok=True)
            tensors = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
            partial_file = self._file.with_suffix(".partial")
            save_file(tensors, partial_file, {VALIDATION_LOSS: json.dumps(self.loss)})
            partial_file.replace(self._file)
        return found

    def load_into(self, network: nn.Module) -> None:
        """Give a network, on the CPU, these weights."""
        network.load_state_dict(load_file(self._file))


def training_log(resume: Path, every: int) -> dict[str, dict[str, float]]:
    """Figures by epoch, of the first, each `every`-th, and the best epoch."""
    lines = (resume / "log.jsonl").read_text(encoding="utf-8").splitlines()
    log = {each.pop("epoch"): each for each in map(json.loads, lines)}
    best = min(log, key=lambda epoch: log[epoch][VALIDATION_LOSS])
    chosen = {f"{epoch}": log[epoch] for epoch in log if epoch == 1 or epoch % every == 0}
    return chosen | {f"best: {best}": log[best]}
