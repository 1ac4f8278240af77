"""A run on one page: an HTML file that needs nothing else, for a printer or a colleague. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from app.exports.scatter_svg import scatter_svg
from app.results.funnel import funnel_html
from app.results.summary_text import headline_html
from app.text.formatting import deviation_text, formula_text, signed_number
from app.text.html import TC, definition_list_html, formula_html, table_html
from app.text.problem_text import problem_rows
from app.text.problem_title import settings_text, title_html
from core.evaluation.headline import headline
from core.problem.problem import DesignProblem

ROWS = 15  # candidates in the table
_STYLE = """
:root { --quiet: #58625f; --line: #dcdfdd; --accent: #0f6e6e; }
body { font: 14px/1.4 sans-serif; color: #1b211f; background: #fff; max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.2rem 0 0.4rem; } p { margin: 0.3rem 0; }
sub { font-size: 0.72em; line-height: 0; } .quiet { color: var(--quiet); }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0.2rem 0.9rem; margin: 0; } dt { color: var(--quiet); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: 0.15rem 0 0.15rem 0.8rem; }
th { color: var(--quiet); font-weight: 400; } td { border-top: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; } svg { width: 100%; height: auto; }
.funnel { display: grid; grid-template-columns: max-content 8rem max-content 1fr; gap: 0.2rem 0.8rem; align-items: center; }
.funnel .bar { height: 10px; background: #eee; } .funnel .bar i { display: block; height: 100%; background: var(--accent); }
.funnel .number { text-align: right; } .funnel .why { color: var(--quiet); font-size: 0.85em; }
@media print { body { margin: 0; font-size: 11px; } }
"""  # noqa: E501


@dataclass(frozen=True)
class Reported:
    """What the report is about. name : of the run, or empty; created : its date as text; version : of the program"""

    run_id: str
    name: str
    created: str
    version: str
    device: str


def run_report(
    about: Reported, problem: DesignProblem, table: pd.DataFrame, summary: Mapping, known: Collection[str]
) -> str:
    """The problem, the headline, the chart, the best candidates and the funnel of a run as one HTML document.

    table : all candidates by rank, with derived columns; known : the elements that all models know
    """
    base_tc_K = summary["base"]["tc_K"]
    passing = table[table["passes"]]
    name = f"{html.escape(about.name)} · " if about.name else ""
    found = headline(table, summary["base"])
    parts = [
        f"<h1>{name}{title_html(problem)}</h1>",
        f'<p class="quiet">{html.escape(settings_text(problem))} · {html.escape(about.created)} · run '
        f"{html.escape(about.run_id)} · Tc Studio {html.escape(about.version)} on {html.escape(about.device)}</p>",
        f"<p>{headline_html(found, problem.base, base_tc_K) or 'No candidate passes every screen.'}</p>",
        f"<h2>Problem</h2>{definition_list_html(problem_rows(problem, known))}",
    ]
    if passing["energy_above_hull_eV_per_atom"].notna().any():
        base = (formula_text(problem.base), base_tc_K)
        parts.append(f"<h2>Candidates</h2>{scatter_svg(passing, base, caption(about, problem, len(passing)))}")
    if len(passing):
        parts.append(_best(passing.head(ROWS)))
    parts.append(f"<h2>Screening</h2>{funnel_html(summary['funnel'])}")
    parts.append('<p class="quiet">All values are predictions by models, not measurements. A composition has no '
                 "structure: polymorphs, pressure and synthesis are outside the scope.</p>")  # fmt: skip
    title = html.escape(about.name or f"Tc Studio, {problem.base}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"</head><body>{''.join(parts)}</body></html>\n"
    )


def caption(about: Reported, problem: DesignProblem, candidates: int) -> str:
    """The caption of the chart as plain text."""
    return (
        f"Predicted Tc against predicted energy above hull of {candidates:,} candidates of the run {about.run_id} "
        f"(base {problem.base}, Tc Studio {about.version}). Open circles: known superconductors. Step line: Pareto "
        "front. Dashed line: the base. Predictions by models, not measurements."
    )


def _best(rows: pd.DataFrame) -> str:
    head = ("Formula", f"{TC} (K)", "Control model (K)", "Above hull (eV/atom)", "Nearest known")
    lines = [
        (
            formula_html(row["formula"]),
            f"{row['tc_K']:.1f}{deviation_text(row['tc_std_K'], 1)}",
            "–" if pd.isna(row["tc_judge_K"]) else f"{row['tc_judge_K']:.1f}",
            "–" if pd.isna(row["energy_above_hull_eV_per_atom"]) else
            signed_number(row["energy_above_hull_eV_per_atom"], 3)
            + deviation_text(row["energy_above_hull_std_eV_per_atom"], 3),
            f"{formula_html(row['nearest_known'])} ({row['nearest_known_tc_K']:.1f} K)" if row["nearest_known"] else "",
        )
        for _, row in rows.iterrows()
    ]  # fmt: skip
    return f"<h2>The best {len(rows)} that pass, by Tc minus its error</h2>{table_html(head, lines)}"
