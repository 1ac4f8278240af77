"""The screening funnel as HTML: how many formulas each screen left, and why the others failed. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence


def funnel_html(funnel: Sequence[Mapping]) -> str:
    """One row per screen: name, bar, number of formulas left, and the reasons of the others.

    funnel : the steps of a stored summary, see `core.evaluation.funnel.FunnelStep`
    """
    most = max((step["left"] for step in funnel), default=0) or 1
    return f'<div class="funnel">{"".join(_row_html(step, step["left"] / most) for step in funnel)}</div>'


def _row_html(step: Mapping, share: float) -> str:
    failed = sum(step["failed"].values())
    reasons = f"<b>−{failed:,}:</b> {html.escape(reasons_text(step['failed']))}" if failed else ""
    note = html.escape(step.get("note", ""))  # missing in runs of earlier versions
    return (
        f"<div>{html.escape(step['label'])}</div>"
        f'<div class="bar" aria-hidden="true"><i style="width:{share:.2%}"></i></div>'
        f'<div class="number">{step["left"]:,}</div><div class="why">{"; ".join(filter(None, (reasons, note)))}</div>'
    )


def reasons_text(failed: Mapping[str, int], shown: int = 2) -> str:
    """The most frequent reasons with their counts, and the other reasons together. failed : reason -> count"""
    ordered = sorted(failed.items(), key=lambda item: -item[1])
    if len(ordered) == 1:
        return ordered[0][0]
    parts = [f"{count:,} × {reason}" for reason, count in ordered[:shown]]
    rest = ordered[shown:]
    if rest:
        others = "another reason" if len(rest) == 1 else f"{len(rest)} other reasons"
        parts.append(f"{sum(count for _, count in rest):,} for {others}")
    return "; ".join(parts)
