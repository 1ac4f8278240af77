"""Hold the cards to the truth: every held-out figure again, from the weights and the raw data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.predictors import checkpoint
from core.training import control_model, formation_energy, references, tc, tc_ensemble

_BELOW = ": "  # between the name of a group and the name of what is in it
TOLERANCE = 1e-3  # relative; sums in another order, on another processor, may move one compound across a threshold

# Shares of some thousand compositions, of models that are fitted anew: on another processor trees come out a little
# different, which moves a share by up to 0.006 (AVX2 and AVX-512), errors and R2 by less than TOLERANCE.
FITTED_ANEW, SHARE_TOLERANCE = f"systems_held_out{_BELOW}inside_intervals", 0.01

# name -> held_out_figures(checkpoint's name, folder of the raw data, folder of the checkpoints)
EVALUATED: dict[str, Callable[[str, Path, Path], dict]] = {
    tc.NAME: tc.held_out_figures,
    tc_ensemble.NAME: tc_ensemble.held_out_figures,
    control_model.NAME: control_model.held_out_figures,
    "references": references.held_out_figures,
    **dict.fromkeys(formation_energy.RECIPES, formation_energy.held_out_figures),
}


@dataclass(frozen=True)
class Figure:
    """One figure of a card (None: the card lacks it), and the same computed now (None: there is no such figure)."""

    name: str
    on_card: float | None
    found: float | None

    @property
    def agrees(self) -> bool:
        """Whether the card tells the truth, within TOLERANCE, or SHARE_TOLERANCE for what is FITTED_ANEW."""
        if self.on_card is None or self.found is None:
            return False
        allowed = SHARE_TOLERANCE if self.name.startswith(FITTED_ANEW) else TOLERANCE * abs(self.found)
        return abs(self.on_card - self.found) <= allowed


def evaluate(name: str, data_folder: Path, checkpoints: Path) -> list[Figure]:
    """Each held-out figure of a card beside the same figure found now. Raises CheckpointError, InputError."""
    on_card = flat(checkpoint.read_card(name, checkpoints).get("metrics_held_out", {}))
    found = flat(EVALUATED[name](name, data_folder, checkpoints))
    return [Figure(key, on_card.get(key), found.get(key)) for key in dict.fromkeys([*found, *on_card])]


def write(name: str, figures: list[Figure], checkpoints: Path) -> None:
    """Put the figures found into the card, in their groups."""
    found: dict = {}
    for figure in figures:
        if figure.found is not None:
            *groups, last = figure.name.split(_BELOW)
            inner = found
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[last] = figure.found
    checkpoint.rewrite_card(name, checkpoint.read_card(name, checkpoints) | {"metrics_held_out": found}, checkpoints)


def flat(figures: Mapping, above: str = "") -> dict[str, float]:
    """Figures in groups -> one level, the groups' names before the figures': {"by_family: cuprate: n": 3}."""
    found = {}
    for key, value in figures.items():
        name = f"{above}{_BELOW}{key}" if above else key
        found |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return found
