"""The progress of a run as HTML: the bar, the legend of the charts, the best compositions. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from app.text.formatting import deviation_text, largest_amounts, signed_number, with_minus
from app.text.html import formula_html, table_html
from core.generation.schedule import Schedule
from core.runs.status import Phase, RunStatus


def progress_bar_html(status: RunStatus, schedule: Schedule) -> str:
    """A progress bar with the boundaries between the stages marked, and their labels."""
    total = max(status.total_steps, 1)
    done = 1.0 if status.phase in (Phase.SCREENING, Phase.FINISHED) else min(status.step / total, 1)
    shares = [stage.steps / max(schedule.steps, 1) for stage in schedule.stages]
    borders = [end / max(schedule.steps, 1) for end in schedule.ends[:-1]]
    marks = "".join(f'<u style="left:{border:.2%}"></u>' for border in borders if 0 < border < 1)
    labels = zip(shares, schedule.stages, strict=True)
    stages = "".join(f'<span style="flex:{max(x, 0.001):.4f}">{escape(stage.label)}</span>' for x, stage in labels)
    return (
        f'<div class="steps {status.phase}"><div class="track" role="progressbar" aria-label="Steps done" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{done * 100:.0f}">'
        f'<i style="width:{done:.2%}"></i>{marks}</div><div class="stages">{stages}</div></div>'
    )


def top_html(top: Iterable[Mapping], heading: str = "Composition (fractions of the atoms)") -> str:
    """The best compositions as a table. top : with the keys of `core.runs.run.Run.top`; heading : of the formulas"""
    rows = (
        (formula_html(row["formula"]), f"{row['tc_K']:.1f}", signed_number(row["formation_energy_eV_per_atom"], 3))
        for row in top
    )
    return table_html((heading, "Tc (K)", "Ef (eV/atom)"), rows)


def samples_html(samples: Iterable[Mapping], most: int) -> str:
    """Samples at several steps as a table. samples : rows of `core.runs.run.Run.samples`; most : elements of a formula

    There is at least one row.
    """
    rows = [dict(row) for row in samples]
    names = [name for name in rows[0] if name != "step"]
    cells = ([str(row["step"]), *(_sample_html(row[name], most) for name in names)] for row in rows)
    return table_html(("Step", *(name.capitalize() for name in names)), cells)


def _sample_html(formula: str, most: int) -> str:
    return formula_html(largest_amounts(formula, most)) if formula else "no formula"


def archive_top_html(top: Iterable[Mapping]) -> str:
    """The best formulas of a search as a table. top : as in the records of a search, see `Run.top`"""
    rows = (
        (
            formula_html(row["formula"]),
            f"{row['tc_K']:.1f}{deviation_text(row['tc_std_K'], 1)}",
            with_minus(f"{row['gain_K']:+.1f}"),
            signed_number(row["formation_energy_eV_per_atom"], 3),
            "known" if row["known"] else "new",
        )
        for row in top
    )
    return table_html(("Formula", "Tc (K)", "Above the base (K)", "Ef (eV/atom)", "SuperCon"), rows)


def archive_legend_html() -> str:
    """The legend of the charts of a search."""
    return (
        '<div class="legend"><span><i class="best"></i>best</span><span><i class="median"></i>median (objective: '
        'mean)</span><span><i class="band"></i>5–95% of the formulas kept</span><span>whole formulas that pass every '
        "screen; objective: Tc less κ times its error and α times the energy</span></div>"
    )


def legend_html(cycle: int) -> str:
    """The legend of the progress charts. cycle : number of steps that predictions are averaged over"""
    mean = f"; Tc and energy: mean of {cycle} steps, one for each ensemble member" if cycle > 1 else ""
    return (
        '<div class="legend"><span><i class="best"></i>best</span><span><i class="median"></i>median</span>'
        f'<span><i class="band"></i>5–95% of the candidates</span><span>before rounding{mean}</span></div>'
    )
