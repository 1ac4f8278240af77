"""What all tests of the app share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nobody_stands_by(monkeypatch):
    """Pages start no worker that waits: most tests need none, and it would take the cores from them for seconds."""
    monkeypatch.setenv("TC_STUDIO_STAND_BY", "0")
