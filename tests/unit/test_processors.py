"""Processors and memory that may be used."""

import os

from core import processors


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
