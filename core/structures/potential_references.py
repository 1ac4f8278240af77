"""Energies of known compounds by the interatomic potential, computed beforehand for known superconductors.

The checkpoint `potential-references` may be missing: energies are then computed when they are needed.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.structures.interatomic import CHGNET

NAME = "potential-references"
ARCHITECTURE = "potential-references-v2"  # v2: the choice of structures of `potential_hull.VERSION` 2


@cache
def load_potential_references(folder: Path = CHECKPOINTS) -> Mapping[str, float | None]:
    """Formula in lowest terms -> energy in eV/atom, None where no structure could be relaxed; empty if not computed.

    Raises CheckpointError for a damaged checkpoint, and for one of another potential.
    """
    if not checkpoint.paths(NAME, folder)[1].exists():
        return {}
    tensors, card = checkpoint.load(NAME, ARCHITECTURE, folder)
    if card.get("potential") != CHGNET:
        raise checkpoint.CheckpointError(
            f"The card of {NAME} names another potential. Build it again: python -m core train {NAME}."
        )
    with checkpoint.refusing_what_does_not_fit(NAME):
        names = zlib.decompress(tensors["formulas"].numpy().tobytes()).decode().split("\n")
        energies = tensors["energies_eV_per_atom"].double().tolist()
        return {name: None if math.isnan(e) else e for name, e in zip(names, energies, strict=True)}
