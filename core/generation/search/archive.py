"""The best formulas that a search has found, ordered by their score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR
from core.generation.interface import ArchiveReport, Candidates, Report
from core.generation.search.formula_space import FormulaSpace
from core.generation.search.scoring import Scorer, Values
from core.screening.composition_distance import exchanged_share


@dataclass(frozen=True)
class Limit:
    """Largest number of formulas of one kind, which is the set of their elements of at least this fraction.

    share : 0: all elements; 0.15: those that make up the structure
    """

    most: int
    share: float = 0.0

    def within(self, counts: np.ndarray) -> np.ndarray:
        """Rows (n, 118) in order of preference -> whether fewer than `most` earlier ones are of the same kind: (n,)."""
        main = (counts > 0) & (counts >= self.share * counts.sum(1, keepdims=True))
        seen: dict[bytes, int] = {}
        within = np.zeros(len(counts), dtype=bool)
        for row, key in enumerate(np.packbits(main, axis=1)):
            before = seen.get(key.tobytes(), 0)
            seen[key.tobytes()] = before + 1
            within[row] = before < self.most
        return within


@dataclass(frozen=True)
class Archive:
    """Formulas (n, 118) in lowest terms, their values, and their scores (n,) in K, descending."""

    counts: np.ndarray
    values: Values
    score: np.ndarray

    @classmethod
    def empty(cls) -> Archive:
        """No formulas."""
        nothing = np.zeros(0)
        return cls(
            np.zeros((0, elements.N_ELEMENTS), dtype=np.int64), Values(nothing, nothing, nothing, nothing), nothing
        )

    def __len__(self) -> int:
        return len(self.counts)

    def merged(
        self, counts: np.ndarray, scorer: Scorer, most: int, limit: Limit | None = None, whole: bool = True
    ) -> Archive:
        """The best `most` of this archive and new distinct formulas (m, 118).

        limit : largest number of formulas of one kind; None: no limit
        whole : whether the values that are kept are those of the whole ensembles

        The quick score decides which formulas get the values of the whole ensembles, whose score decides what is kept.
        """
        known = {row.tobytes() for row in self.counts}
        counts = counts[[row.tobytes() not in known for row in counts]] if known else counts
        if not len(counts):
            return self
        quick = scorer.score(scorer.quick(counts))
        worst = self.score[-1] if len(self) >= most else -np.inf
        order = np.argsort(-quick, kind="stable")
        counts = counts[order[np.isfinite(quick[order]) & (quick[order] > worst - MARGIN_K)]]
        if not len(counts):
            return self
        values = scorer.full(counts) if whole else scorer.on_hull(counts, scorer.quick(counts))
        score = scorer.score(values)
        together = Archive(
            np.concatenate([self.counts, counts]),
            Values(*(np.concatenate(pair) for pair in zip(self.values, values, strict=True))),
            np.concatenate([self.score, score]),
        )
        return together.best(most, limit)

    def best(self, most: int, limit: Limit | None = None) -> Archive:
        """The best `most` formulas with a finite score within the limit."""
        order = np.argsort(-self.score, kind="stable")
        order = order[np.isfinite(self.score[order])]
        if limit is not None:
            order = order[limit.within(self.counts[order])]
        order = order[:most]
        return Archive(self.counts[order], self.values[order], self.score[order])

    def without(self, composition: np.ndarray) -> Archive:
        """The archive without the formulas of a composition (118,), which is no proposal if it is that of the base."""
        fractions = self.counts / self.counts.sum(1, keepdims=True)
        others = exchanged_share(fractions, composition) > ROUNDING_ERROR
        return Archive(self.counts[others], self.values[others], self.score[others])

    def padded(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Counts (rows, 118) int64 and the values and the score (rows, 5); zeros and NaN as padding."""
        counts = torch.zeros(rows, elements.N_ELEMENTS, dtype=torch.int64)
        numbers = torch.full((rows, 5), float("nan"), dtype=torch.float64)
        counts[: len(self)] = torch.from_numpy(self.counts)
        numbers[: len(self)] = torch.from_numpy(np.stack([*self.values, self.score], axis=1))
        return counts, numbers

    @classmethod
    def from_padded(cls, counts: torch.Tensor, numbers: torch.Tensor) -> Archive:
        """The inverse of `padded`."""
        rows = counts.cpu().numpy().sum(1) > 0
        columns = numbers.cpu().numpy()[rows].T
        return cls(counts.cpu().numpy()[rows], Values(*columns[:4]), columns[4])

    def report(self, step: int, stage: int, rows: int, tested: int, space: FormulaSpace) -> Report:
        """Report of the archive with `rows` rows; NaN beyond its length. Its best formulas are without the base.

        tested : formulas so far, see `ArchiveReport`
        """
        counts, numbers = self.padded(rows)
        composition = counts.double() / counts.sum(1, keepdim=True).clamp_min(1)
        loss = torch.where(counts.sum(1) > 0, 0.0, torch.nan)
        tc, energy = numbers[:, 0].float(), numbers[:, 2].float()
        best = self.without(space.base).best(REPORTED)
        archive = ArchiveReport(
            amounts=space.rounded(best.counts).amounts,
            objective_K=best.score,
            tc_K=best.values.tc_K,
            error_K=best.values.error_K,
            formation_energy_eV_per_atom=best.values.formation_energy_eV_per_atom,
            tested=tested,
        )
        return Report(step, stage, composition.float(), tc, energy, loss.float(), 0, archive)

    def candidates(self, total: int, space: FormulaSpace) -> Candidates:
        """The archive without the base, as the result of a search with room for `total` formulas."""
        proposals = self.without(space.base)
        rounded = space.rounded(proposals.counts)
        return Candidates(
            total=total,
            rounded=rounded,
            number=np.arange(len(proposals)),
            composition=rounded.compositions,
            tc_K=proposals.values.tc_K,
            formation_energy_eV_per_atom=proposals.values.formation_energy_eV_per_atom,
            integer_loss=np.zeros(len(proposals)),
            lost={BASE_ITSELF: len(self) - len(proposals), EMPTY: total - len(self)},
            exchanged=0,
            restarts=0,
        )


REPORTED = 30  # best formulas in a report
MARGIN_K = 1.0  # how far the quick score may be below the worst kept one: the members differ by about 0.05 eV/atom
BASE_ITSELF = "the base itself is no proposal"
EMPTY = "the search found fewer formulas that keep all conditions"
