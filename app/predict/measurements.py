"""A chemist's own measurements on the page Predict: they correct the predictions near them, and can be left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.state.synced_widgets import synced_key, widget_callback
from app.text.formatting import deviation_text, formula_text
from core.errors import InputError
from core.evaluation.measured_correction import NOISE_K, corrected
from core.runs.measurements import Measurement, measurements, read_rows, store

TEXT, IN_USE = "predict.measured", "predict.measured_in_use"
ERROR, REFUSED = "predict.measured_error", "predict.measured_refused"  # why rows were not stored, and these rows
MOST_FORMULAS = 200  # of the page that are compared
LEAST_CHANGE_K = 0.1  # below it a formula of the page is not listed


def own_measurements(formulas: list[str], tc_model: str) -> None:
    """The section, closed until it is opened. formulas : those of the page, as read"""
    with st.expander("Your own measurements", icon=":material/science:", key="predict.measurements"):
        st.caption(
            "Measured Tc correct the predictions near them: a Gaussian process on the difference between measured and "
            "predicted Tc, with the kernel of the app's own regression over compositions. How far the model gives way "
            f"depends on the error that it expects itself; a measurement counts as ± {NOISE_K:g} K. Runs, files and "
            "the table above keep the predictions of the model."
        )
        try:
            kept = measurements()
        except InputError as error:
            show_errors([error])
            return
        left, right = st.columns([1, 1.6], gap="large")
        with left:
            rows_field(kept)
            in_use_field(kept)
        with right:
            effect(kept, formulas, tc_model)


def rows_field(kept: Mapping[str, Measurement]) -> None:
    """The rows as text. A change is stored at once, or the reason why it cannot be."""
    text = "\n".join(f"{formula}, {each.tc_K:g}" for formula, each in kept.items())
    text = st.session_state.get(REFUSED, text)
    key = synced_key(TEXT, text)
    st.text_area(
        "One row each: formula, Tc in K", text, key=key, height=200, on_change=rows_changed, args=(key,),
        placeholder="LaFeAsO0.9F0.1, 26\nMgB2, 39",
        help="Paste two columns of a table; an empty field removes all. Kept with the runs, for everyone who uses this "
             "folder of runs.",
    )  # fmt: skip
    st.button("Save", key="predict.measured_save")  # leaving the field sends the text
    if error := st.session_state.get(ERROR):
        show_errors([error])


def in_use_field(kept: Mapping[str, Measurement]) -> None:
    """The formulas that are in use; a click leaves one out, or takes it back."""
    if not kept:
        return
    used = [formula for formula, each in kept.items() if each.in_use]
    key = synced_key(IN_USE, used)
    st.pills("In use; click to leave out", list(kept), selection_mode="multi", default=used, key=key,
             format_func=formula_text, on_change=in_use_changed, args=(key,))  # fmt: skip


@widget_callback
def rows_changed(key: str) -> None:
    """Callback: store the rows; what was left out stays so."""

    def changed() -> dict[str, Measurement]:
        before, rows = measurements(), read_rows(st.session_state[key])
        left_out = {formula for formula, each in before.items() if not each.in_use}
        return {formula: Measurement(each.tc_K, formula not in left_out) for formula, each in rows.items()}

    _store(changed)
    if ERROR in st.session_state:
        st.session_state[REFUSED] = st.session_state[key]


@widget_callback
def in_use_changed(key: str) -> None:
    """Callback: store which rows are in use."""
    chosen = st.session_state[key]
    _store(lambda: {formula: Measurement(each.tc_K, formula in chosen) for formula, each in measurements().items()})


def _store(changed: Callable[[], dict[str, Measurement]]) -> None:
    for name in (ERROR, REFUSED):
        st.session_state.pop(name, None)
    try:
        store(changed())
    except InputError as error:  # a StorageError is one too
        st.session_state[ERROR] = error


def effect(kept: Mapping[str, Measurement], formulas: list[str], tc_model: str) -> None:
    """Before and after, for the measured formulas and for those of the page that change."""
    used = {formula: each.tc_K for formula, each in kept.items() if each.in_use}
    if not kept:
        st.info("Without measurements the predictions are those of the model.", icon=":material/info:")
        return
    try:
        rows = comparison(tuple(used.items()), tuple(kept), tc_model)
        others = [formula for formula in dict.fromkeys(formulas) if formula not in kept][:MOST_FORMULAS]
        near = comparison(tuple(used.items()), tuple(others), tc_model)
    except InputError as error:
        show_errors([error])
        return
    st.markdown("**Measured formulas**")
    st.table(shown(rows, {formula: each.tc_K for formula, each in kept.items()}), border="horizontal")
    changed = near[(near["corrected_tc_K"] - near["tc_K"]).abs() >= LEAST_CHANGE_K]
    if len(others):
        st.markdown(
            f"**Formulas of this page**: {len(changed)} of {len(others)} change by {LEAST_CHANGE_K:g} K or more"
        )
    if len(changed):
        st.table(shown(changed, {}), border="horizontal")


@st.cache_data(show_spinner=False, max_entries=200)
def comparison(measured: tuple[tuple[str, float], ...], formulas: tuple[str, ...], tc_model: str) -> pd.DataFrame:
    """See `core.evaluation.measured_correction.corrected`. Raises InputError."""
    return corrected(cached_data.predictor(tc_model), dict(measured), formulas)


def shown(table: pd.DataFrame, measured_tc_K: Mapping[str, float]) -> pd.DataFrame:
    """The rows as text: formula, measured Tc if there is any, the model before and after the correction, in K."""
    rows = {}
    for row in table.itertuples():
        cells = {"Measured (K)": f"{measured_tc_K[row.formula]:.1f}"} if measured_tc_K else {}
        rows[formula_text(row.formula)] = cells | {
            "Model (K)": f"{row.tc_K:.1f}{deviation_text(row.tc_std_K, 1)}",
            "Corrected (K)": f"{row.corrected_tc_K:.1f}{deviation_text(row.corrected_tc_std_K, 1)}",
            "Change (K)": f"{row.corrected_tc_K - row.tc_K:+.1f}".replace("-", "−"),
        }
    return pd.DataFrame.from_dict(rows, orient="index")
