"""A Streamlit server in a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from core.paths import PROJECT

APP = PROJECT / "app" / "main.py"
CHROMIUM = os.environ.get("TC_STUDIO_CHROMIUM", "/usr/bin/chromium")
SOFTWARE_3D = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # WebGL without a graphics card
BROWSER_OPTIONS = ("--no-sandbox", *SOFTWARE_3D)
START_LIMIT_S = 300  # on a busy machine


@contextmanager
def running_server(script: Path | str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of a server that runs this script, which ends with the context.

    log : where its output goes; env : variables added to those of this process

    Raises RuntimeError with the log if the server ends or does not answer within START_LIMIT_S.
    """
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    paths = [str(PROJECT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **(env or {})}
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(server, url, log)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(server: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the Streamlit server did not start:\n{log.read_text(errors='replace')}")
