"""The table of a load measurement."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pandas as pd

from app import load_client
from core.benchmarks import load
from core.benchmarks.load import LoadOptions, _free_port, _memory_MB, _memory_over_reloads, _outcome, _with_reloads


def test_the_table_has_median_and_percentile_of_each_page():
    answers = pd.DataFrame(
        {"page": ["runs"] * 101 + ["run"], "seconds": [*range(101), 7.0], "failed": [True] + [False] * 101}
    )
    outcome = _outcome(answers, 100.0, 300.0, LoadOptions(users=10))
    lines = outcome.table.set_index("page")
    assert lines.loc["runs", "median_s"] == 50 and lines.loc["runs", "percentile_99_s"] == 99
    assert lines.loc["runs", "failed"] == 1 and lines.loc["run", "answers"] == 1
    assert "20.0 MB for each user" in outcome.sentences[0]


def test_a_free_port_and_the_memory_of_a_process():
    assert 1024 < _free_port() < 65536
    assert math.isnan(_memory_MB(2**30))


def test_the_memory_is_measured_after_each_hundred_reloads(monkeypatch):
    asked, measured = [], iter([100.0, 150.0, 151.0, 151.5])
    monkeypatch.setattr(load, "_client", lambda *given: asked.append(given) or pd.DataFrame({"failed": [False, True]}))
    monkeypatch.setattr(load, "_memory_MB", lambda pid: next(measured))
    server, run = SimpleNamespace(pid=1), SimpleNamespace(id="a")
    memory_MB, failed = _memory_over_reloads(80, server, LoadOptions(reloads=230), run, [SimpleNamespace(id="b")])
    assert memory_MB == {0: 100.0, 100: 150.0, 200: 151.0, 230: 151.5} and failed == 3
    assert asked == [(80, 0, 0, "a", "b", 100)] * 2 + [(80, 0, 0, "a", "b", 30)]
    answers = pd.DataFrame({"page": ["runs"], "seconds": [1.0], "failed": [False]})
    outcome = _with_reloads(_outcome(answers, 1.0, 2.0, LoadOptions()), memory_MB, failed)
    assert "100 MB after 0, 150 MB after 100, 151 MB after 200" in outcome.sentences[1]
    assert outcome.about["memory_MB_after_reloads"]["230"] == 151.5 and "20 users" in outcome.sentences[0]


def test_every_reload_is_a_session_of_its_own(monkeypatch):
    opened, pages = [], [("", ""), ("runs", "")]

    @asynccontextmanager
    async def session(port):
        opened.append([])
        yield opened[-1]

    async def answer(connection, page, query):
        connection.append(page)

    monkeypatch.setattr(load_client, "session", session)
    monkeypatch.setattr(load_client, "timed_answer", answer)
    asyncio.run(load_client.reload(80, 5, pages))
    assert opened == [[""], ["runs"], [""], ["runs"], [""]]
