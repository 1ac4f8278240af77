"""The settings of the server: this computer only, and no requests of other sites."""

from __future__ import annotations

import tomllib

from core.paths import PROJECT


def test_the_server_listens_on_this_computer_only_and_refuses_other_sites():
    server = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]
    assert server["address"] == "127.0.0.1"
    assert server["enableXsrfProtection"] is True and server["enableCORS"] is True
