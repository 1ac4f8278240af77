"""Shares of a batch: nothing is left out, nothing done twice, and the caller's threads stay his."""

import pytest
import torch

from core.generation.gradient.batch_parallel import LEAST_ROWS, BatchParallel


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("rows", [1, 31, 64, 100, 256, 257])
def test_shares_make_up_the_batch(workers, rows):
    shares = BatchParallel(workers).shares(rows)
    assert [row for share in shares for row in range(rows)[share]] == list(range(rows))
    sizes = [share.stop - share.start for share in shares]
    assert len(shares) <= workers and max(sizes) - min(sizes) <= 1
    assert len(shares) == 1 or min(sizes) >= LEAST_ROWS


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 100, 101, 299, 4096])
def test_no_share_is_larger_than_asked_and_every_worker_has_as_many(workers, rows):
    shares = BatchParallel(workers, most_rows=100).shares(rows)
    assert [row for share in shares for row in range(rows)[share]] == list(range(rows))
    assert max(share.stop - share.start for share in shares) <= 100
    assert len(shares) == 1 or len(shares) % min(workers, rows // LEAST_ROWS) == 0


def test_results_come_in_the_order_of_the_rows():
    batch = torch.arange(300.0)
    assert torch.cat(BatchParallel(4).each(lambda rows: batch[rows] * 2, 300)).tolist() == (batch * 2).tolist()


def test_a_share_works_alone_and_the_caller_keeps_its_threads():
    before = torch.get_num_threads()
    assert BatchParallel(2).each(lambda rows: torch.get_num_threads(), 128) == [1, 1]
    assert torch.get_num_threads() == before


def test_numbers_too_small_for_float32_are_0_in_a_share_and_stay_with_the_caller():
    def halved(rows: slice) -> float:
        return float(torch.full((8,), 1.2e-38)[0:8].mul(0.5).sum())

    assert BatchParallel(1).each(halved, 64) == [0.0]
    assert BatchParallel().each(halved, 64)[0] > 0


def test_what_a_share_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        BatchParallel(2).each(lambda rows: 1 // (rows.stop - 128), 128)
