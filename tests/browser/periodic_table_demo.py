"""The periodic table, three buttons and the state as text: the page that the browser tests drive."""

import json
import os
import time

import streamlit as st

from app.components.periodic_table.component import periodic_table
from app.components.periodic_table.table_state import TableState
from core.chemistry import elements

EMPTY = TableState(frozenset(), {}, frozenset())
CUPRATE = TableState(frozenset({"Pb", "Hg", "Tl", "Cd"}), {"Cu": 1.0, "O": 4.0}, frozenset())

# Made-up counts over four orders of magnitude, some of them 0.
COUNTS = {e.symbol: (e.atomic_number * 7919 % 104729) ** 2 // 10**6 for e in elements.all_elements()}

st.set_page_config(layout="wide")
st.session_state.setdefault("table_state", EMPTY)
columns = st.columns(3)
if columns[0].button("Cuprate preset"):
    st.session_state.table_state = CUPRATE
if columns[1].button("Clear"):
    st.session_state.table_state = EMPTY
columns[2].button("Just rerun")
st.session_state.runs = st.session_state.get("runs", 0) + 1
# A page that works before it draws the table, so that clicks arrive while a run is under way.
time.sleep(float(os.environ.get("DEMO_DELAY_S", "0")))
st.session_state.table_state = periodic_table(
    st.session_state.table_state,
    counts=COUNTS,
    unavailable={"Rn": "the formation-energy model does not know Rn", "Og": "no data"},
    can_substitute={"Cu", "La"},
    limits={"H": ("≥40%", "at least 0.4 of all atoms")},
    key="table",
)
state = st.session_state.table_state
shown = {
    "forbidden": sorted(state.forbidden),
    "fixed": dict(sorted(state.fixed.items())),
    "substituted": sorted(state.substituted),
}
st.text("STATE " + json.dumps(shown))
st.text(f"RUNS {st.session_state.runs}")
