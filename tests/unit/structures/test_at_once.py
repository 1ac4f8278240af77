"""Items done at once: order, threads, the first error."""

import threading

import pytest

from core.structures.at_once import mapped


def test_results_are_in_the_order_of_the_items():
    done = []
    for at_once in (1, 3):
        assert mapped(lambda n: n * n, [3, 1, 2], at_once, done.append) == [9, 1, 4]
    assert done == [1, 2, 3, 1, 2, 3] and mapped(abs, [], 2) == []


def test_items_are_done_at_the_same_time():
    meeting = threading.Barrier(2, timeout=10)
    mapped(lambda _: meeting.wait(), ["a", "b"], 2)  # each waits for the other


def test_one_item_stays_in_the_calling_thread():
    assert mapped(lambda _: threading.get_ident(), ["a"], 4) == [threading.get_ident()]


def test_after_an_error_no_item_begins():
    begun = []

    def fails_first(n):
        begun.append(n)
        raise ValueError(f"item {n}")

    for at_once in (1, 2):
        begun.clear()
        with pytest.raises(ValueError, match="item"):
            mapped(fails_first, list(range(50)), at_once)
        assert len(begun) < 50
