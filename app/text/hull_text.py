"""Sentences about distances to the convex hull. Pure functions."""

from __future__ import annotations

from app.text.formatting import signed_number
from core.chemistry.families import OTHER
from core.evaluation.hull_context import HullContext


def composition_model_text(context: HullContext, formula: str) -> str:
    """What the composition model says of a formula, beside the hull by the potential."""
    above, error = signed_number(context.above_hull_eV_per_atom, 2), f"{context.std_eV_per_atom:.2f}"
    return f"By the composition model, {formula} is {above} ± {error} eV/atom above the hull."


def relatives_text(context: HullContext, of: str = "the base") -> str:
    """Where this model puts the known superconductors that are most like the base. of : what the context is of"""
    if not context.relatives:
        return f"No known superconductor is like {of}, so the hull of this model cannot be compared with compounds."
    family = "" if context.family == OTHER else f"{context.family} "
    kind = f"{family}superconductor{'s' if len(context.relatives) > 1 else ''}"
    text = f"Known: the {len(context.relatives)} {kind} most like {of}. All have been made"
    if context.band is None:
        return f"{text}."
    low, median, high = (signed_number(value, 2) for value in context.band)
    return (
        f"{text}, yet this model puts 80% of them between {low} and {high} eV/atom above the hull (shaded; dotted: the "
        f"median, {median}). By this number alone, a candidate in this range is no more doubtful than they are."
    )


def band_text(context: HullContext) -> str:
    """The same in a few words; empty without a band."""
    if context.band is None:
        return ""
    low, _, high = (signed_number(value, 2) for value in context.band)
    return f"known compounds like it: {low} to {high}"


WHICH_HULL = (
    "**Two hulls.** The one by the potential (CHGNet) is of this structure: relaxed, beside the relaxed structures of "
    "the known compounds of its elements, of up to 20 atoms in the cell, and of up to 40 those that are stable. The "
    "other is by the composition model, which knows no structure: in the table and the tab Stability of a candidate, "
    "and on the page Predict. Believe the potential for an ordered compound with a relaxed structure of a known "
    "prototype; its distance is an upper limit, since a better structure may exist. Believe the composition model for "
    "doped formulas, where the structure is only one ordered arrangement or the parent, and where the potential has "
    "not converged. Where the two differ by more than 0.1 eV/atom, neither is settled. The potential has learnt "
    "Materials Project's compounds, and neither knows temperature or, without one given, pressure."
)
