"""What is known of a candidate's composition: as a superconductor, as a compound, and the nearest superconductor."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from app import cached_data
from app.results.candidate_card.reports import reports
from app.text.html import formula_html
from core.chemistry.composition import compositions
from core.chemistry.conventional_formula import conventional_formula

DISTANCE_NOTE = (
    "Distances are earth mover's distances in steps on the Mendeleev-number scale, on which chemically similar "
    "elements are neighbours: all atoms moved by one place make 1 step. NaCl and KCl differ by 0.5 steps."
)


def novelty(row: pd.Series) -> None:
    """Known or not, and the nearest known superconductor. row : of the candidate table"""
    phase = cached_data.known_phase(row["formula"])
    known = row["known"] or bool(phase)
    text = " ".join(filter(None, (superconductor_text(row), compound_text(phase, bool(row["known"])))))
    if text:
        st.html(f"<p>{text}</p>")
    if row["nearest_known"] and not row["known"]:
        st.html(f"<p>{nearest_text(row)}</p>")
        st.caption(DISTANCE_NOTE)
    elif not known and not row["nearest_known"]:
        st.caption("The nearest known superconductor is searched only for formulas that pass every screen.")
    if row["nearest_known"]:
        reports(row["nearest_known"])


def superconductor_text(row: pd.Series) -> str:
    """Whether the composition is a known superconductor; empty if this was not tested."""
    if row["known"]:
        return f"Known superconductor: {written(row)}, {reported(row)}"
    return "Not among the known superconductors." if row["nearest_known"] else ""


def compound_text(phase: str, known_superconductor: bool) -> str:
    """Whether the composition is that of a reference phase. phase : its formula, empty if there is none"""
    if phase:
        return (
            f"Listed compound: {formula_html(phase)} is in the Materials Project, which also lists calculated "
            "compounds that nobody has made."
        )
    return "" if known_superconductor else "No compound of the Materials Project has this composition."


def nearest_text(row: pd.Series) -> str:
    """The nearest known superconductor, its distance, and how many atoms differ."""
    exchanged = differing(row["formula"], row["nearest_known"])
    return (
        f"Nearest known superconductor: {written(row)}, distance {row['distance_to_known']:.2f} steps; "
        f"{exchanged:.0%} of the atoms differ. Its {reported(row)}"
    )


def reported(row: pd.Series) -> str:
    """The reported Tc of the nearest known superconductor with the ranges of all reports, and the caveat about it."""
    ranges = f", the median of {row['nearest_known_ranges']}" if "–" in row["nearest_known_ranges"] else ""
    caveat = f" {html.escape(row['nearest_known_caveat'])}" if row["nearest_known_caveat"] else ""
    return f"reported Tc {row['nearest_known_tc_K']:.1f} K{ranges}.{caveat}"


def written(row: pd.Series) -> str:
    """The nearest known superconductor as HTML; runs of earlier versions have it as its source writes it."""
    return formula_html(conventional_formula(row["nearest_known"]))


def differing(one: str, other: str) -> float:
    """The fraction of the atoms that two formulas do not share: half the sum of the differences of their fractions."""
    a, b = compositions([one, other])
    return float(abs(a - b).sum() / 2)
