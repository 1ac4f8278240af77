"""Sentences about distances to the convex hull. Pure functions."""

from __future__ import annotations

from app.text.formatting import signed_number
from core.chemistry.families import OTHER
from core.evaluation.hull_context import HullContext


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
