"""One candidate as files to take home: JSON, a row of a LaTeX table, BibTeX. Pure functions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime

from app.text.formatting import AMOUNT

_LATEX_COLUMNS = "Formula & $T_\\mathrm{c}$ (K) & Above hull (eV/atom) & $E_\\mathrm{f}$ (eV/atom) & Nearest known"
_METHOD = """@article{fujii2025kiago,
  author  = {Fujii, Akihiro and Lu, Anh Khoa Augustin and Shimizu, Koji and Watanabe, Satoshi},
  title   = {A straightforward gradient-based approach for designing superconductors with high critical temperature:
             exploiting domain knowledge via adaptive constraints},
  journal = {Digital Discovery},
  year    = {2025},
  volume  = {4},
  pages   = {3662},
  doi     = {10.1039/d5dd00250h}
}
"""


def candidate_json(row: Mapping[str, object], run_id: str) -> str:
    """All columns of a candidate and the id of its run as a JSON object; missing values are null."""
    content = {"run": run_id} | {name: _plain(value) for name, value in row.items()}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def latex_row(row: Mapping[str, object]) -> str:
    """A row of a LaTeX table, after a comment with its columns."""
    known = f"{latex_formula(str(row['nearest_known']))} ({_number(row['nearest_known_tc_K'], 1)} K)"
    cells = (
        latex_formula(str(row["formula"])),
        _with_error(row["tc_K"], row["tc_std_K"], 1),
        _with_error(row["energy_above_hull_eV_per_atom"], row["energy_above_hull_std_eV_per_atom"], 3),
        _with_error(row["formation_energy_eV_per_atom"], row["formation_energy_std_eV_per_atom"], 3),
        known if row["nearest_known"] else "--",
    )
    return f"% {_LATEX_COLUMNS} \\\\\n{' & '.join(cells)} \\\\\n"


def latex_formula(formula: str) -> str:
    """A formula with its amounts as subscripts: La$_{1.85}$Sr$_{0.15}$CuO$_{4}$."""
    return AMOUNT.sub(r"$_{\1}$", formula)


def bibtex(row: Mapping[str, object], run_id: str, created: datetime, version: str) -> str:
    """The candidate as a prediction of its run, and the paper of the method."""
    key = re.sub(r"[^A-Za-z0-9]", "", f"{row['formula']}{created:%Y}")
    tc = _with_error(row["tc_K"], row["tc_std_K"], 1)
    return (
        f"@misc{{{key},\n"
        f"  title        = {{{latex_formula(str(row['formula']))}: predicted composition,\n"
        f"                  $T_\\mathrm{{c}}$ = {tc} K}},\n"
        f"  author       = {{{{{f'Tc Studio {version}'.strip()}}}}},\n"
        f"  howpublished = {{Run {run_id.replace('_', chr(92) + '_')}, rank {row['rank']}}},\n"
        f"  year         = {{{created:%Y}}},\n"
        f"  note         = {{A prediction by a model, not a measurement}}\n"
        f"}}\n\n{_METHOD}"
    )


def _with_error(value: object, std: object, digits: int) -> str:
    number = _number(value, digits)
    return number if _missing(std) or _missing(value) else f"{number} $\\pm$ {_number(std, digits)}"


def _number(value: object, digits: int) -> str:
    if _missing(value):
        return "--"
    text = f"{float(value):.{digits}f}"  # ty: ignore[invalid-argument-type]
    return f"${text}$" if text.startswith("-") else text


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("<NA>", "nan")


def _plain(value: object) -> object:
    """A value as JSON has it."""
    if _missing(value):
        return None
    item = getattr(value, "item", None)
    return item() if callable(item) else value
