"""Relaxation by CHGNet in several processes of one thread each, as one relaxation uses one core.

A process holds about 1 GB and needs some seconds to load the potential, once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NotFinished
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import connection
from multiprocessing.synchronize import Event
from typing import Self

from core.chemistry.structure import Structure
from core.errors import InputError
from core.processors import free_memory_bytes, processors
from core.structures.relaxation import Relaxation, RelaxationSettings, relax, stopped

MOST_PROCESSES = 8  # if no number is given: about 1 GB each
_BYTES_OF_A_PROCESS = 1_500_000_000
_ASKED_EVERY_S = 0.1  # whether to stop
_stop: Event | None = None  # of a process of the pool


class RelaxingProcesses:
    """Processes that relax structures; they are started when the first structure is relaxed, and end with the block.

    A structure of one that was asked to stop has the verdict STOPPED, as have all that are asked for later.
    With a count of 1 this process relaxes.
    """

    def __init__(self, count: int | None = None):
        """count : of processes; None: one a core, at most MOST_PROCESSES, as far as the free memory goes

        Raises InputError for a count below 1.
        """
        self.count = default_count() if count is None else count
        if self.count < 1:
            raise InputError("processes", count, "a relaxation needs a process", "Choose 1 or more")
        self._pool: ProcessPoolExecutor | None = None
        self._starting = threading.Lock()
        self._event: Event | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, those at work after the next evaluation of the potential."""
        with self._starting:
            self._closed = True  # a thread that still waits starts no other pool
        if self._pool is not None and self._event is not None:
            self._event.set()
            self._pool.shutdown(cancel_futures=True)

    def relax(
        self, structure: Structure, settings: RelaxationSettings, should_stop: Callable[[], bool] = lambda: False
    ) -> Relaxation:
        """Relax a structure by CHGNet, as `core.structures.relaxation.relax`; any number of threads may wait here.

        Raises InputError (field "processes") if a process has ended unasked, as for want of memory.
        """
        if self.count == 1:
            return stopped(structure) if self._closed else relaxed_here(structure, settings, should_stop)
        try:
            future = self._submitted(structure, settings)
            while future is not None:
                if should_stop() and self._event is not None:
                    self._event.set()
                with suppress(NotFinished):
                    return future.result(_ASKED_EVERY_S)
                if future.done():  # meanwhile, or its work raised the same error
                    return future.result()
        except CancelledError:
            pass
        except BrokenProcessPool:
            rule = "a process that relaxes structures has ended, probably for want of memory, of which each needs 1 GB"
            remedy = "Free some memory, or use fewer, as with --processes 1"
            raise InputError("processes", self.count, rule, remedy) from None
        return stopped(structure)

    def _submitted(self, structure: Structure, settings: RelaxationSettings) -> Future[Relaxation] | None:
        """The relaxation, begun by a process; None after the end of the block."""
        with self._starting:
            if self._closed:
                return None
            if self._pool is None:
                context = multiprocessing.get_context("spawn")  # a copy of a process with threads may hang
                self._event = context.Event()
                self._pool = ProcessPoolExecutor(self.count, context, _prepare, (self._event,))
                with _one_thread():  # all processes are started by the first structure
                    return self._pool.submit(_relaxed, structure, settings)
            return self._pool.submit(_relaxed, structure, settings)


def default_count() -> int:
    """One process a core, at most MOST_PROCESSES, as far as the free memory goes."""
    count, free = min(processors(), MOST_PROCESSES), free_memory_bytes()
    return count if free is None else max(1, min(count, free // _BYTES_OF_A_PROCESS))


@contextmanager
def _one_thread() -> Generator[None]:
    """Numerical libraries of processes that are started in this block use one thread."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _prepare(stop: Event) -> None:
    """Prepare a process of the pool."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)


def _end_with_parent() -> None:
    """A parent that was killed cannot end its processes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _relaxed(structure: Structure, settings: RelaxationSettings) -> Relaxation:
    return relaxed_here(structure, settings, _stop.is_set if _stop is not None else lambda: False)


def relaxed_here(
    structure: Structure, settings: RelaxationSettings, should_stop: Callable[[], bool] = lambda: False
) -> Relaxation:
    """Relax a structure by CHGNet in this process; the potential is loaded unless it is to stop."""
    if should_stop():
        return stopped(structure)
    from core.structures.interatomic import load_chgnet

    return relax(structure, load_chgnet(), settings, should_stop)
