"""Wall-clock times of work on a device, which runs asynchronously on a GPU."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")


def timed(work: Callable[[], Result], device: torch.device) -> tuple[float, Result]:
    """Seconds that `work` takes, and its result."""
    synchronize(device)
    began = time.perf_counter()
    result = work()
    synchronize(device)
    return time.perf_counter() - began, result


def median_seconds(work: Callable[[], object], device: torch.device, repeats: int = 10, warm_up: int = 3) -> float:
    """Median time of `work`, in seconds, after some calls that are not timed."""
    for _ in range(warm_up):
        work()
    return statistics.median(timed(work, device)[0] for _ in range(repeats))


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
