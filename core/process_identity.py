"""The identity of a process: machine, process namespace, process id and start time.

A process id alone names another process after the first has ended, on another machine, or in another container. A
process is this one only if all four agree.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessIdentity:
    """One process.

    host : name of the machine, and on Linux the id of its last start
    namespace : of process ids, which differs between containers; "" where the system has none
    pid : process id in this namespace
    started : when the process was started, in the system's own words; "" if the system does not tell
    """

    host: str
    namespace: str
    pid: int
    started: str

    def to_json(self) -> dict:
        """The fields as JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: object) -> ProcessIdentity | None:
        """The inverse of `to_json`; None for anything else."""
        if not isinstance(stored, dict) or not _is_pid(stored.get("pid")):
            return None
        words = [stored.get(name) for name in ("host", "namespace", "started")]
        if not all(isinstance(word, str) for word in words):
            return None
        return cls(str(words[0]), str(words[1]), int(stored["pid"]), str(words[2]))

    def is_here(self) -> bool:
        """Whether the process belongs to this machine and this namespace, so that its id means something here."""
        return (self.host, self.namespace) == (_host(), _namespace())

    def exists(self) -> bool:
        """Whether the process is here and has not ended; false if the id now belongs to another process."""
        return self.is_here() and bool(self.started) and _start_time(self.pid) == self.started

    def kill(self) -> bool:
        """Kill the process; false, and nothing is killed, unless it exists and is not this process itself."""
        if self.pid == os.getpid() or not self.exists():
            return False
        if hasattr(os, "pidfd_open"):
            return self._kill_by_descriptor()
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            return True
        return False

    def _kill_by_descriptor(self) -> bool:
        """A descriptor stays with its process: if the start time agrees after it is opened, it is the right one."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            if not self.exists():
                return False
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return False
        finally:
            os.close(descriptor)
        return True


def identity_of(pid: int) -> ProcessIdentity:
    """The identity of a process of this machine."""
    return ProcessIdentity(_host(), _namespace(), pid, _start_time(pid))


def this_process() -> ProcessIdentity:
    """The identity of this process."""
    return identity_of(os.getpid())


def _is_pid(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


@cache
def _host() -> str:
    boot = _text(_PROC / "sys/kernel/random/boot_id").strip()
    return f"{platform.node()} {boot}".strip()


def _namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """When a process was started: on Linux in clock ticks since the start of the machine; "" if there is none."""
    if (_PROC / "self/stat").exists():
        fields = _text(_PROC / f"{pid}/stat").rpartition(")")[2].split()  # the name in () may hold anything
        ended = not fields or fields[0] in "ZX"  # a zombie has ended, and waits for its parent
        return "" if ended else fields[19]
    if os.name != "posix":
        return ""
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
