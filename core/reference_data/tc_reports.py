"""Reports of a measured Tc: what stands in SuperCon about a composition, with the reference of each value.

`python -m core train tc-reports` builds the table. The models and `References` use the median of the reports of a
composition; this table shows them one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.packed_compositions import unpack_compositions
from core.reference_data.references import unpack_text
from core.screening.known_phases import KnownPhases

NAME = "tc-reports"
ARCHITECTURE = "tc-reports-v1"


@dataclass(frozen=True)
class TcReport:
    """One report.

    number : of the entry in SuperCon
    formula : as written there
    tc_K : measured Tc
    reference : journal, volume, year and page, as written there; empty if it is not given
    """

    number: int
    formula: str
    tc_K: float
    reference: str


class TcReports:
    """The reports by composition.

    compositions : (n, 118), one row for each composition; counts : (n,) number of its reports
    reports : of all compositions, those of the first one first
    """

    def __init__(self, compositions: np.ndarray, counts: np.ndarray, reports: tuple[TcReport, ...]):
        self._places = KnownPhases(compositions, [str(row) for row in range(len(compositions))])
        self._ends, self._counts, self._reports = np.cumsum(counts), counts, reports

    def __len__(self) -> int:
        """Number of reports."""
        return len(self._reports)

    def of(self, formula: str) -> tuple[TcReport, ...]:
        """The reports of a formula's composition, the highest Tc first; none: empty. Raises InputError."""
        (place,) = self._places.same_as(composition_vector(parse_formula(formula))[None])
        if not place:
            return ()
        end = int(self._ends[int(place)])
        found = self._reports[end - int(self._counts[int(place)]) : end]
        return tuple(sorted(found, key=lambda report: (-report.tc_K, report.number)))


@cache
def load_tc_reports(folder: Path = CHECKPOINTS) -> TcReports:
    """The table, loaded once per process. Raises CheckpointError."""
    tensors, _ = checkpoint.load(NAME, ARCHITECTURE, folder)
    with checkpoint.refusing_what_does_not_fit(NAME):
        return _table(tensors)


def _table(tensors: Mapping[str, torch.Tensor]) -> TcReports:
    references = unpack_text(tensors["references"])
    columns = (
        tensors["numbers"].tolist(), unpack_text(tensors["formulas"]), tensors["tc_K"].tolist(),
        [references[place] for place in tensors["reference"].tolist()],
    )  # fmt: skip
    reports = tuple(TcReport(n, f, round(t, 3), r) for n, f, t, r in zip(*columns, strict=True))
    counts = tensors["reports"].numpy().astype(np.int64)
    return TcReports(unpack_compositions(tensors), counts, reports)
