"""Helpers for tests of pages that run without a browser."""

from __future__ import annotations

from collections.abc import Mapping

from streamlit.testing.v1 import AppTest

from app.results.candidate_card.card import TABS
from core.paths import PROJECT
from core.runs.run import Run


def open_page(
    view: str | None = None, run: Run | None = None, opened: Mapping[str, object] | None = None, **link: str
) -> AppTest:
    """The app at the page with this file name in app/views/ (None: the first page), opened by this link.

    opened : the state of parts that are drawn only when they are open, by their keys
    """
    test = AppTest.from_file(str(PROJECT / "app" / "main.py"), default_timeout=120)
    if view is not None:
        test.switch_page(str(PROJECT / "app" / "views" / f"{view}.py"))
    if run is not None:
        test.query_params["run"] = run.id
    for key, value in (opened or {}).items():
        test.session_state[key] = value
    for name, value in link.items():
        test.query_params[name] = value
    return without_exception(test.run())


def without_exception(test: AppTest) -> AppTest:
    """The same page; fails if it shows an exception."""
    assert not test.exception, test.exception
    return test


def open_tab(test: AppTest, label: str) -> AppTest:
    """The same page with this tab of the candidate card open."""
    test.session_state[TABS] = label
    return without_exception(test.run())


def html_text(test: AppTest) -> str:
    """All HTML of the page."""
    return "\n".join(block.proto.body for block in test.get("html"))


def page_text(test: AppTest) -> str:
    """All text of the page, HTML included."""
    kinds = ("markdown", "caption", "info", "warning", "error")
    return "\n".join([html_text(test), *(element.value for kind in kinds for element in test.get(kind))])


def button_labels(test: AppTest) -> list[str]:
    """The labels of all buttons."""
    return [button.label for button in test.button]
