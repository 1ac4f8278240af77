"""How many processors and how much memory this process may use, and how it lowers its priority."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

_MEMORY, _AUTOGROUP, _THREADS = Path("/proc/meminfo"), Path("/proc/self/autogroup"), Path("/proc/self/task")
_NICENESS, _ATTEMPTS, _ATTEMPT_S = 10, 5, 0.11


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
    """Lower the priority of this process, so that other work, as open pages, gets most of the processor time.

    All its threads get niceness 10. Linux with autogroups compares niceness only within a session; a process that leads
    one lowers that of the session too, which every worker does.
    """
    if hasattr(os, "setpriority"):
        for thread in _threads():
            with suppress(ProcessLookupError):  # the thread has ended
                os.setpriority(os.PRIO_PROCESS, thread, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
    if hasattr(os, "getsid") and os.getsid(0) == os.getpid():
        _lower_session()


def _threads() -> list[int]:
    """The threads of this process where each has a niceness of its own (Linux), otherwise 0, which is the process."""
    return [int(each.name) for each in _THREADS.iterdir()] if _THREADS.exists() else [0]


def _lower_session() -> None:
    """The niceness of this session, where the system has autogroups and permits it."""
    for _ in range(_ATTEMPTS):
        try:
            _AUTOGROUP.write_text(str(_NICENESS), encoding="ascii")
            return
        except BlockingIOError:  # another session was changed less than 0.1 s ago
            time.sleep(_ATTEMPT_S)
        except OSError:
            return
