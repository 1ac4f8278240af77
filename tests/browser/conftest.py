"""Fixtures for tests that drive a real Chromium against a real Streamlit server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from core.paths import PROJECT

CHROMIUM = os.environ.get("TC_STUDIO_CHROMIUM", "/usr/bin/chromium")
START_LIMIT_S = 300  # on a busy machine
SOFTWARE_3D = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # WebGL without a graphics card


@pytest.fixture(scope="package")
def chromium():
    """One headless browser for the whole session. Skips where there is none (see TC_STUDIO_CHROMIUM)."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}; set TC_STUDIO_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *SOFTWARE_3D], headless=True
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def serve(tmp_path_factory):
    """`serve(script, env=None) -> url`: run a Streamlit script on a free port till the session ends."""
    servers = []

    def start(script: Path | str, env: dict[str, str] | None = None) -> str:
        port = _free_port()
        log = tmp_path_factory.mktemp("streamlit") / "server.log"
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true"]
        command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
        command += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
        paths = [str(PROJECT), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **(env or {})}
        with log.open("wb") as out:
            server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=out, stderr=out)
        servers.append(server)
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(server, url, log)
        return url

    yield start
    for server in servers:
        server.terminate()
    for server in servers:
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="package")
def app_url(serve, tmp_path_factory) -> str:
    """The address of the app, on one server for all tests: its start and its first page are the slowest part of one."""
    runs = tmp_path_factory.mktemp("runs")
    return serve(PROJECT / "app" / "main.py", {"TC_STUDIO_RUNS": str(runs), "OMP_NUM_THREADS": "1"})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(server: subprocess.Popen, url: str, log: Path) -> None:
    """Return when the server answers; fail with its log when it ends or takes longer than START_LIMIT_S."""
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the Streamlit server did not start:\n{log.read_text(errors='replace')}")
