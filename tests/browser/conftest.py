"""Fixtures for tests that drive a real Chromium against a real Streamlit server."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.server import APP, BROWSER_OPTIONS, CHROMIUM, running_server


@pytest.fixture(scope="package")
def chromium():
    """One headless browser for the whole session. Skips where there is none (see TC_STUDIO_CHROMIUM)."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}; set TC_STUDIO_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(BROWSER_OPTIONS), headless=True)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def serve(tmp_path_factory):
    """`serve(script, env=None) -> url`: run a Streamlit script on a free port till the session ends."""
    with ExitStack() as servers:

        def start(script: Path | str, env: dict[str, str] | None = None) -> str:
            log = tmp_path_factory.mktemp("streamlit") / "server.log"
            return servers.enter_context(running_server(script, log, env))

        yield start


@pytest.fixture(scope="package")
def app_url(serve, tmp_path_factory) -> str:
    """The address of the app, on one server for all tests: its start and its first page are the slowest part of one."""
    runs = tmp_path_factory.mktemp("runs")
    return serve(APP, {"TC_STUDIO_RUNS": str(runs), "OMP_NUM_THREADS": "1", "TC_STUDIO_STAND_BY": "0"})
