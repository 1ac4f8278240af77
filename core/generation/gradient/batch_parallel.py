"""Several processor cores at once: each takes its share of a batch, and works on it by itself.

The predictors are chains of small operations. Shared out operation by operation they leave cores waiting for each
other; shared out candidate by candidate they do not.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import torch

LEAST_ROWS = 32  # a smaller share costs more than a core brings

Result = TypeVar("Result")


class BatchParallel:
    """`workers` threads, each of which does its operations alone; with none the caller does all by itself.

    Numbers too small for float32 to hold in full (below 1e-38) are 0 in these threads: a processor is many times slower
    with them, and shares of leaves and weights of attention are full of them.

    most_rows : of a share; what a share needs in memory grows with its rows
    """

    def __init__(self, workers: int = 0, most_rows: int | None = None):
        self.workers, self.most_rows = workers, most_rows
        self._pool = ThreadPoolExecutor(workers, initializer=_work_alone) if workers else None

    def shares(self, rows: int) -> list[slice]:
        """Rows 0 .. `rows` in consecutive shares, as equal as can be, each worker as many as another.

        Fewer than there are workers where they would become small.
        """
        count = max(min(self.workers, rows // LEAST_ROWS), 1)
        if self.most_rows:
            count *= -(-rows // (count * self.most_rows))
        edges = [rows * k // count for k in range(count + 1)]
        return [slice(*ends) for ends in pairwise(edges)]

    def each(self, function: Callable[[slice], Result], rows: int) -> list[Result]:
        """function(share) for every share of the rows, in their order. What it raises is raised here."""
        shares = self.shares(rows)
        return list((self._pool.map if self._pool else map)(function, shares))


def _work_alone() -> None:
    """Both are settings of the calling thread: those of others stay."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
