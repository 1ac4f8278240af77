"""Tc Studio: `streamlit run app/main.py`."""

import os
import sys
from pathlib import Path

import streamlit as st

PROJECT = str(Path(__file__).resolve().parents[1])
if PROJECT not in sys.path:  # Streamlit adds only the folder of this file
    sys.path.insert(0, PROJECT)

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported: idle threads leave the cores to runs

from app.blocks import guarded, style_sheet  # noqa: E402
from app.components.chart_files.component import chart_files  # noqa: E402
from core.paths import ASSETS  # noqa: E402
from core.structures.diffusion import names  # noqa: E402

ICON = str(ASSETS / "icon.svg")  # a local file: Streamlit would load a material symbol from the network

st.set_page_config(page_title="Tc Studio", page_icon=ICON, layout="wide")
style_sheet()
# The folder must not be named "pages": for a link to a page, a fresh server would run the file in it without this one.
page = st.navigation(
    [
        st.Page("views/design.py", title="Design", default=True),
        st.Page("views/run.py", title="Run", url_path="run"),
        st.Page("views/results.py", title="Results", url_path="results"),
        st.Page("views/runs.py", title="Past runs", url_path="runs"),
        st.Page("views/campaigns.py", title="Campaigns", url_path="campaigns"),
        st.Page("views/library.py", title="Library", url_path="library"),
        st.Page("views/predict.py", title="Predict", url_path="predict"),
        st.Page("views/structures.py", title="Structures", url_path="structures"),
        *([st.Page("views/generate.py", title="Generate", url_path="generate")] if names.are_trained() else []),
        st.Page("views/learn.py", title="Learn", url_path="learn"),
        st.Page("views/models.py", title="Models", url_path="models"),
        st.Page("views/benchmarks.py", title="Benchmarks", url_path="benchmarks"),
    ],
    position="top",
)
guarded(page.run)()  # a missing model, a damaged run, a full disk: the message helps
chart_files()
