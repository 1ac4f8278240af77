"""Reference tables, built by `python -m core train references`: the hull's phases, known superconductors, frequencies.

They are one checkpoint like any other: `checkpoints/references.safetensors` and its card, verified when loaded.
Compositions are stored as flat lists of elements and amounts with offsets; formulas as one run of UTF-8 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch

from core.chemistry import elements
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.ensemble import SpreadScale
from core.screening.convex_hull import Hull
from core.screening.novelty import KnownSuperconductors

NAME = "references"
ARCHITECTURE = "reference-tables-v2"


@dataclass(frozen=True)
class References:
    """What the app looks up.

    phase_formulas, phase_compositions (n, 118), phase_energies : what a candidate may decompose into, and for each
        formation-energy predictor its own energies (n,) in eV/atom, NaN where it does not know an element
    known_formulas, known_compositions (m, 118), known_tc_K (m,), known_reports (m,) : superconductors with measured Tc
    frequencies : (118,) in how many known superconductors each element occurs
    training_counts : (118,) in how many compositions of the Tc model's data (with the COD) each element occurs
    hull_error_scales : for a predictor that is an ensemble, the error of its hull distances by their spread (eV/atom)
    """

    phase_formulas: tuple[str, ...]
    phase_compositions: np.ndarray
    phase_energies: Mapping[str, np.ndarray]
    known_formulas: tuple[str, ...]
    known_compositions: np.ndarray
    known_tc_K: np.ndarray
    known_reports: np.ndarray
    frequencies: np.ndarray
    training_counts: np.ndarray
    hull_error_scales: Mapping[str, SpreadScale]

    def hull(self, predictor: str) -> Hull:
        """The hull with the energies of this formation-energy predictor, built once.

        A candidate and what it competes with must err in the same way. Raises CheckpointError for a predictor whose
        energies are not there.
        """
        if predictor not in self.phase_energies:
            raise checkpoint.CheckpointError(
                f"The reference tables hold no energies of {predictor}, only of {', '.join(self.phase_energies)}. "
                f"Build them again: python -m core train {NAME}."
            )
        if predictor not in self._hulls:
            energies = self.phase_energies[predictor]
            below = energies < 0  # the elements, at 0, beat all others
            formulas = tuple(f for f, b in zip(self.phase_formulas, below, strict=True) if b)
            self._hulls[predictor] = Hull(self.phase_compositions[below], energies[below], formulas)
        return self._hulls[predictor]

    @cached_property
    def _hulls(self) -> dict[str, Hull]:
        return {}

    @cached_property
    def known_superconductors(self) -> KnownSuperconductors:
        """The known superconductors, ready for nearest-neighbour questions."""
        return KnownSuperconductors(self.known_compositions, self.known_tc_K, self.known_reports, self.known_formulas)


def pack_compositions(compositions: np.ndarray) -> dict[str, torch.Tensor]:
    """(n, 118) -> flat non-zero entries: element (uint8), fraction (float64), count per row (uint8)."""
    row, column = np.nonzero(compositions)
    return {
        "element": torch.from_numpy(column.astype(np.uint8)),
        "fraction": torch.from_numpy(compositions[row, column]),
        "count": torch.from_numpy(np.bincount(row, minlength=len(compositions)).astype(np.uint8)),
    }


def unpack_compositions(tensors: dict[str, torch.Tensor]) -> np.ndarray:
    """The inverse of `pack_compositions`: (n, 118) float64, to the last digit."""
    count = tensors["count"].numpy().astype(np.int64)
    compositions = np.zeros((len(count), elements.N_ELEMENTS))
    row = np.repeat(np.arange(len(count)), count)
    compositions[row, tensors["element"].numpy()] = tensors["fraction"].numpy()
    return compositions


def pack_text(lines: Sequence[str]) -> torch.Tensor:
    """Lines as one run of UTF-8 bytes."""
    return torch.from_numpy(np.frombuffer("\n".join(lines).encode(), dtype=np.uint8).copy())


def unpack_text(content: torch.Tensor) -> tuple[str, ...]:
    """The inverse of `pack_text`."""
    return tuple(content.numpy().tobytes().decode().split("\n"))


@cache
def load_references(folder: Path = CHECKPOINTS) -> References:
    """The tables, loaded once per process. Raises CheckpointError."""
    tensors, card = checkpoint.load(NAME, ARCHITECTURE, folder)

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    return References(
        phase_formulas=unpack_text(tensors["phases.formulas"]),
        phase_compositions=unpack_compositions(part("phases.")),
        phase_energies={name: e.numpy().astype(np.float64) for name, e in part("energies.").items()},
        known_formulas=unpack_text(tensors["known.formulas"]),
        known_compositions=unpack_compositions(part("known.")),
        known_tc_K=tensors["known.tc_K"].numpy().astype(np.float64),
        known_reports=tensors["known.reports"].numpy().astype(np.int64),
        frequencies=tensors["frequencies"].numpy().astype(np.float64),
        training_counts=tensors["training_counts"].numpy().astype(np.int64),
        hull_error_scales={name: SpreadScale(**scale) for name, scale in card.get("hull_error_scale", {}).items()},
    )
