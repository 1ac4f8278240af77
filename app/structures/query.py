"""What the page Structures shows, in the session: a formula as text or in the link, or an uploaded CIF."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from app.state.synced_widgets import replaced_key, uninterrupted, widget_callback

UPLOAD = "structures.upload"
LONGEST_LINK = 200  # characters of a formula
_QUERY = "structures.query"


@dataclass(frozen=True)
class Query:
    """A formula, or a file in its place.

    file : name and content of a CIF
    pressure_GPa : of the relaxation
    by_diffusion : whether structures are drawn by diffusion too
    """

    formula: str = ""
    file: tuple[str, bytes] | None = None
    pressure_GPa: float = 0.0
    by_diffusion: bool = False


def query() -> Query:
    """The query of this session; at first that of the link."""
    if _QUERY not in st.session_state:
        st.session_state[_QUERY] = Query(st.query_params.get("formula", ""))
    return st.session_state[_QUERY]


@uninterrupted
def change(**values: object) -> None:
    """Callback: change fields of the query."""
    st.session_state[_QUERY] = replace(query(), **values)


@widget_callback
def formula_from_widget(key: str) -> None:
    """Callback of the text field."""
    change(formula=st.session_state[key].strip(), file=None)


@widget_callback
def pressure_from_widget(key: str) -> None:
    """Callback of the field of the pressure."""
    change(pressure_GPa=float(st.session_state[key] or 0.0))


@widget_callback
def by_diffusion_from_widget(key: str) -> None:
    """Callback of the switch of the diffusion."""
    change(by_diffusion=bool(st.session_state[key]))


@widget_callback
def upload(key: str) -> None:
    """Callback of the uploader: show this file, and reset the uploader for the next one."""
    file = st.session_state[key]
    if file is not None:
        change(file=(file.name, file.getvalue()))
        replaced_key(UPLOAD)


def write_link() -> None:
    """Keep the formula in the address bar, so that a reload or a copied link restores it."""
    asked = query()
    linked = asked.file is None and 0 < len(asked.formula) <= LONGEST_LINK
    link = {"formula": asked.formula} if linked else {}
    if dict(st.query_params) != link:
        st.query_params.from_dict(link)
