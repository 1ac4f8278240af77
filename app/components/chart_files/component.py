"""The Streamlit component that adds PNG, SVG and CSV to every chart: buttons in the bar that appears over it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).parent

# Registered once, when the module is imported: registering in every script run would warn and reload the script.
_component = st.components.v2.component(
    "tc_studio_chart_files", js=(_FOLDER / "chart_files.js").read_text(encoding="utf-8")
)


def chart_files() -> None:
    """Let the browser add the buttons to the charts of this page; draws nothing itself. Once per page."""
    with st.container(key="chart_files"):
        _component(key="chart-files.script")
