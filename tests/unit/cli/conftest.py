"""Fixtures of the command line's tests."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def single_thread(monkeypatch):
    """Small batches are no faster with more threads, and much slower on a busy machine."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def written(tmp_path):
    """`written(content, name)`: write a file and return its path as text."""

    def write(content: str | bytes, name: str = "in.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write
