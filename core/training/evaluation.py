"""Check of the model cards: every held-out figure is recomputed from the weights and the raw data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.predictors import checkpoint
from core.training import registry

_SEPARATOR = ": "  # between the name of a group and the name of a figure in it
TOLERANCE = 1e-3  # relative; another order of summation, on another processor, may move a compound across a threshold

# Shares of some thousand compositions by models that are fitted again for the evaluation: on another processor the
# trees differ slightly, which changes a share by up to 0.006 (AVX2 and AVX-512), errors and R2 by less than TOLERANCE.
REFITTED, SHARE_TOLERANCE = f"systems_held_out{_SEPARATOR}inside_intervals", 0.01
# Groups of these compositions, by distance or by predicted value, some of which then move to another group.
GROUPS = tuple(f"systems_held_out{_SEPARATOR}{name}" for name in ("interval_90", "superconducting_probability"))
GROUP_TOLERANCE = 0.03  # relative
# Shares of some hundred or thousand samples, which are others on a processor that rounds differently: four standard
# errors of a share of 1,000.
_SAMPLED = ("unconditional", "held_out_formulas", "held_out_formulas_symmetric")
SAMPLES, SAMPLES_TOLERANCE = tuple(f"{name}{_SEPARATOR}" for name in _SAMPLED), 0.06


@dataclass(frozen=True)
class Figure:
    """A figure on a card (None: not on the card), and its computed value (None: not computed)."""

    name: str
    on_card: float | None
    found: float | None

    @property
    def agrees(self) -> bool:
        """Whether both are the same within TOLERANCE, or SHARE_TOLERANCE for shares by REFITTED models,
        GROUP_TOLERANCE for GROUPS of them, or SAMPLES_TOLERANCE for SAMPLES.
        """
        if self.on_card is None or self.found is None:
            return False
        allowed = TOLERANCE * abs(self.found)
        if self.name.startswith(REFITTED):
            allowed = SHARE_TOLERANCE
        elif self.name.startswith(GROUPS):
            allowed = max(SHARE_TOLERANCE, GROUP_TOLERANCE * abs(self.found))
        elif self.name.startswith(SAMPLES):
            allowed = SAMPLES_TOLERANCE
        return abs(self.on_card - self.found) <= allowed


def evaluate(name: str, data_folder: Path, checkpoints: Path) -> list[Figure]:
    """Each held-out figure of a card beside its computed value.

    Raises CheckpointError for a missing or invalid checkpoint, InputError if the raw data are missing.
    """
    on_card = flat(checkpoint.read_card(name, checkpoints).get("metrics_held_out", {}))
    found = flat(registry.held_out_figures(name, data_folder, checkpoints))
    return [Figure(key, on_card.get(key), found.get(key)) for key in dict.fromkeys([*found, *on_card])]


def evaluate_samples(name: str, data_folder: Path, checkpoints: Path, build: Path) -> list[Figure]:
    """Each figure of samples on a card beside its computed value. build : folder of the resume points

    Raises CheckpointError for a missing or invalid checkpoint, InputError if the raw data are missing or for a model
    that is not sampled.
    """
    found = flat(registry.sample_figures(name, data_folder, checkpoints, build))
    on_card = flat(checkpoint.read_card(name, checkpoints).get("samples", {}))
    return [Figure(key, on_card.get(key), found.get(key)) for key in dict.fromkeys([*found, *on_card])]


def write(name: str, figures: list[Figure], checkpoints: Path, part: str = "metrics_held_out") -> None:
    """Write the computed figures into a part of the card, in their groups."""
    found: dict = {}
    for figure in figures:
        if figure.found is not None:
            *groups, last = figure.name.split(_SEPARATOR)
            inner = found
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[last] = figure.found
    checkpoint.rewrite_card(name, checkpoint.read_card(name, checkpoints) | {part: found}, checkpoints)


def flat(figures: Mapping, above: str = "") -> dict[str, float]:
    """Nested figures -> one level, with the names of the groups in the keys: {"by_family: cuprate: n": 3}."""
    found = {}
    for key, value in figures.items():
        name = f"{above}{_SEPARATOR}{key}" if above else key
        found |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return found
