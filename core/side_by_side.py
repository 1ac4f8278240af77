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


class SideBySide:
    """`workers` threads, each of which does its operations alone; with one worker the caller does all by itself.

    most_rows : of a share; what a share needs in memory grows with its rows
    """

    def __init__(self, workers: int = 1, most_rows: int | None = None):
        self.workers, self.most_rows = workers, most_rows
        # In a thread of its own the number of threads of an operation is its own too: that of the caller stays.
        self._pool = (
            ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) if workers > 1 else None
        )

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
        if self._pool is None or len(shares) == 1:
            return [function(share) for share in shares]
        return list(self._pool.map(function, shares))
