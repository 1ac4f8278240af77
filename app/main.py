"""Tc Studio: `streamlit run app/main.py`."""

import os
import sys
from pathlib import Path

import streamlit as st

PROJECT = str(Path(__file__).resolve().parents[1])
if PROJECT not in sys.path:  # streamlit adds the folder of this file only
    sys.path.insert(0, PROJECT)

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: its idle threads leave the cores to the runs

from app import style  # noqa: E402
from core.paths import ASSETS  # noqa: E402
from core.predictors.checkpoint import CheckpointError  # noqa: E402

ICON = str(ASSETS / "icon.svg")  # our own file: Streamlit would fetch a material symbol from the network

st.set_page_config(page_title="Tc Studio", page_icon=ICON, layout="wide")
style.apply()
# Not in a folder named "pages": on a fresh server Streamlit would run the page of a link from there, without this file.
page = st.navigation(
    [
        st.Page("views/design.py", title="Design", url_path="design", default=True),
        st.Page("views/run.py", title="Run", url_path="run"),
        st.Page("views/results.py", title="Results", url_path="results"),
        st.Page("views/runs.py", title="Past runs", url_path="runs"),
        st.Page("views/learn.py", title="Learn", url_path="learn"),
        st.Page("views/models.py", title="Models", url_path="models"),
        st.Page("views/benchmarks.py", title="Benchmarks", url_path="benchmarks"),
    ],
    position="top",
)
try:
    page.run()
except CheckpointError as error:  # its message says what to do
    st.error(str(error), icon=":material/error:")
