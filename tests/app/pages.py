"""What tests of pages that only show something share."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.paths import PROJECT


def opened(view: str) -> AppTest:
    """The app, at the page in app/views/ of this name."""
    test = AppTest.from_file(str(PROJECT / "app" / "main.py"), default_timeout=120)
    test.switch_page(str(PROJECT / "app" / "views" / f"{view}.py"))
    test.run()
    assert not test.exception, test.exception
    return test


def said(test: AppTest) -> str:
    """All text of the page."""
    return "\n".join(e.value for kind in ("markdown", "caption", "info") for e in test.get(kind))
