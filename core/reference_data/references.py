"""Reference tables: phases of the convex hull, known superconductors, element frequencies.

`python -m core train references` builds them. They are stored as a checkpoint, `checkpoints/references.safetensors` and
its card, and verified when loaded. Compositions are stored as flat lists of elements and fractions, formulas as UTF-8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.ensemble import SpreadScale
from core.predictors.packed_compositions import unpack_compositions
from core.screening.convex_hull import Hull
from core.screening.known_phases import KnownPhases
from core.screening.novelty import KnownSuperconductors

NAME = "references"
ARCHITECTURE = "reference-tables-v3"


@dataclass(frozen=True)
class References:
    """The reference tables.

    phase_formulas, phase_compositions (n, 118), phase_energies : phases into which a candidate may decompose, and the
        energies (n,) in eV/atom by each formation-energy predictor, NaN for a phase with an unknown element
    calculated_energies (n,) : the energies in eV/atom that the Materials Project calculated, NaN where a phase is not
        in the part of it from which predictors learn
    known_formulas, known_compositions (m, 118), known_tc_K (m,), known_reports (m,) : superconductors with measured Tc
        and the number of reports of each
    known_ranges (m) : the ranges into which the reports of each fall, with their counts, as text
    frequencies : (118,) number of known superconductors that contain each element
    training_counts : (118,) number of compositions in the data of the Tc models (with COD) that contain each element
    hull_error_scales : name of a predictor that is an ensemble -> expected error of its distances to the hull, as a
        function of the spread of its members (eV/atom)
    """

    phase_formulas: tuple[str, ...]
    phase_compositions: np.ndarray
    phase_energies: Mapping[str, np.ndarray]
    calculated_energies: np.ndarray
    known_formulas: tuple[str, ...]
    known_compositions: np.ndarray
    known_tc_K: np.ndarray
    known_reports: np.ndarray
    known_ranges: tuple[str, ...]
    frequencies: np.ndarray
    training_counts: np.ndarray
    hull_error_scales: Mapping[str, SpreadScale]

    def hull(self, predictor: str) -> Hull:
        """The convex hull for energies of this formation-energy predictor, built once.

        Phases have their calculated energies, where the predictor learnt them, and its own energies elsewhere; the card
        of the tables compares that with a hull of its own energies alone. Raises CheckpointError if the tables hold no
        energies of this predictor.
        """
        if predictor not in self.phase_energies:
            raise checkpoint.CheckpointError(
                f"The reference tables hold no energies of {predictor}, only of {', '.join(self.phase_energies)}. "
                f"Build them again: python -m core train {NAME}."
            )
        if predictor not in self._hulls:
            self._hulls[predictor] = self._hull(self.phase_energies[predictor], self.calculated_energies)
        return self._hulls[predictor]

    def hull_of_predicted_energies(self, predictor: str) -> Hull:
        """As `hull`, with the energies of the predictor alone. Raises KeyError if the tables hold none of it."""
        predicted = self.phase_energies[predictor]
        return self._hull(predicted, np.full(len(predicted), np.nan))

    def _hull(self, predicted: np.ndarray, calculated: np.ndarray) -> Hull:
        energies = np.where(np.isnan(predicted) | np.isnan(calculated), predicted, calculated)
        below = energies < 0  # a phase above 0 decomposes into the elements; excludes NaN
        formulas = tuple(f for f, b in zip(self.phase_formulas, below, strict=True) if b)
        return Hull(self.phase_compositions[below], energies[below], formulas, ~np.isnan(calculated[below]))

    @cached_property
    def _hulls(self) -> dict[str, Hull]:
        return {}

    @property
    def superconducting_compositions(self) -> np.ndarray:
        """Compositions (n, 118) of the known superconductors with a Tc above 0."""
        return self.known_compositions[self.known_tc_K > 0]

    @cached_property
    def known_superconductors(self) -> KnownSuperconductors:
        """The known superconductors, prepared for nearest-neighbour search."""
        return KnownSuperconductors(
            self.known_compositions, self.known_tc_K, self.known_reports, self.known_formulas, self.known_ranges
        )

    @cached_property
    def known_phases(self) -> KnownPhases:
        """The reference phases of the hull, whatever their energy, indexed by composition."""
        return KnownPhases(self.phase_compositions, self.phase_formulas)


def pack_text(lines: Sequence[str]) -> torch.Tensor:
    """Lines as UTF-8 with newlines between them: (bytes,) uint8."""
    return torch.from_numpy(np.frombuffer("\n".join(lines).encode(), dtype=np.uint8).copy())


def unpack_text(content: torch.Tensor) -> tuple[str, ...]:
    """The inverse of `pack_text`."""
    return tuple(content.numpy().tobytes().decode().split("\n"))


@cache
def load_references(folder: Path = CHECKPOINTS) -> References:
    """The tables, loaded once per process. Raises CheckpointError."""
    tensors, card = checkpoint.load(NAME, ARCHITECTURE, folder)
    with checkpoint.refusing_what_does_not_fit(NAME):
        return _tables(tensors, card)


def _tables(tensors: Mapping[str, torch.Tensor], card: Mapping) -> References:
    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    return References(
        phase_formulas=unpack_text(tensors["phases.formulas"]),
        phase_compositions=unpack_compositions(part("phases.")),
        phase_energies={name: e.numpy().astype(np.float64) for name, e in part("energies.").items()},
        calculated_energies=tensors["phases.calculated_energies"].numpy().astype(np.float64),
        known_formulas=unpack_text(tensors["known.formulas"]),
        known_compositions=unpack_compositions(part("known.")),
        known_tc_K=tensors["known.tc_K"].numpy().astype(np.float64),
        known_reports=tensors["known.reports"].numpy().astype(np.int64),
        known_ranges=unpack_text(tensors["known.ranges"]),
        frequencies=tensors["frequencies"].numpy().astype(np.float64),
        training_counts=tensors["training_counts"].numpy().astype(np.int64),
        hull_error_scales={name: SpreadScale(**scale) for name, scale in card.get("hull_error_scale", {}).items()},
    )
