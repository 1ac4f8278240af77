"""The base material: task, formula, what is known and predicted about it, and the sites of a substitution."""

from __future__ import annotations

import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.design.base_proposals import base_proposals, charge_rule_offer
from app.design.draft_fields import segments, select
from app.design.problem_errors import Errors
from app.design.substitution import substitution
from app.state.draft import Draft
from app.state.draft_changes import with_base, with_task
from app.text.formatting import deviation_text, signed_number, with_minus
from app.text.html import TC, fact_html, formula_html
from app.text.hull_text import band_text
from core.chemistry.composition_series import is_series
from core.chemistry.formula_reader import read_members
from core.evaluation.hull_context import HullContext
from core.problem.settings import RAISE_TC, SUBSTITUTE

TASKS = {RAISE_TC: "Raise Tc", SUBSTITUTE: "Substitute"}


def material(draft: Draft, errors: Errors) -> None:
    """Task, base and, for a substitution, what is replaced by what."""
    task, base = st.columns([1, 2], gap="medium")
    with task:
        segments("Task", "task", draft.task, TASKS, with_task, format_func=TASKS.get, required=True, width="stretch")
    with base:
        base_field(draft)
        if not is_series(draft.base) or not errors["base"]:
            show_errors(errors["base"])
    if errors["base"]:
        base_proposals(draft, errors["base"])
    else:
        st.html(base_facts_html(draft))
        charge_rule_offer(draft)
    if draft.task == SUBSTITUTE:
        substitution(draft, errors)


def base_field(draft: Draft) -> None:
    """The searchable list of known superconductors, which accepts any other formula too."""
    materials, labels = cached_data.known_superconductors().materials, cached_data.labels()
    select(
        "Base material", "base", draft.base, materials, with_base,
        format_func=lambda formula: labels.get(formula, formula), accept_new_options=True,
        help=f"{len(materials):,} known superconductors, the most reported first; or enter any other formula, or a "
        "series: La2-xSrxCuO4, x = 0..0.3 in 7 steps",
    )  # fmt: skip


def base_facts_html(draft: Draft) -> str:
    """The base as it was understood, its measured Tc, and its predictions."""
    reading = read_members(draft.base)[0].reading
    amounts = reading.amounts
    total = sum(amounts.values())
    parts = "".join(f"<span><b>{symbol}</b> {amount / total:.3f}</span>" for symbol, amount in amounts.items())
    tc = cached_data.predict(draft.models.tc, draft.base)
    energy = with_minus(f"{cached_data.predict(draft.models.formation_energy, draft.base):.2f} eV")
    facts = (
        reported_html(draft.base),
        fact_html(f"{TC} predicted", f"{tc:.1f} K", "by the chosen model"),
        fact_html("<i>E</i><sub>f</sub> predicted", energy, "per atom"),
        above_hull_html(cached_data.hull_context(draft.models.formation_energy, draft.base)),
    )
    return (
        f'<div class="facts"><div class="parsed">{formula_html(reading.read_as)}<div class="parts">{parts}</div></div>'
        f"{''.join(facts)}</div>"
    )


def above_hull_html(context: HullContext) -> str:
    """The distance of the base to the hull, and those of known compounds that are like it."""
    std = context.std_eV_per_atom
    value = signed_number(context.above_hull_eV_per_atom, 2) + deviation_text(std, 2)
    return fact_html("Above hull, predicted", f"{value} eV", "; ".join(filter(None, ("per atom", band_text(context)))))


def reported_html(formula: str) -> str:
    """The measured Tc and the number of reports."""
    found = cached_data.reported(formula)
    if found is None:
        return fact_html(f"{TC} reported", "–", "not in the list of known superconductors")
    kelvin, count = found
    note = f"median of {count} reports" if count > 1 else "one report"
    return fact_html(f"{TC} reported", f"{kelvin:.1f} K", note)
