"""The speed of the trainings of networks: samples per second, and the time for the whole training.

Trainings of trees and kernels, which take minutes on a CPU, are not measured.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from pkgutil import resolve_name

import pandas as pd
import torch
from torch import nn

from core.errors import InputError
from core.paths import CHECKPOINTS
from core.training.batches import Batch, Batches, ShuffledColumns
from core.training.data import data_folder
from core.training.loop import Fitting, Report, training_device

# Name of a training -> its fits: (name, folder of the raw data, folder of the checkpoints, seed) -> list of Fitting.
FITTINGS = {
    "formation-energy": "core.training.formation_energy:fittings",
    "formation-energy-ensemble": "core.training.formation_energy_ensemble:fittings",
    "tc": "core.training.tc:fittings",
    "tc-ensemble": "core.training.tc_ensemble:fittings",
    "superdiff-cuprate": "core.training.superdiff:fittings",
    "superdiff-iron-based": "core.training.superdiff:fittings",
    "superdiff-other": "core.training.superdiff:fittings",
    "crystal-base": "core.training.crystal_base:fittings",
    "crystal-tc": "core.training.crystal_tc:fittings",
}


def training_speed(
    steps: int | None = None,
    data: Path | None = None,
    checkpoints: Path = CHECKPOINTS,
    names: Sequence[str] = tuple(FITTINGS),
    log: Callable[[str], None] = lambda line: None,
) -> pd.DataFrame:
    """A row for each fit of the trainings `names`, measured on `training_device`.

    steps : of an epoch that is measured; None: a whole epoch
    data : folder of the raw data, see `data_folder`; checkpoints : of networks with which a training begins
    log : called with one line before each measurement

    Each fit makes two epochs; the first, in which the step is captured, is not timed. Seconds of the whole training are
    those of its epochs and of their reports; without reading the data and without the evaluation at the end.

    Raises InputError if the raw data are missing, CheckpointError without the checkpoints.
    """
    rows = []
    for name in names:
        for fitting in resolve_name(FITTINGS[name])(name, data_folder(data), checkpoints, 0):
            log(f"training of {fitting.name}")
            rows.append({"training": name, **measured(fitting, steps)})
    return pd.DataFrame(rows)


def measured(fitting: Fitting, steps: int | None = None) -> dict[str, str | int | float]:
    """One row of `training_speed`. Raises InputError for less than one step."""
    settings = fitting.settings
    steps = settings.steps_per_epoch if steps is None else min(steps, settings.steps_per_epoch)
    if steps < 1:
        raise InputError("steps", steps, "at least one step is measured", "Give more steps, or more data")
    clock = _Clock(fitting.report)
    timed = replace(
        fitting,
        batches=[_cut(each, steps, clock) for each in fitting.batches],
        settings=replace(settings, epochs=2, steps_per_epoch=steps),
        report=clock.report,
    )
    with tempfile.TemporaryDirectory() as folder:
        timed.run([Path(folder) / str(i) for i in range(len(fitting.models))])
    epoch_s = clock.seconds * settings.steps_per_epoch / steps
    report_s = clock.report_seconds
    return {
        "fit": fitting.name,
        "device": str(training_device()),
        "networks": len(fitting.models),
        "batch": clock.batch,
        "steps_measured": steps,
        "samples_per_s": len(fitting.models) * clock.batch * steps / clock.seconds,
        "ms_per_step": 1000 * clock.seconds / steps,
        "epoch_s": epoch_s,
        "report_s": report_s,
        "whole_training_s": fitting.times * settings.epochs * (epoch_s + report_s),
    }


@dataclass
class _Clock:
    """Times of the last of two epochs, of all members.

    seconds : from the draw of the batches to the report, in which the device has finished
    report_seconds : of the reports
    batch : rows of a batch
    """

    inner: Report
    seconds: float = 0.0
    report_seconds: float = 0.0
    batch: int = 0
    _last: bool = False
    _since: float | None = None

    def begin(self, epoch: int) -> None:
        """The batches of an epoch, 0 or 1, are asked for: on a GPU by all members, before the first step."""
        self._last = epoch == 1
        if self._last and self._since is None:
            self._since = time.perf_counter()

    def report(self, model: nn.Module) -> dict[str, float]:
        """A member has finished an epoch."""
        began = time.perf_counter()
        if self._since is not None:
            self.seconds += began - self._since
            self._since = None
        figures = self.inner(model)
        if self._last:
            self.report_seconds += time.perf_counter() - began
        return figures


class _TimedColumns(ShuffledColumns):
    def __init__(self, columns: ShuffledColumns, steps: int, clock: _Clock):
        super().__init__(columns.columns, columns.batch, columns.seed)
        self.steps, self._all, self._clock = steps, columns, clock

    def order(self, epoch: int) -> torch.Tensor:
        self._clock.begin(epoch)
        return self._all.order(epoch)[: self.steps]


def _cut(batches: Batches, steps: int, clock: _Clock) -> Batches:
    """The first `steps` batches of an epoch."""
    if isinstance(batches, ShuffledColumns):
        clock.batch = batches.batch
        return _TimedColumns(batches, steps, clock)

    def first(epoch: int) -> Iterable[Batch]:
        clock.begin(epoch)
        for batch in islice(batches(epoch), steps):
            clock.batch = len(batch[0])
            yield batch

    return first
