"""Build `tc-reports`: the entries of SuperCon behind each known Tc, with their references."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from core.errors import InputError
from core.predictors import checkpoint
from core.predictors.packed_compositions import pack_compositions
from core.reference_data.references import pack_text
from core.reference_data.tc_reports import ARCHITECTURE, NAME, TcReport
from core.training import data


def train(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """Build and store the table; returns the card. seed, build : not used. Raises InputError if data are missing."""
    groups, counts = read_reports(folder)
    reports = [report for _, each in groups for report in each]
    references = sorted({report.reference for report in reports})
    place = {reference: i for i, reference in enumerate(references)}
    tensors = {
        **pack_compositions(np.stack([composition for composition, _ in groups])),
        "reports": torch.tensor([len(each) for _, each in groups], dtype=torch.int16),
        "numbers": torch.tensor([report.number for report in reports], dtype=torch.int32),
        "formulas": pack_text([report.formula for report in reports]),
        "tc_K": torch.tensor([report.tc_K for report in reports], dtype=torch.float32),
        "references": pack_text(references),
        "reference": torch.tensor([place[report.reference] for report in reports], dtype=torch.int16),
    }
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "what": "Reports of a measured Tc in SuperCon, with their references",
        "data": {"supercon": data.ATTRIBUTION["supercon"]},
        "cleaning": counts,
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(NAME, tensors, card, out)
    return card


def read_reports(folder: Path) -> tuple[list[tuple[np.ndarray, list[TcReport]]], dict[str, int]]:
    """The compositions (118,) of SuperCon with their reports, and the number of rows by what became of them.

    The same rows count as in `data.read_superconductors`. Raises InputError if the file is missing.
    """
    groups: dict[tuple, tuple[np.ndarray, list[TcReport]]] = {}
    counts: Counter = Counter()
    for row in data.supercon_rows(folder, counts):
        try:
            composition = data.record_composition(row["element"])
        except InputError:
            counts["SuperCon: formula cannot be read"] += 1
            continue
        _, reports = groups.setdefault(data.composition_key(composition), (composition, []))
        reference = " ".join(row["journal"].split())
        reports.append(TcReport(int(row["num"]), row["element"], float(row["tc"]), reference))
    counts["reports"] = sum(len(reports) for _, reports in groups.values())
    counts["reports without a reference"] = sum(not r.reference for _, reports in groups.values() for r in reports)
    counts["compositions"] = len(groups)
    return list(groups.values()), dict(counts)
