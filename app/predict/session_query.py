"""The query of a browser session: it comes from the link or from the widgets, and survives a visit to another page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from app import cached_data
from app.predict.assessment import Assessment
from app.predict.query import Query, from_link, read_query, to_link, with_proposals
from app.state.synced_widgets import widget_callback

CHUNK = 100  # formulas between two updates of the progress bar
_QUERY, _ASSESSMENT = "predict.query", "predict.assessment"


def query() -> Query:
    """The query of this session; at first that of the link."""
    if _QUERY not in st.session_state:
        parameters = st.query_params
        st.session_state[_QUERY] = from_link({name: parameters.get_all(name) for name in parameters})
    return st.session_state[_QUERY]


def change(**values: object) -> None:
    """Change fields of the query."""
    st.session_state[_QUERY] = replace(query(), **values)


@widget_callback
def change_from_widget(key: str, name: str) -> None:
    """Callback: the field gets the value of the widget; an emptied choice changes nothing."""
    value = st.session_state[key]
    if value is not None:
        change(**{name: value})


def accept(accepted: Mapping[str, str]) -> None:
    """Callback: put these proposals in place of the texts."""
    st.session_state[_QUERY] = with_proposals(query(), accepted)


def assessment() -> Assessment:
    """The assessment of the query, with the rows that are done. Raises InputError as `read_query` does."""
    asked = query()
    known: Assessment | None = st.session_state.get(_ASSESSMENT)
    if known is None or known.query != asked:
        with st.spinner("Reading the formulas …"):
            read = read_query(asked)
            known = Assessment(asked, read) if known is None else known.continued(asked, read)
        st.session_state[_ASSESSMENT] = known
    return known


def complete(unfinished: Assessment) -> None:
    """Assess all rows, with a progress bar."""
    assessor = cached_data.assessor(unfinished.query.model_names, unfinished.query.charge_rule)
    bar, pending = st.empty(), unfinished.pending()
    for start in range(0, len(pending), CHUNK):
        done = unfinished.total - len(pending) + start
        bar.progress(done / unfinished.total, f"Predicted {done:,} of {unfinished.total:,} formulas")
        unfinished.advance(assessor, pending[start : start + CHUNK])
    bar.empty()


def write_link() -> None:
    """Keep the query in the address bar, so that a reload or a copied link restores it."""
    link = to_link(query())
    if {name: st.query_params.get_all(name) for name in st.query_params} != link:
        st.query_params.from_dict(link)
