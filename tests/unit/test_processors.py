"""Processors and memory that may be used."""

import os
import subprocess
import sys

import pytest

from core import processors
from core.paths import PROJECT


def test_processors_are_those_of_this_process(monkeypatch):
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 5})
        assert processors.processors() == 3
        monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors.processors() == 1


def test_free_memory_is_read_where_the_system_tells_it(monkeypatch, tmp_path):
    monkeypatch.setattr(processors, "_MEMORY", tmp_path / "meminfo")
    assert processors.free_memory_bytes() is None
    (tmp_path / "meminfo").write_text("MemTotal:  4 kB\nMemAvailable:  3 kB\n", encoding="ascii")
    assert processors.free_memory_bytes() == 3072


needs_priorities = pytest.mark.skipif(not hasattr(os, "setpriority"), reason="priorities")


@needs_priorities
def test_all_threads_of_a_process_that_gives_way_have_a_niceness_of_ten_however_often_it_does():
    code = (
        "import os, threading; from core import processors as p; stay = threading.Event(); "
        "threading.Thread(target=stay.wait, daemon=True).start(); p.give_way(); p.give_way(); "
        "print({os.getpriority(os.PRIO_PROCESS, each) for each in p._threads()})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{{{max(10, os.getpriority(os.PRIO_PROCESS, 0))}}}"


@pytest.fixture
def session(monkeypatch, tmp_path):
    """The file of the priority of the session, which this process leads; the priority of the process stays."""
    file = tmp_path / "autogroup"
    file.write_text("/autogroup-7 nice 0", encoding="ascii")
    monkeypatch.setattr(processors, "_AUTOGROUP", file)
    monkeypatch.setattr(os, "setpriority", lambda which, who, niceness: None, raising=False)
    monkeypatch.setattr(os, "getsid", lambda process: os.getpid(), raising=False)
    return file


@pytest.mark.parametrize("leads", [True, False])
def test_only_the_leader_of_a_session_lowers_its_priority(monkeypatch, session, leads):
    if not leads:
        monkeypatch.setattr(os, "getsid", lambda process: 1, raising=False)
    processors.give_way()
    assert (session.read_text(encoding="ascii") == "10") == leads


@pytest.mark.parametrize(("refused", "lowered"), [(2, True), (99, False)])
def test_the_priority_of_a_session_is_tried_again_while_the_system_refuses(monkeypatch, session, refused, lowered):
    answers = [BlockingIOError()] * refused

    def write(path, text, encoding):
        if answers:
            raise answers.pop()
        session.write_bytes(text.encode(encoding))

    waits = []
    monkeypatch.setattr(type(session), "write_text", write)
    monkeypatch.setattr(processors.time, "sleep", waits.append)
    processors.give_way()
    assert (session.read_bytes() == b"10") == lowered and len(waits) == min(refused, 5)


def test_without_sessions_of_that_kind_nothing_is_changed(monkeypatch, session):
    monkeypatch.setattr(processors, "_AUTOGROUP", session.parent / "missing" / "autogroup")
    processors.give_way()
    assert not (session.parent / "missing").exists()
