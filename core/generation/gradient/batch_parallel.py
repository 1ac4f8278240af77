"""Batch parallelism on the CPU: each thread evaluates its own share of the candidates.

The predictors are chains of small operations. Parallelism inside each operation leaves cores idle at every
synchronisation; parallelism over candidates does not.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import torch

MIN_ROWS = 32  # smaller shares cost more overhead than a further thread saves

Result = TypeVar("Result")


class BatchParallel:
    """A pool of single-threaded workers; with 0 workers the calling thread evaluates all rows.

    The workers flush denormal numbers (below 1e-38 in float32) to 0: they slow down a processor severely, and weights
    of leaves and of attention contain many of them.

    max_rows : largest number of rows in a share, which bounds its memory; None: no limit
    """

    def __init__(self, workers: int = 0, max_rows: int | None = None):
        self.workers, self.max_rows = workers, max_rows
        self._pool = ThreadPoolExecutor(workers, initializer=_use_one_thread) if workers else None

    def shares(self, rows: int, min_rows: int = MIN_ROWS) -> list[slice]:
        """Rows 0 .. `rows` as consecutive shares of nearly equal size, the same number for each worker.

        Fewer workers are used if shares would have less than `min_rows` rows.
        """
        count = max(min(self.workers, rows // min_rows), 1)
        if self.max_rows:
            count *= -(-rows // (count * self.max_rows))
        edges = [rows * k // count for k in range(count + 1)]
        return [slice(*ends) for ends in pairwise(edges)]

    def map(self, function: Callable[[slice], Result], rows: int, min_rows: int = MIN_ROWS) -> list[Result]:
        """Results of function(share) in the order of the rows. Raises the exceptions of the function."""
        shares = self.shares(rows, min_rows)
        return list((self._pool.map if self._pool else map)(function, shares))


def _use_one_thread() -> None:
    """Configure the calling worker; both settings apply to the calling thread only."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
