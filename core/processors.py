"""How many processors and how much memory this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_MEMORY = Path("/proc/meminfo")


def processors() -> int:
    """Number of processors of this machine that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory_bytes() -> int | None:
    """The memory of this machine that is available; None where the system does not tell (other than Linux)."""
    try:
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None
