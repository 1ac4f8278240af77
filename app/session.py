"""Session state <-> DesignProblem <-> URL.

The session holds one draft (`app.draft`) and the run last looked at. Widgets never hold the truth: before a widget is
drawn its state is set from the draft, and its callback changes the draft. So a problem from elsewhere (a link, a file,
a past run) shows in every widget, and nothing is lost when the user visits another page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, fields
from typing import NoReturn

import streamlit as st

from app import draft as drafts
from app.draft import Draft
from core.chemistry import elements
from core.errors import InputError
from core.generation.validation import check
from core.predictors.checkpoint import CheckpointError
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.problem.substitution_sites import Site
from core.runs import store
from core.runs.run import Run

DESIGN_PAGE = "views/design.py"
_DRAFT, _LAST_RUN, _COMPLAINT = "tc_studio.draft", "tc_studio.last_run", "tc_studio.complaint"


# ---- runs --------------------------------------------------------------------------------------------------------


def current_run() -> Run | None:
    """The run named in the URL (`?run=`), else the last one of this session; its id is then written to the URL.

    Where nothing was designed yet, its problem becomes the draft.
    """
    run_id = st.query_params.get("run") or st.session_state.get(_LAST_RUN)
    run = store.get(run_id) if run_id else None
    if run is None:
        return None
    st.session_state[_LAST_RUN] = run.id
    if _DRAFT not in st.session_state:  # after a reload: the way back leads to what was asked here
        load_problem(run.problem())
    if st.query_params.get("run") != run.id:
        st.query_params["run"] = run.id
    return run


def missing_run() -> str | None:
    """The id of the run that the URL names and that is not there."""
    run_id = st.query_params.get("run")
    return run_id if run_id and store.get(run_id) is None else None


def open_run(run_id: str, page: str) -> NoReturn:
    """Go to a page ("run" or "results") with this run. Not from a callback: Streamlit switches pages in the body."""
    st.session_state[_LAST_RUN] = run_id
    st.switch_page(f"views/{page}.py", query_params={"run": run_id})


# ---- the draft ---------------------------------------------------------------------------------------------------


def draft() -> Draft:
    """The draft of this session; at first, what the URL says, else the first example."""
    if _DRAFT not in st.session_state:
        st.session_state[_DRAFT] = _draft_of_link(st.query_params.to_dict())
    return st.session_state[_DRAFT]


def keep(changed: Draft) -> None:
    """Make this the draft. A complaint about a link or file was about an older one."""
    if changed != st.session_state.get(_DRAFT):
        st.session_state.pop(_COMPLAINT, None)
    st.session_state[_DRAFT] = changed


def change(step: Callable[..., Draft], *args: object) -> None:
    """Change the draft by a function of `app.draft`: `change(with_base, "MgB2")`."""
    keep(step(draft(), *args))


def load_problem(problem: DesignProblem) -> None:
    """Show this problem on the design page. Raises InputError if its base cannot be read."""
    keep(drafts.draft_of(problem))


def open_design() -> NoReturn:
    """Go to the design page. Not from a callback."""
    st.switch_page(DESIGN_PAGE)


def use_as_base(formula: str, from_problem: DesignProblem | None = None) -> NoReturn:
    """Go to the design page with this base and all else as in the problem (or as it was). Not from a callback."""
    start = drafts.draft_of(from_problem) if from_problem is not None else draft()
    keep(drafts.with_base(start, formula))
    open_design()


def load_text(text: str) -> None:
    """Show the problem in this JSON text on the design page, or keep the draft and complain."""
    try:
        load_problem(read_problem(text))
    except InputError as error:
        st.session_state[_COMPLAINT] = error


def read_problem(text: str) -> DesignProblem:
    """A problem that can be run, from JSON text. Raises InputError with the first thing that is wrong."""
    problem = DesignProblem.from_json(text)
    try:
        errors = check(problem)
    except CheckpointError as error:
        raise InputError("problem", problem.base, str(error), "Choose models that are there") from None
    except (AttributeError, TypeError):  # a list where an object belongs, and the like
        raise InputError("problem", text[:40], "some field is of the wrong kind", "Export it again") from None
    for error in errors:
        raise error
    return problem


# ---- the URL -----------------------------------------------------------------------------------------------------

_SHORT = {"sites": "replace", "fixed": "fix", "forbidden": "forbid", "floors": "least"}
_LONG = {short: long for long, short in _SHORT.items()}
_NONE = "none"
_AS_JSON = ("bounds", "groups", "ratios")


def to_link(problem: DesignProblem) -> dict[str, str]:
    """Query parameters that say this problem: the base, and all that differs from a first visit."""
    usual = DesignProblem(base="", forbidden=_in_order(drafts.forbidden_at_first()))
    link = {"base": problem.base}
    for name in (f.name for f in fields(DesignProblem) if f.name not in ("base", "settings")):
        if getattr(problem, name) != getattr(usual, name):
            link[_SHORT.get(name, name)] = _written(getattr(problem, name), name)
    for name in (f.name for f in fields(OptimiserSettings)):
        if getattr(problem.settings, name) != getattr(usual.settings, name):
            link[name] = _written(getattr(problem.settings, name))
    return link


def from_link(link: Mapping[str, str]) -> DesignProblem:
    """The inverse of `to_link`; parameters that are not ours are passed over. Raises InputError."""
    usual = DesignProblem(base=drafts.FIRST_BASE, forbidden=_in_order(drafts.forbidden_at_first()))
    given = {_LONG.get(name, name): text for name, text in link.items()}
    problem = {"base": given.get("base", usual.base), "forbidden": list(usual.forbidden)}
    if "state" in given:  # a link of an older version: replace=La&state=3
        given["sites"] = f"{given.get('sites', '')}:{given['state']}"
    for name in (f.name for f in fields(DesignProblem) if f.name in given and f.name not in ("base", "settings")):
        problem[name] = _read(name, given[name], getattr(usual, name))
    problem["settings"] = {
        f.name: _read(f.name, given[f.name], getattr(usual.settings, f.name))
        for f in fields(OptimiserSettings)
        if f.name in given
    }
    return read_problem(json.dumps(problem))


def write_link(problem: DesignProblem) -> None:
    """Keep the problem in the address bar, so that a reload or a copied link brings it back."""
    link = to_link(problem)
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)


def complaint() -> InputError | None:
    """What was wrong with the last link or file, until the draft changes."""
    return st.session_state.get(_COMPLAINT)


def _draft_of_link(link: Mapping[str, str]) -> Draft:
    if "base" not in link:
        return drafts.first_draft()
    try:
        return drafts.draft_of(from_link(link))
    except InputError as error:
        st.session_state[_COMPLAINT] = error
        return drafts.first_draft()


def _in_order(symbols: frozenset[str]) -> tuple[str, ...]:
    return tuple(s for s in elements.symbols() if s in symbols)


def _written(value: object, name: str = "") -> str:
    """Symbols run together (HeNeAr), amounts behind them (Fe0.25As0.25), pairs with a comma (150,150); or JSON."""
    if name in _AS_JSON:
        plain = [asdict(v) if isinstance(v, Group) else v for v in value] if isinstance(value, tuple) else value
        return json.dumps(plain, separators=(",", ":"))
    if isinstance(value, Mapping):
        return "".join(f"{symbol}{_plain(amount)}" for symbol, amount in value.items()) or _NONE
    if isinstance(value, tuple) and all(isinstance(v, str) for v in value):
        return "".join(value) or _NONE
    if isinstance(value, tuple) and all(isinstance(v, Site) for v in value):
        return ",".join(":".join(_field(v) for v in astuple(site)).rstrip(":") for site in value) or _NONE
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return _plain(value) if isinstance(value, float) else str(value)


def _field(value: str | float | None) -> str:
    return "" if value is None else value if isinstance(value, str) else _plain(value)


def _site(text: str) -> dict:
    """La:3, O:-2:0:1 -> a site as JSON."""
    element, *numbers = text.split(":")
    read = [float(number) if number else None for number in numbers]
    whole = [int(x) if x is not None and x == int(x) else x for x in read]
    return {"element": element} | dict(zip(("state", "by", "atoms"), whole, strict=False))


def _plain(number: float) -> str:
    return f"{number:.12f}".rstrip("0").rstrip(".")


def _all_of(pattern: str, text: str) -> list:
    """What `re.findall` finds. Raises ValueError if that leaves anything over."""
    if re.sub(pattern, "", text):
        raise ValueError(text)
    return re.findall(pattern, text)


def _read(name: str, text: str, usual: object) -> object:
    """Text of one parameter -> its value, by the kind of value that the field has."""
    text = "" if text == _NONE else text
    try:
        if name in _AS_JSON:
            return json.loads(text)
        if name in ("fixed", "floors"):
            return {s: float(x) for s, x in _all_of(r"([A-Z][a-z]?)([\d.]+)", text)}
        if name == "sites":
            return [_site(part) for part in text.split(",") if part]
        if name == "forbidden":
            return _all_of(r"[A-Z][a-z]?", text)
        if isinstance(usual, tuple):
            return [int(part) for part in text.split(",")]
        if isinstance(usual, int):
            return int(text)
        return float(text) if isinstance(usual, float) else text
    except (ValueError, OverflowError):  # of int("x"), int(inf)
        raise InputError("link", f"{name}={text}", "this part of the link makes no sense", "Copy it again") from None
