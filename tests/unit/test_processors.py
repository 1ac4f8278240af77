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


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="priorities")
def test_a_process_that_gives_way_has_a_niceness_of_ten_however_often_it_does():
    code = "import os; from core import processors as p; p.give_way(); p.give_way(); print(os.getpriority(0, 0))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == max(10, os.getpriority(os.PRIO_PROCESS, 0))


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="priorities")
@pytest.mark.parametrize("leads", [True, False])
def test_only_the_leader_of_a_session_lowers_its_priority(monkeypatch, tmp_path, leads):
    group = tmp_path / "autogroup"
    group.write_text("/autogroup-7 nice 0", encoding="ascii")
    monkeypatch.setattr(processors, "_AUTOGROUP", group)
    monkeypatch.setattr(os, "setpriority", lambda which, who, niceness: None)
    monkeypatch.setattr(os, "getsid", lambda process: os.getpid() if leads else 1)
    processors.give_way()
    assert (group.read_text(encoding="ascii") == "10") == leads
