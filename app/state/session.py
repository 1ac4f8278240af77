"""The session of one browser tab: its draft, its last run, and the way between pages.

The draft, not the widgets, holds the problem: before a widget is drawn, its state is set from the draft, and its
callback changes the draft. So a problem from elsewhere (a link, a file, a past run) shows in every widget, and a visit
to another page loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NoReturn

import streamlit as st

from app.state.draft import Draft, draft_of, first_draft
from app.state.draft_changes import with_base
from app.state.draft_history import DraftHistory
from app.state.problem_file import read_problem
from app.state.synced_widgets import uninterrupted, widget_callback
from app.state.url import from_link, to_link
from core.campaigns.folder import campaign_name, run_of_campaign
from core.errors import InputError, shown
from core.problem.origin import Origin
from core.problem.problem import DesignProblem
from core.runs import store
from core.runs.run import Run

DESIGN_PAGE = "views/design.py"
_DRAFT, _LAST_RUN, _LOAD_ERROR = "tc_studio.draft", "tc_studio.last_run", "tc_studio.load_error"
_HISTORY = "tc_studio.history"


# ---- the run -----------------------------------------------------------------------------------------------------


def current_run() -> Run | None:
    """The run named in the URL, else the last run of this session; its name is then written to the URL.

    A link names a run by `?run=`, one of a campaign also by `&campaign=`. If the session has no draft yet, the problem
    of the run becomes the draft.
    """
    link = _link_of_url() or st.session_state.get(_LAST_RUN)
    run = _run_of(link) if link else None
    if run is None:
        return None
    if st.session_state.get(_LAST_RUN) not in (None, link):
        # A link from a page to itself reruns the script but leaves the address as it was: send it.
        st.query_params.from_dict({name: st.query_params.get_all(name) for name in st.query_params})
    st.session_state[_LAST_RUN] = link
    if _DRAFT not in st.session_state:  # after a reload: the design page then shows the problem of this run
        with suppress(InputError):  # of a damaged run
            load_problem(run.problem())
    if _link_of_url() != link:
        st.query_params.from_dict(link)
    return run


def missing_run() -> str | None:
    """The id of a run that the URL names but that does not exist."""
    link = _link_of_url()
    return shown(link["run"]) if link and _run_of(link) is None else None


def _link_of_url() -> dict[str, str]:
    """The query parameters that name a run; empty without one."""
    named = {name: st.query_params[name] for name in ("run", "campaign") if st.query_params.get(name)}
    return named if "run" in named else {}


def link_to(run: Run) -> dict[str, str]:
    """The query parameters that name a run."""
    campaign = campaign_name(run)
    return {"run": run.id} | ({"campaign": campaign} if campaign else {})


def _run_of(link: Mapping[str, str]) -> Run | None:
    return run_of_campaign(link["campaign"], link["run"]) if "campaign" in link else store.get(link["run"])


def open_runs() -> NoReturn:
    """Go to the list of runs; anew, if it is the present page. Not from a callback."""
    st.session_state.pop(_LAST_RUN, None)
    st.switch_page("views/runs.py")


def open_run(run: Run, page: str) -> NoReturn:
    """Go to a page ("run" or "results") with this run. Not from a callback: Streamlit switches pages in the body."""
    st.session_state[_LAST_RUN] = link_to(run)
    st.switch_page(f"views/{page}.py", query_params=link_to(run))


def open_campaigns(**link: str) -> NoReturn:
    """Go to the page of campaigns: of one (`campaign=`), or the form of a new one (`new=`). Not from a callback."""
    st.switch_page("views/campaigns.py", query_params=link)


# ---- the draft ---------------------------------------------------------------------------------------------------


def draft() -> Draft:
    """The draft of this session; at first the problem of the link, else the first example."""
    if _DRAFT not in st.session_state:
        st.session_state[_DRAFT] = _draft_of_link(st.query_params.to_dict())
    return st.session_state[_DRAFT]


@dataclass
class _HistorySlot:
    """Kept in the session. Replacing its content is not a session access, at which Streamlit may interrupt a run."""

    history: DraftHistory = field(default_factory=DraftHistory)


def set_draft(changed: Draft) -> None:
    """Make this the draft. An error message about the last link or file is dropped with the draft it was about."""
    slot, before = _history_slot(), st.session_state.get(_DRAFT)
    if changed == before:
        return
    st.session_state.pop(_LOAD_ERROR, None)
    st.session_state[_DRAFT] = changed  # the last session access: draft and history change together or not at all
    if before is not None:
        slot.history = slot.history.after_change(before, changed)


def _history_slot() -> _HistorySlot:
    return st.session_state.setdefault(_HISTORY, _HistorySlot())


def can_undo() -> bool:
    """Whether there is a draft before the present one."""
    return bool(_history_slot().history.past)


def can_redo() -> bool:
    """Whether a change was undone and nothing was changed since."""
    return bool(_history_slot().history.future)


@uninterrupted
def undo() -> None:
    """Callback: the draft before the last change."""
    _move(DraftHistory.undone)


@uninterrupted
def redo() -> None:
    """Callback: the draft before the last `undo`."""
    _move(DraftHistory.redone)


def _move(step: Callable[[DraftHistory, Draft], tuple[Draft, DraftHistory]]) -> None:
    slot = _history_slot()
    moved, history = step(slot.history, draft())
    st.session_state[_DRAFT] = moved  # the last session access, see `set_draft`
    slot.history = history


def change(step: Callable[..., Draft], *args: object) -> None:
    """Change the draft by a function of `app.state.draft_changes`: `change(with_base, "MgB2")`."""
    set_draft(step(draft(), *args))


@widget_callback
def change_from_widget(key: str, step: Callable[..., Draft], *args: object) -> None:
    """Callback: change the draft by step(draft, *args, value of the widget); an emptied widget changes nothing."""
    value = st.session_state[key]
    if value is not None:
        change(step, *args, value)


def load_problem(problem: DesignProblem) -> None:
    """Show this problem on the design page. Raises InputError if its base cannot be read."""
    set_draft(draft_of(problem))


def load_text(text: str) -> None:
    """Show the problem in this JSON text on the design page, or keep the draft and store the error."""
    try:
        load_problem(read_problem(text))
    except InputError as error:
        st.session_state[_LOAD_ERROR] = error


def load_error() -> InputError | None:
    """What is wrong with the last link or file, until the draft changes."""
    return st.session_state.get(_LOAD_ERROR)


def open_design() -> NoReturn:
    """Go to the design page. Not from a callback."""
    st.switch_page(DESIGN_PAGE)


def use_as_base(formula: str, problem: DesignProblem, origin: Origin | None = None) -> NoReturn:
    """Go to the design page with this problem and another base. Not from a callback.

    origin : the candidate that becomes the base
    """
    set_draft(replace(with_base(draft_of(problem), formula), origin=origin))
    open_design()


def use_in_draft(formula: str) -> NoReturn:
    """Go to the design page with the draft and this base. Not from a callback."""
    set_draft(with_base(draft(), formula))
    open_design()


def write_link(problem: DesignProblem) -> None:
    """Keep the problem in the address bar, so that a reload or a copied link restores it."""
    link = to_link(problem)
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)


def _draft_of_link(link: Mapping[str, str]) -> Draft:
    if "base" not in link:
        return first_draft()
    try:
        return draft_of(from_link(link))
    except InputError as error:
        st.session_state[_LOAD_ERROR] = error
        return first_draft()
