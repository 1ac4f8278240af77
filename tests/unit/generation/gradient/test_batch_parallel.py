"""Batch parallelism: shares cover the batch once, and the settings of the calling thread do not change."""

import pytest
import torch

from core.generation.gradient.batch_parallel import MIN_ROWS, BatchParallel


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("rows", [1, 31, 64, 100, 256, 257])
def test_shares_cover_the_batch_once(workers, rows):
    shares = BatchParallel(workers).shares(rows)
    assert [row for share in shares for row in range(rows)[share]] == list(range(rows))
    sizes = [share.stop - share.start for share in shares]
    assert len(shares) <= workers and max(sizes) - min(sizes) <= 1
    assert len(shares) == 1 or min(sizes) >= MIN_ROWS


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 100, 101, 299, 4096])
def test_shares_have_at_most_max_rows_and_every_worker_has_the_same_number(workers, rows):
    shares = BatchParallel(workers, max_rows=100).shares(rows)
    assert [row for share in shares for row in range(rows)[share]] == list(range(rows))
    assert max(share.stop - share.start for share in shares) <= 100
    assert len(shares) == 1 or len(shares) % min(workers, rows // MIN_ROWS) == 0


def test_a_costly_function_is_shared_from_its_own_fewest_rows_on():
    assert [len(BatchParallel(2).shares(rows, min_rows=1)) for rows in (0, 1, 2, 8)] == [1, 1, 2, 2]
    assert len(BatchParallel(2).map(lambda rows: rows, 8, min_rows=1)) == 2


def test_results_have_the_order_of_the_rows():
    batch = torch.arange(300.0)
    assert torch.cat(BatchParallel(4).map(lambda rows: batch[rows] * 2, 300)).tolist() == (batch * 2).tolist()


def test_a_worker_uses_one_thread_and_the_caller_keeps_its_setting():
    before = torch.get_num_threads()
    assert BatchParallel(2).map(lambda rows: torch.get_num_threads(), 128) == [1, 1]
    assert torch.get_num_threads() == before


def test_workers_flush_denormal_numbers_and_the_caller_does_not():
    def halved(rows: slice) -> float:
        return float(torch.full((8,), 1.2e-38)[0:8].mul(0.5).sum())

    assert BatchParallel(1).map(halved, 64) == [0.0]
    assert BatchParallel().map(halved, 64)[0] > 0


def test_exceptions_of_a_worker_reach_the_caller():
    with pytest.raises(ZeroDivisionError):
        BatchParallel(2).map(lambda rows: 1 // (rows.stop - 128), 128)
