"""The input of the page Predict: formulas as text or as a CSV file, and the settings."""

from __future__ import annotations

import streamlit as st

from app.predict import session_query
from app.predict.query import Query
from app.state.synced_widgets import current_key, replaced_key, synced_key, widget_callback
from core.predictors.registry import MODEL_SETS
from core.problem.settings import EVERY_ATOM, ONE_STATE

CHARGE_RULES = {ONE_STATE: "one per element", EVERY_ATOM: "one per atom"}
MAX_UPLOAD_MB = 20
_UPLOAD = "predict.upload"
EXAMPLES = {
    "Known superconductors": "MgB2\nYBa2Cu3O7\nLaFeAsO0.9F0.1\nNb3Sn\nLaH10",
    "A doping series": "La2-xSrxCuO4, x = 0..0.3 in 13 steps",
    "Names and gaps": "YBCO\nBi2212\nYBa2Cu3O7-d\nmgb2\nBa(Fe,Co)2As2",
}


def formula_input(query: Query) -> None:
    """All fields."""
    if query.file is None:
        text_field(query)
    else:
        file_name(query.file[0])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if query.file is None:
            st.button("Predict", type="primary", key="predict.go")  # leaving the field sends the text
        else:
            st.button("Enter formulas instead", key="predict.no_file", on_click=session_query.change,
                      kwargs={"file": None, "replaced": {}})  # fmt: skip
        examples_menu()
        file_menu()
        with st.popover("Settings", type="tertiary"):
            settings_fields(query)


def text_field(query: Query) -> None:
    """The formulas as text."""
    key = synced_key("predict.text", query.text)
    st.text_area(
        "Formulas", value=query.text, key=key, height=140, on_change=session_query.change_from_widget,
        args=(key, "text"),
        placeholder="YBa2Cu3O7\nBa0.6K0.4Fe2As2, LaH10\nLa2-xSrxCuO4, x = 0..0.3 in 7 steps",
        help="One formula in a line, or several with commas between them. A series gives one row for each value of "
             "its variable, and a chart.",
    )  # fmt: skip


def examples_menu() -> None:
    """Texts to start from."""
    key = current_key("predict.examples")
    st.menu_button("Examples", list(EXAMPLES), key=key, on_click=load_example, args=(key,), type="tertiary")


def file_menu() -> None:
    """The upload of a CSV file."""
    key = current_key(_UPLOAD)
    with st.popover("CSV file", type="tertiary", key=f"{key}.menu"):  # a new one, and closed, after an upload
        st.file_uploader(
            "CSV file with formulas", type=["csv", "txt", "tsv"], key=key, on_change=upload, args=(key,),
            max_upload_size=MAX_UPLOAD_MB,
            help="The column named formula is read, or else the first one; the other columns are kept.",
        )  # fmt: skip


def file_name(name: str) -> None:
    """The name of the CSV file that is read in place of the text."""
    st.markdown(f":material/table: `{name.replace('`', '')}`")


@widget_callback
def load_example(key: str) -> None:
    """Callback of the examples menu."""
    if st.session_state[key]:
        session_query.change(text=EXAMPLES[st.session_state[key]], file=None, replaced={})


@widget_callback
def upload(key: str) -> None:
    """Callback of the uploader: read this file, and reset the uploader for the next one."""
    file = st.session_state[key]
    if file is not None:
        session_query.change(file=(file.name, file.getvalue()), replaced={})
        replaced_key(_UPLOAD)


def settings_fields(query: Query) -> None:
    """Models, charge rule, and what is done with undetermined amounts."""
    choice("Models", "models", query.models, MODEL_SETS, "Best, or those of the papers; see the page Models")
    choice("Oxidation states", "charge_rule", query.charge_rule, CHARGE_RULES,
           "Rule of the papers' charge screen: one state per element with the Pauling test, or one per atom without "
           "it, as for hydrides and doped compounds")  # fmt: skip
    key = synced_key("predict.undetermined_as_zero", query.undetermined_as_zero)
    st.toggle("Read −δ as 0", value=query.undetermined_as_zero, key=key,
              on_change=session_query.change_from_widget, args=(key, "undetermined_as_zero"),
              help="YBa2Cu3O7-d is read as YBa2Cu3O7; amounts that would vanish (Oy, Kx) are refused")  # fmt: skip


def choice(label: str, name: str, value: str, labels: dict[str, str], explanation: str) -> None:
    """A list of which one is chosen. labels : value -> what is shown"""
    key = synced_key(f"predict.{name}", value)
    st.selectbox(label, list(labels), index=list(labels).index(value), key=key, format_func=labels.get,
                 on_change=session_query.change_from_widget, args=(key, name), help=explanation)  # fmt: skip
