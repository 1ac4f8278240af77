"""The examples of the design page: files in assets/examples, each with the label that the menu shows."""

from __future__ import annotations

import streamlit as st

from core.paths import ASSETS

LABELS = {  # name of the file -> label; the menu has this order
    "1-raise-tc-of-LaFeAsO": "LaFeAsO: raise Tc",
    "3-cuprate-with-CuO2-kept": "HgBa₂Ca₂Cu₃O₈: raise Tc, Cu and O fixed",
    "4-hydride": "H₃S: raise Tc, at least 40% H",
    "6-gdmcd-from-known-superconductors": "GDMCD: known superconductors, towards 300 K",
    "2-replace-La-in-LaFeAsO": "LaFeAsO: replace La by another +3",
    "5-replace-La-and-O-in-LaFeAsO": "LaFeAsO: replace La +3 by +2, and O −2 by −1",
    "7-Ti2O4-to-X2O3": "Ti₂O₄ → X₂O₃: replace both Ti +4 by +3, remove one O −2",
}


@st.cache_data(show_spinner=False)
def examples() -> dict[str, str]:
    """Example problems: label -> JSON text."""
    return {label: (ASSETS / "examples" / f"{name}.json").read_text(encoding="utf-8") for name, label in LABELS.items()}
