"""Generated crystals as rows: those that have passed most steps first, with where the others are lost. No Streamlit."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from app.structures.listed import Listed, space_group_text
from app.text.formatting import formula_text
from core.structures.diffusion import folder as samples
from core.structures.diffusion import funnel
from core.structures.diffusion.funnel import STEPS, VALID, FunnelSettings, Row
from core.structures.files import read_cif
from core.structures.structure_models import StructureProperties
from core.structures.symmetry import space_group_of

_LAST = len(STEPS)
LIKELIHOOD = ("template", "denoising_error")  # columns of samples.csv for samples of a formula
WAITS = "not screened yet"


def crystals(folder: Path) -> list[Row]:
    """The rows of the crystals with a valid structure: screened ones, the best first, then those not screened yet.

    Those that pass have the highest Tc first; of a formula, that of the lowest energy above hull. Of those not screened
    that comes first in which the network errs least, if they have the symmetry of prototypes: among others this order
    finds fewer known structures than chance does.
    """
    samples = {row["number"]: row for row in _samples(folder) if row["cif"]}
    screened = [
        {name: samples[row["number"]].get(name, "") for name in LIKELIHOOD} | row if row["number"] in samples else row
        for row in funnel.read(folder)
    ]
    done = {row["number"] for row in screened}
    waiting = [row | {"lost_at": "", "reason": WAITS if screened else ""} for number, row in samples.items()
               if number not in done]  # fmt: skip
    best = sorted((row for row in screened if row["lost_at"] != VALID), key=_order)
    return best + sorted(waiting, key=_error_of_symmetric)


def _error_of_symmetric(row: Row) -> float:
    """The error of the network on a crystal with the symmetry of a prototype; infinite for others."""
    return (_number(row.get("denoising_error", "")) or math.inf) if row.get("template") else math.inf


def _samples(folder: Path) -> list[Row]:
    path = folder / samples.TABLE
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _order(row: Row) -> tuple[float, ...]:
    """Those that pass first, by Tc; then by the step at which they are lost."""
    passed = _LAST if not row["lost_at"] else STEPS.index(row["lost_at"])
    above = _number(row["energy_above_hull_eV_per_atom"])
    of_formula = bool(row.get("denoising_error"))  # which only samples of a formula have
    goal = -(_number(row["tc_structure_K"]) or 0.0) if not of_formula else math.inf if above is None else above
    return -passed, goal, int(row["number"])


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """One row per crystal, as displayed."""
    return pd.DataFrame([_shown(row) for row in rows])


def _shown(row: Row) -> dict[str, object]:
    group = row["space_group"]
    shown: dict[str, object] = {
        "number": int(row["number"]),
        "formula": formula_text(row["formula"]),
        "space_group": space_group_text(int(group)) if group else "",
        "n_atoms": int(row["n_atoms"]) if row["n_atoms"] else None,
    }
    if row.get("denoising_error"):
        shown |= {"template": row["template"], "denoising_error": float(row["denoising_error"])}
    if row.get("known") == "true":
        shown |= {"known": True}
    if row["reason"] == WAITS:
        shown |= {"outcome": WAITS}
    if "tc_structure_K" in row:
        shown |= {
            "tc_structure_K": _number(row["tc_structure_K"]),
            "above_hull": _number(row["energy_above_hull_eV_per_atom"]),
            "formation_energy": _number(row["formation_energy_eV_per_atom"]),
            "outcome": f"{funnel.label_of(row['lost_at'])}: {row['reason']}" if row["lost_at"] else "passes",
        }
    return shown


def funnel_steps(rows: Sequence[Row], settings: FunnelSettings) -> list[dict]:
    """The steps of the funnel as `app.results.funnel.funnel_html` takes them."""
    reasons: dict[str, Counter] = {step: Counter() for step in STEPS}
    for row in rows:
        if row["lost_at"]:
            reasons[row["lost_at"]][funnel.kind_of_reason(row, settings)] += 1
    return [
        {"screen": step, "label": funnel.label_of(step, settings), "left": left, "failed": dict(reasons.get(step, {}))}
        for step, left in funnel.counts(rows)
    ]


def listed(folder: Path, row: Row) -> Listed:
    """The crystal of a row: relaxed where it was, else as made. Raises OSError, and InputError for a damaged CIF."""
    name = row["cif"] or f"{samples.CIF}/{int(row['number']):07d}-{row['formula']}.cif"
    structure = read_cif((folder / name).read_text(encoding="utf-8"), name)
    properties = None
    if row.get("metal_probability"):
        tc_K = _number(row["tc_structure_K"])
        properties = StructureProperties(float(row["metal_probability"]), math.nan if tc_K is None else tc_K)
    group = int(row["space_group"]) if row["space_group"] else space_group_of(structure)
    relaxed = "relaxed by CHGNet" if name.startswith(funnel.CIF) else "not relaxed"
    origin = f"number {row['number']}, generated by diffusion, {relaxed}"
    done = row | {"pressure_GPa": ""} if row.get("relaxation") else None
    return Listed(
        structure, row["formula"], group, int(row["number"]), properties=properties, origin=origin, relaxed=done
    )


def _number(text: str) -> float | None:
    return float(text) if text else None
