"""Items done several at once, by threads that wait for processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    at_once: int,
    told: Callable[[int], None] = lambda done: None,
) -> list[Result]:
    """The results of a function for all items, in their order.

    at_once : items at the same time; 1: one after the other, in the calling thread
    told : called with the number of finished items

    Raises the first error of the function; items that have not begun by then are left out.
    """
    if at_once <= 1 or len(items) <= 1:
        found = []
        for item in items:
            found.append(function(item))
            told(len(found))
        return found
    threads = ThreadPoolExecutor(at_once)
    futures = [threads.submit(function, item) for item in items]
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            told(done)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in futures]
