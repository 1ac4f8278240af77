"""Words and pieces of HTML that the pages about runs share. Pure functions, but for those at the end."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app.style import formula_html
from app.summary import by_method, raised, replaced
from core.evaluation.candidate_table import Gain
from core.paths import ASSETS
from core.problem.problem import DesignProblem
from core.problem.settings import RAISE_TC, SUBSTITUTION
from core.runs.status import Phase, RunStatus

PHASES = {  # phase -> (what is shown, colour of st.badge, icon)
    Phase.QUEUED: ("waiting", "gray", ":material/hourglass_empty:"),
    Phase.RUNNING: ("running", "primary", ":material/play_arrow:"),
    Phase.SCREENING: ("screening", "primary", ":material/filter_alt:"),
    Phase.FINISHED: ("finished", "green", ":material/check:"),
    Phase.CANCELLED: ("cancelled", "gray", ":material/stop:"),
    Phase.FAILED: ("failed", "red", ":material/error:"),
    Phase.INTERRUPTED: ("interrupted", "orange", ":material/pause:"),
}


def duration(seconds: float) -> str:
    """A time in words: 8 s, 1 min 20 s, 2 h 5 min."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds % 60 else f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def title_html(problem: DesignProblem) -> str:
    """What a problem is about, in one line with subscripts."""
    base = formula_html(problem.base)
    by = by_method(problem)
    if problem.task == RAISE_TC:
        return f"Raise <i>T</i><sub>c</sub>{raised(problem, base)}{by}"
    return f"{replaced(problem, base)}{by}"


def settings_text(problem: DesignProblem) -> str:
    """The size of a problem in one line."""
    settings = problem.settings
    steps = f"{settings.steps[0]:,} + {settings.steps[1]:,} steps"
    return (
        f"{settings.candidates:,} candidates · {'drawn once' if problem.method == SUBSTITUTION else steps} · "
        f"at most {settings.max_elements} elements · seed {problem.seed}"
    )


def reasons_text(failed: Mapping[str, int], shown: int = 2) -> str:
    """Why formulas failed a screen: the most frequent reasons with their counts, the rest together."""
    ordered = sorted(failed.items(), key=lambda item: -item[1])
    if len(ordered) == 1:
        return ordered[0][0]
    parts = [f"{count:,} × {reason}" for reason, count in ordered[:shown]]
    rest = ordered[shown:]
    if rest:
        what = "another reason" if len(rest) == 1 else f"{len(rest)} other reasons"
        parts.append(f"{sum(count for _, count in rest):,} for {what}")
    return "; ".join(parts)


def funnel_html(funnel: Sequence[Mapping]) -> str:
    """The screens as rows: name, bar, how many are left, and why the others are not."""
    most = max((step["left"] for step in funnel), default=0) or 1
    rows = []
    for step in funnel:
        failed = sum(step["failed"].values())
        why = f"<b>−{failed:,}:</b> {html.escape(reasons_text(step['failed']))}" if failed else ""
        note = html.escape(step.get("note", ""))  # runs of earlier versions have none
        rows.append(
            f"<div>{html.escape(step['label'])}</div>"
            f'<div class="bar" aria-hidden="true"><i style="width:{step["left"] / most:.2%}"></i></div>'
            f'<div class="number">{step["left"]:,}</div><div class="why">{"; ".join(filter(None, (why, note)))}</div>'
        )
    return f'<div class="funnel">{"".join(rows)}</div>'


def progress_html(status: RunStatus, steps: tuple[int, int]) -> str:
    """A progress bar with the border of the two stages marked."""
    total = max(status.total_steps, 1)
    done = 1.0 if status.phase in (Phase.SCREENING, Phase.FINISHED) else min(status.step / total, 1)
    border = steps[0] / max(sum(steps), 1)
    mark = f'<u style="left:{border:.2%}"></u>' if 0 < border < 1 else ""
    first, second = ("Stage 1: raise Tc, lower energy", "Stage 2: towards whole atoms") if total > 1 else ("Draw", "")
    return (
        f'<div class="steps {status.phase}"><div class="track" role="progressbar" aria-label="Steps done" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{done * 100:.0f}">'
        f'<i style="width:{done:.2%}"></i>{mark}</div>'
        f'<div class="stages"><span style="flex:{max(border, 0.001):.4f}">{first}</span>'
        f'<span style="flex:{max(1 - border, 0.001):.4f}">{second}</span></div></div>'
    )


