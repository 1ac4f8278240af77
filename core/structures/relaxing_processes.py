"""Relaxation by CHGNet in several processes of one thread each, as one relaxation uses one core.

A process holds about 1 GB and needs some seconds to load the potential, once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NotFinished
from multiprocessing import connection
from multiprocessing.synchronize import Event
from typing import Self

from core.chemistry.structure import Structure
from core.errors import InputError
from core.processors import processors
from core.structures.relaxation import Relaxation, RelaxationSettings, relax

MOST_PROCESSES = 8  # if no number is given: about 1 GB each
_ASKED_EVERY_S = 0.1  # whether to stop
_stop: Event | None = None  # of a process of the pool


class RelaxingProcesses:
    """Processes that relax structures; they are started when the first structure is relaxed, and end with the block.

    A structure of one that was asked to stop has the verdict STOPPED, as have all that are asked for later.
    """

    def __init__(self, count: int | None = None):
        """count : of processes; None: one a core, at most MOST_PROCESSES

        Raises InputError for a count below 1.
        """
        self.count = min(processors(), MOST_PROCESSES) if count is None else count
        if self.count < 1:
            raise InputError("processes", count, "a relaxation needs a process", "Choose 1 or more")
        self._pool: ProcessPoolExecutor | None = None
        self._starting = threading.Lock()
        self._event: Event | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, those at work after the next evaluation of the potential."""
        with self._starting:
            pool, self._pool = self._pool, None
        if pool is not None and self._event is not None:
            self._event.set()
            pool.shutdown(cancel_futures=True)

    def relax(
        self, structure: Structure, settings: RelaxationSettings, should_stop: Callable[[], bool] = lambda: False
    ) -> Relaxation:
        """Relax a structure by CHGNet, as `core.structures.relaxation.relax`; any number of threads may wait here.

        Raises RuntimeError if a process has ended unasked, as for want of memory.
        """
        future = self._submitted(structure, settings)
        while True:
            if should_stop() and self._event is not None:
                self._event.set()
            try:
                return future.result(_ASKED_EVERY_S)
            except NotFinished:
                if future.done():  # the work itself raised TimeoutError
                    raise

    def _submitted(self, structure: Structure, settings: RelaxationSettings) -> Future[Relaxation]:
        with self._starting:
            if self._pool is None:
                context = multiprocessing.get_context("spawn")  # a copy of a process with threads may hang
                self._event = context.Event()
                self._pool = ProcessPoolExecutor(self.count, context, _prepare, (self._event,))
            return self._pool.submit(_relaxed, structure, settings)


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
    from core.structures.interatomic import load_chgnet

    return relax(structure, load_chgnet(), settings, _stop.is_set if _stop is not None else lambda: False)
