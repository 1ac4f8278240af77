"""Batches of training data: rows of columns in random order, and their place on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

Batch = tuple[torch.Tensor, ...]


class ShuffledColumns:
    """The batches of each epoch: rows of the columns (n, ...) in random order, an incomplete last batch left out.

    The order depends on seed and epoch only. steps : number of batches of an epoch
    """

    def __init__(self, columns: Batch, batch: int, seed: int):
        self.columns, self.batch, self.seed = columns, batch, seed
        self.steps = len(self.columns[0]) // batch

    def with_seed(self, seed: int) -> ShuffledColumns:
        """The same columns, not copied, in another order."""
        return ShuffledColumns(self.columns, self.batch, seed)

    def order(self, epoch: int) -> torch.Tensor:
        """Rows of each batch (steps, batch)."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.columns[0]))
        return torch.from_numpy(order[: self.steps * self.batch].reshape(self.steps, self.batch))

    def __call__(self, epoch: int) -> Iterator[Batch]:
        for rows in self.order(epoch):
            yield tuple(column[rows] for column in self.columns)


class DrawnColumns(ShuffledColumns):
    """Batches of all of the first rows, and of a share of the other rows, which is drawn anew for each epoch."""

    def __init__(self, columns: Batch, batch: int, seed: int, whole: int, share: float):
        """whole : number of first rows, which are in every epoch. Raises ValueError for a share outside of 0 to 1."""
        super().__init__(columns, batch, seed)
        if not 0 <= share <= 1:
            raise ValueError(f"a share of {share}; it is between 0 and 1")
        self.whole, self.drawn = whole, round(share * (len(columns[0]) - whole))
        self.steps = (whole + self.drawn) // batch

    def order(self, epoch: int) -> torch.Tensor:
        """Rows of each batch (steps, batch)."""
        random, others = np.random.default_rng([self.seed, epoch]), len(self.columns[0]) - self.whole
        if self.drawn < others:
            left_out = self.whole + random.permutation(others)[self.drawn :]
            rows = np.delete(np.arange(len(self.columns[0])), left_out)
        else:
            rows = np.arange(len(self.columns[0]))
        order = random.permutation(rows)
        return torch.from_numpy(order[: self.steps * self.batch].reshape(self.steps, self.batch))


class GroupedColumns(ShuffledColumns):
    """Batches with the same number of rows from each of some groups of consecutive rows, one group after the other.

    If the rows are in the order of their size, every batch has the same sizes at the same places, up to the largest
    size of each group. Of groups of unequal size a few rows, others in each epoch, are left out.
    """

    def __init__(self, columns: Batch, batch: int, groups: int, seed: int):
        """Raises ValueError unless `batch` is a multiple of `groups` and each group has the rows for one batch."""
        super().__init__(columns, batch, seed)
        self.groups = np.array_split(np.arange(len(columns[0])), groups)
        self.rows = batch // groups
        self.steps = min(map(len, self.groups)) // max(self.rows, 1)
        if batch % groups or not self.steps:
            raise ValueError(f"{len(columns[0])} rows do not make batches of {batch} from {groups} groups")

    def order(self, epoch: int) -> torch.Tensor:
        """Rows of each batch (steps, batch)."""
        random = np.random.default_rng([self.seed, epoch])
        drawn = [random.permutation(group)[: self.steps * self.rows] for group in self.groups]
        return torch.from_numpy(np.concatenate([rows.reshape(self.steps, self.rows) for rows in drawn], axis=1))


Batches = Callable[[int], Iterable[Batch]]  # epoch -> its batches, which depend on the epoch only


class DeviceBatches:
    """The batches of an epoch in the memory of a device, at fixed addresses, so that a CUDA graph can read them.

    Columns of `ShuffledColumns` are sent once, and in each epoch their order; other batches are sent in each epoch.
    """

    def __init__(self, batches: Batches, device: torch.device, sent: dict[int, Batch]):
        """sent : columns that are on the device already, by the identity of the columns on the CPU; added to."""
        self._batches, self._device = batches, device
        self._columns: Batch = ()
        if isinstance(batches, ShuffledColumns):
            key = id(batches.columns)
            if key not in sent:
                sent[key] = tuple(column.to(device) for column in batches.columns)
            self._columns = sent[key]
        self._order: torch.Tensor | None = None
        self.place = torch.zeros(1, dtype=torch.int64, device=device)

    def begin(self, epoch: int) -> None:
        """Send what this epoch needs, and go to its first batch. Raises ValueError if epochs have different sizes."""
        if isinstance(self._batches, ShuffledColumns):
            order = self._batches.order(epoch)
        else:
            batches = list(self._batches(epoch))
            columns = tuple(torch.cat(parts) for parts in zip(*batches, strict=True))
            order = torch.arange(len(columns[0])).view(len(batches), -1)
            self._columns = _overwritten(self._columns, columns, self._device)
        (self._order,) = _overwritten(() if self._order is None else (self._order,), (order,), self._device)
        self.place.zero_()

    def next(self) -> Batch:
        """The next batch of the epoch; `place`, its number (1,), is counted on the device."""
        assert self._order is not None, "begin comes first"
        rows = self._order.index_select(0, self.place).squeeze(0)
        self.place += 1
        return tuple(column.index_select(0, rows) for column in self._columns)


def _overwritten(there: Batch, new: Batch, device: torch.device) -> Batch:
    """The tensors `there`, if any, with the values of the new ones."""
    if not there:
        return tuple(each.to(device, copy=True) for each in new)
    for old, each in zip(there, new, strict=True):
        if old.shape != each.shape:
            raise ValueError(f"an epoch has a column of {tuple(each.shape)}, the one before of {tuple(old.shape)}")
        old.copy_(each)
    return there
