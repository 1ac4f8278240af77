"""How many processors and how much memory this process may use, and how it leaves them to others."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_MEMORY, _AUTOGROUP = Path("/proc/meminfo"), Path("/proc/self/autogroup")
_NICENESS = 10


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


def give_way() -> None:
    """Let all other work on this machine come first, as pages that are open: niceness 10.

    Linux with autogroups compares niceness only within a session, so that a leader of one lowers it for the session.
    """
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    if hasattr(os, "getsid") and os.getsid(0) == os.getpid() and _AUTOGROUP.exists():
        with suppress(OSError):  # without autogroups, or not permitted: the niceness of the process remains
            _AUTOGROUP.write_text(str(_NICENESS), encoding="ascii")
