"""Candidates and runs side by side, as rows of a table. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from app.text.formatting import deviation_text, signed_number
from app.text.html import TC, formula_html, table_html
from app.text.problem_text import problem_rows
from core.evaluation.headline import headline
from core.problem.problem import DesignProblem

MOST = 4  # candidates side by side


@dataclass(frozen=True)
class Compared:
    """A candidate in the comparison. run : id of its run; row : its row of the candidate table, derived columns too"""

    run: str
    row: Mapping

    @property
    def key(self) -> tuple[str, int]:
        """Identifies the candidate."""
        return self.run, int(self.row["candidate"])


def candidates_html(candidates: Sequence[Compared], names: Mapping[str, str]) -> str:
    """The candidates as columns. names : id -> name of runs"""
    rows = [each.row for each in candidates]
    head = ("", *(formula_html(row["formula"]) for row in rows))
    lines: list[tuple[str, list[str]]] = [
        ("Run", [html.escape(names.get(each.run, each.run)) for each in candidates]),
        ("Rank", [f"{row['rank']:,}" for row in rows]),
        (f"{TC} (K)", [_with_error(row, "tc_K", "tc_std_K", 1) for row in rows]),
        ("Gain (K)", [_value(row, "tc_gain_K", 1) for row in rows]),
        ("Control model (K)", [_value(row, "tc_judge_K", 1) for row in rows]),
        ("Above hull (eV/atom)", [
            _with_error(row, "energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom", 3) for row in rows
        ]),
        ("Formation energy (eV/atom)", [
            _with_error(row, "formation_energy_eV_per_atom", "formation_energy_std_eV_per_atom", 3) for row in rows
        ]),
        ("Decomposes into", [html.escape(str(row.get("decomposition") or "–")) for row in rows]),
        ("Family", [html.escape(row["family"]) for row in rows]),
        ("Nearest known", [_known(row) for row in rows]),
        ("Atoms, elements", [f"{row['n_atoms']:,}, {row['n_elements']}" for row in rows]),
        ("Screens", ["passes" if row["passes"] else html.escape(f"fails: {row['failed_screen']}") for row in rows]),
    ]  # fmt: skip
    return f'<div class="compare">{table_html(head, [(label, *cells) for label, cells in lines])}</div>'


def runs_html(runs: Sequence[tuple[str, DesignProblem, pd.DataFrame, Mapping]], known: Collection[str]) -> str:
    """Two runs as columns: the parts of their problems that differ, and what they achieved.

    runs : name, problem, candidates with derived columns, summary of each; known : the elements that all models know
    """
    described = [dict(problem_rows(problem, known)) for _, problem, _, _ in runs]
    terms = dict.fromkeys(term for each in described for term in each)
    differing = [term for term in terms if len({each.get(term) for each in described}) > 1]
    lines = [("Base", [formula_html(problem.base) for _, problem, _, _ in runs])]
    lines += [(term, [each.get(term, "–") for each in described]) for term in differing]
    found = [headline(table, summary["base"]) for _, _, table, summary in runs]
    firsts = [table[table["passes"]].head(1) for _, _, table, _ in runs]
    lines += [
        ("First candidate", [formula_html(first["formula"].iloc[0]) if len(first) else "–" for first in firsts]),
        (f"its {TC} (K)", [_with_error(f.iloc[0], "tc_K", "tc_std_K", 1) if len(f) else "–" for f in firsts]),
        ("Passing", [f"{each.passing:,}" for each in found]),
        ("Above the base", [f"{each.above_base:,}" for each in found]),
        ("By more than the error", [f"{each.above_error:,}" for each in found]),
        ("Seen by the control model", ["–" if e.confirmed is None else f"{e.confirmed:,}" for e in found]),
        ("In both runs", [f"{len(_common(runs)):,} formulas"] * len(runs)),
    ]
    head = ("", *(html.escape(name) for name, _, _, _ in runs))
    return f'<div class="compare">{table_html(head, [(label, *cells) for label, cells in lines])}</div>'


def _common(runs: Sequence[tuple[str, DesignProblem, pd.DataFrame, Mapping]]) -> set[str]:
    return set.intersection(*(set(table["formula"]) for _, _, table, _ in runs))


def _known(row: Mapping) -> str:
    if not row["nearest_known"]:
        return "–"
    return f"{formula_html(row['nearest_known'])}, {_value(row, 'nearest_known_tc_K', 1)} K"


def _with_error(row: Mapping, value: str, std: str, digits: int) -> str:
    if pd.isna(row[value]):
        return "–"
    return signed_number(float(row[value]), digits) + deviation_text(float(row[std]), digits)


def _value(row: Mapping, name: str, digits: int) -> str:
    return "–" if pd.isna(row[name]) else signed_number(float(row[name]), digits)
