"""Batches are the same in the memory of a device, and depend on the epoch only."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.training.batches import DeviceBatches, DrawnColumns, GroupedColumns, ShuffledColumns
from tests.no_synchronisation import no_synchronisation

COLUMNS = torch.arange(23.0), torch.arange(46).view(23, 2)
CPU = torch.device("cpu")


def shuffled() -> ShuffledColumns:
    return ShuffledColumns(COLUMNS, 5, seed=3)


def drawn(epoch: int):
    random = np.random.default_rng(epoch)
    for _ in range(4):
        yield torch.from_numpy(random.standard_normal(6)), torch.from_numpy(random.standard_normal((6, 2)))


def test_every_row_at_most_once_and_the_columns_together():
    batches = list(shuffled()(0))
    assert shuffled().steps == len(batches) == 4
    rows = torch.cat([batch[0] for batch in batches])
    assert len(rows.unique()) == 20
    assert all(torch.equal(pair[:, 0], 2 * row.long()) for row, pair in batches)


def test_the_order_depends_on_epoch_and_seed_only():
    first, again = (torch.cat([batch[0] for batch in shuffled()(2)]) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, torch.cat([batch[0] for batch in shuffled()(1)]))
    other = shuffled().with_seed(4)
    assert not torch.equal(first, torch.cat([batch[0] for batch in other(2)])) and other.columns is COLUMNS


@pytest.mark.parametrize("batches", [shuffled(), drawn])
def test_batches_on_a_device_are_those_of_the_epoch(batches):
    there = DeviceBatches(batches, CPU, {})
    for epoch in (0, 3, 1):
        there.begin(epoch)
        for expected in batches(epoch):
            with no_synchronisation():
                found = there.next()
            assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))
        assert int(there.place) == 4


@pytest.mark.parametrize("batches", [shuffled(), drawn])
def test_addresses_do_not_change(batches):
    there = DeviceBatches(batches, CPU, {})
    there.begin(0)
    before = [each.data_ptr() for each in (*there._columns, there._order, there.place)]
    there.begin(1)
    assert before == [each.data_ptr() for each in (*there._columns, there._order, there.place)]


def test_columns_of_several_orders_are_sent_once():
    sent = {}
    one, other = (DeviceBatches(shuffled().with_seed(seed), CPU, sent) for seed in (0, 1))
    assert all(a is b for a, b in zip(one._columns, other._columns, strict=True)) and len(sent) == 1


def test_epochs_of_other_sizes_are_refused():
    there = DeviceBatches(lambda epoch: [(torch.zeros(4),)] * (epoch + 1), CPU, {})
    there.begin(0)
    with pytest.raises(ValueError, match="has a column of"):
        there.begin(1)


def test_grouped_batches_have_the_same_number_of_rows_of_each_group():
    size = torch.arange(23)
    batches = GroupedColumns((size,), 6, 3, seed=1)
    assert batches.steps == 3
    for epoch in (0, 1):
        rows = torch.stack([batch for (batch,) in batches(epoch)])
        assert rows.shape == (3, 6) and len(set(rows.flatten().tolist())) == 18
        for place, group in enumerate(batches.groups):
            assert set(rows[:, 2 * place : 2 * place + 2].flatten().tolist()) <= set(group.tolist())
    assert not torch.equal(batches.order(0), batches.order(1)) and torch.equal(batches.order(1), batches.order(1))
    for batch, groups in ((5, 3), (24, 3)):
        with pytest.raises(ValueError, match="batches"):
            GroupedColumns((size,), batch, groups, seed=1)


def test_some_rows_are_in_every_epoch_and_a_share_of_the_others():
    batches = DrawnColumns((torch.arange(40),), 7, seed=1, whole=16, share=0.5)
    epochs = [set(torch.cat([rows for (rows,) in batches(epoch)]).tolist()) for epoch in range(3)]
    assert batches.steps == 4
    for rows in epochs:
        assert len(rows) == 28 and set(range(16)) <= rows
    assert len(set.union(*epochs)) > 28


def test_a_share_of_all_is_the_order_of_shuffled_columns():
    batches = DrawnColumns((torch.arange(40),), 8, seed=1, whole=16, share=1.0)
    assert torch.equal(batches.order(3), ShuffledColumns((torch.arange(40),), 8, seed=1).order(3))
    with pytest.raises(ValueError, match="between 0 and 1"):
        DrawnColumns((torch.arange(40),), 8, seed=1, whole=16, share=1.5)
