"""How fast this machine is, from the runs that it has finished."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from core.errors import InputError
from core.generation.registry import expected_s
from core.runs import store
from core.runs.status import Phase

RUNS = 5  # the newest ones
LEAST_S = 3.0  # shorter runs say nothing


def pace(run_ids: Sequence[str]) -> float | None:
    """Working time of finished runs relative to `expected_s`, the median over RUNS of them; None without any.

    run_ids : the newest first; runs that are damaged, deleted, not finished or shorter than LEAST_S are passed over
    """
    found: list[float] = []
    for run_id in run_ids:
        ratio = _ratio(run_id)
        if ratio is not None:
            found.append(ratio)
        if len(found) == RUNS:
            break
    return statistics.median(found) if found else None


def _ratio(run_id: str) -> float | None:
    """Working time of a finished run relative to the expected one."""
    run = store.get(run_id)
    try:
        if run is None or (status := run.stored_status()).phase is not Phase.FINISHED or status.elapsed_s < LEAST_S:
            return None
        return status.elapsed_s / expected_s(run.problem())
    except (InputError, OSError):
        return None