def top_html(top: Iterable[Mapping]) -> str:
    """The best compositions of the moment as a small table."""
    rows = "".join(
        f"<tr><td>{formula_html(row['formula'])}</td><td>{row['tc_K']:.1f}</td>"
        f"<td>{signed_number(row['formation_energy_eV_per_atom'], 3)}</td></tr>"
        for row in top
    )
    head = "<th>Composition (fractions of the atoms)</th><th>Tc (K)</th><th>Ef (eV/atom)</th>"
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def charges_html(states: Iterable[tuple[str, int]], atoms: Iterable[int]) -> str:
    """The balance of charges: element, atoms, state, charge, and the sum."""
    rows, total = "", 0
    for (symbol, state), count in zip(states, atoms, strict=True):
        charge = count * state
        total += charge
        rows += (
            f"<tr><td>{symbol}</td><td>{count}</td><td>{signed_number(state)}</td><td>{signed_number(charge)}</td></tr>"
        )
    head = "<th>Element</th><th>Atoms</th><th>State</th><th>Charge</th>"
    foot = f"<tr><td>Sum</td><td></td><td></td><td>{signed_number(total)}</td></tr>"
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody><tfoot>{foot}</tfoot></table>'


def phases_of(decomposition: str) -> list[tuple[str, float]]:
    """The text of the column `decomposition` ("0.500 La2O3 + 0.500 FeAs") -> [("La2O3", 0.5), ...]."""
    pairs = [part.split(" ", 1) for part in decomposition.split(" + ") if part]
    return [(formula, float(fraction)) for fraction, formula in pairs]


def phases_html(phases: Iterable[tuple[str, float]]) -> str:
    """Competing phases with bars for their share of the atoms."""
    rows = "".join(
        f'<div>{formula_html(formula)}</div><div class="bar" aria-hidden="true"><i style="width:{x:.2%}"></i></div>'
        f'<div class="number">{x:.1%}</div>'
        for formula, x in phases
    )
    return f'<div class="phases">{rows}</div>'


def signed_number(value: float, digits: int = 0) -> str:
    """A number with a proper minus, and a plus where whole charges are meant; zero has no sign."""
    if round(value, digits) == 0:
        return f"{0:.{digits}f}"
    sign = "−" if value < 0 else ("+" if digits == 0 else "")
    return f"{sign}{abs(value):.{digits}f}"


def styled() -> None:
    """The style sheet of the pieces; once on each page that uses them."""
    st.html(ASSETS / "pieces.css")


def judged_text(found: Gain, of_best: Gain, problem: DesignProblem) -> str:
    """How much of the gain the judge sees, of the best candidate and of the best ones together."""
    model = "chose them" if problem.method == SUBSTITUTION else "was climbed"
    others = ""
    if found.candidates > 1:
        both = f"{change_text(found.claimed_K)} and {change_text(found.judged_K)}"
        others = f" The best {found.candidates} that pass, on average: {both}."
    return (
        f"The best candidate: {change_text(of_best.claimed_K)} by the model that {model}, "
        f"{change_text(of_best.judged_K)} by the judge, a model that had no say in it.{others} "
        "What only the first sees is likely to be its error."
    )


def change_text(tc_K: float) -> str:
    """A change of Tc in words."""
    return f"{'a loss' if tc_K < 0 else 'a gain'} of {abs(tc_K):.1f} K"


def section(heading: str) -> None:
    """A heading with room around it."""
    st.html(f'<h3 class="section">{html.escape(heading)}</h3>')


def invitation(heading: str, text: str) -> None:
    """An empty page that says what to do."""
    with st.container(border=True, horizontal_alignment="center"):
        st.html(f'<div class="empty"><h2>{html.escape(heading)}</h2><p>{html.escape(text)}</p></div>')
        if st.button("Design a superconductor", type="primary", icon=":material/arrow_forward:"):
            st.switch_page("views/design.py")
        st.space("small")


def no_run(heading: str, text: str, missing: str | None) -> None:
    """An empty page where no run is to be shown; missing : id of the run that was asked for and is not there."""
    if missing is not None:
        heading = "This run is not here"
        text = f"{missing} was deleted, or made on another computer. Past runs lists those that are here."
    invitation(heading, text)


def local_zone() -> tzinfo:
    """The time zone of the browser; UTC if it does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
