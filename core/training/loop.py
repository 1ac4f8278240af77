"""The training loop of all networks: an optimiser with a schedule, and averaged weights.

On a CUDA device the data stay in its memory, the whole step is captured in a graph, and within an epoch nothing is
read back. A resume point is stored after each epoch, so that an interrupted training can resume.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import nn
from tqdm import tqdm

from core.predictors.device import matmul_precision
from core.training import resume_point
from core.training.batches import Batch, Batches, DeviceBatches
from core.training.captured_step import captured
from core.training.optimisers import ADAMW, ONE_CYCLE, ScheduledOptimiser, rates_of
from core.training.shared_loss import with_gradient

Network = TypeVar("Network", bound=nn.Module)
Loss = Callable[[Network, Batch], torch.Tensor]
Report = Callable[[Network], dict[str, float]]


@dataclass(frozen=True)
class FitSettings:
    """Settings of a fit.

    learning_rate : of a constant schedule, or the highest of a one-cycle schedule
    averaging : decay per step of the exponential moving average of the weights; None: no average
    gradient_clip : largest norm of the gradient; None: no limit
    optimiser, schedule : see `optimisers`
    tf32 : whether a CUDA device multiplies matrices in TF32, with an error of about 1e-3; its convolutions always do
    """

    epochs: int
    steps_per_epoch: int
    learning_rate: float
    weight_decay: float
    averaging: float | None = 0.999
    gradient_clip: float | None = 1.0
    optimiser: str = ADAMW
    schedule: str = ONE_CYCLE
    tf32: bool = False


@dataclass(frozen=True)
class Fitting:
    """A fit that has not begun: what `fit_members` needs, except the resume points.

    name : what is fitted, on which data
    times : how often a training makes such a fit, each time on other rows
    """

    name: str
    models: Sequence[nn.Module]
    batches: Sequence[Batches]
    loss: Loss
    settings: FitSettings
    report: Report
    times: int = 1

    def run(self, resumes: Sequence[Path], models: Sequence[nn.Module] | None = None) -> list[nn.Module]:
        """`fit_members`, beginning with other models if they are given."""
        return fit_members(models or self.models, self.batches, self.loss, self.settings, resumes, self.report)


def training_device() -> torch.device:
    """The device of all trainings: a CUDA device if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def captures_steps() -> bool:
    """Whether steps are captured in CUDA graphs: then a loss must not wait for the device; see `fit`."""
    return training_device().type == "cuda"


def fit(model: Network, batches: Batches, loss: Loss, settings: FitSettings, resume: Path, report: Report) -> Network:
    """Train `model`, on `training_device`, and return the model with averaged weights, on the CPU.

    batches(epoch) : the batches of an epoch; they must depend on the epoch only, so that a resumed fit uses the same
    loss(model, batch) : scalar to minimise; on a CUDA device it must not wait for the device, nor have shapes that
        depend on values, and its random numbers are drawn there
    report(averaged model) : validation figures after each epoch, shown and logged to `resume`/log.jsonl; the model is
        in evaluation mode, on the device
    resume : folder of the resume point; read if it exists

    Raises InputError if the resume point belongs to a training with other settings; ValueError for settings that do not
    exist, see `ScheduledOptimiser`.
    """
    (trained,) = fit_members([model], [batches], loss, settings, [resume], report)
    return trained


def fit_members(
    models: Sequence[Network],
    batches: Sequence[Batches],
    loss: Loss,
    settings: FitSettings,
    resumes: Sequence[Path],
    report: Report,
) -> list[Network]:
    """`fit` of several models; on a CUDA device their steps are in one graph, and run side by side.

    Each model is trained as it would be alone, except that random numbers drawn on a CUDA device differ.
    """
    device, sent = training_device(), {}
    members = [
        _Member(model, each, settings, resume, device, sent)
        for model, each, resume in zip(models, batches, resumes, strict=True)
    ]
    together = captures_steps() and len({member.epoch for member in members}) == 1
    with matmul_precision(settings.tf32, device):
        for group in [members] if together else [[member] for member in members]:
            _train(group, loss, settings, report)
    return [cast(Network, member.average.cpu().eval()) for member in members]


class _Member:
    """A model in training, with its averaged weights, optimiser, batches and number of finished epochs."""

    def __init__(
        self, model: nn.Module, batches: Batches, settings: FitSettings, resume: Path, device: torch.device, sent: dict
    ):
        self.model, self.settings, self.resume = model.to(device), settings, resume
        self.average = model if settings.averaging is None else copy.deepcopy(model)
        rates = rates_of(settings.schedule, settings.learning_rate, settings.epochs * settings.steps_per_epoch)
        self.optimiser = ScheduledOptimiser(
            settings.optimiser, model.parameters(), rates, settings.weight_decay, captured=captures_steps()
        )
        self.epoch = resume_point.restore(resume, settings, model, self.average, self.optimiser.inner)
        self.optimiser.go_to(self.epoch * settings.steps_per_epoch)
        self.batches = batches
        self.on_device = DeviceBatches(batches, device, sent) if captures_steps() else None
        self.total = torch.zeros((), dtype=torch.float64, device=device)  # of the losses of this epoch
        # Floating-point tensors only: an average of index buffers has no meaning.
        pairs = zip(self.average.state_dict().values(), model.state_dict().values(), strict=True)
        self._averaged = [(old, new) for old, new in pairs if old.is_floating_point() and self.average is not model]

    def step(self, batch: Batch, loss: Loss) -> None:
        """One step of the optimiser."""
        self.optimiser.inner.zero_grad(set_to_none=True)
        value = with_gradient(loss, self.model, batch)
        if self.settings.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.gradient_clip)
        self.optimiser.step()
        with torch.no_grad():
            if self._averaged and self.settings.averaging is not None:
                old, new = zip(*self._averaged, strict=True)
                torch._foreach_lerp_(old, new, 1 - self.settings.averaging)
            self.total += value

    def changed(self) -> list[torch.Tensor]:
        """All tensors that a step changes."""
        averaged = [] if self.average is self.model else [*self.average.state_dict().values()]
        place = [] if self.on_device is None else [self.on_device.place]
        return [*self.model.state_dict().values(), *averaged, *self.optimiser.tensors(), *place, self.total]

    def finish_epoch(self, report: Report) -> None:
        """Report, and store the resume point."""
        self.epoch += 1
        loss = float(self.total) / max(self.settings.steps_per_epoch, 1)
        figures = {"loss": loss, **report(copy.deepcopy(self.average).eval())}
        print(json.dumps({"epoch": self.epoch, **figures}), flush=True)
        resume_point.store(
            self.resume, self.settings, self.epoch, self.model, self.average, self.optimiser.inner, figures
        )


def _train(members: Sequence[_Member], loss: Loss, settings: FitSettings, report: Report) -> None:
    """Train from the next epoch, which is the same for all members, to the last."""
    step = None
    for epoch in range(members[0].epoch, settings.epochs):
        torch.manual_seed(epoch)  # dropout, and what the loss draws
        for member in members:
            member.model.train()
            member.total.zero_()
            if member.on_device is not None:
                member.on_device.begin(epoch)
        title, n = f"epoch {epoch + 1}/{settings.epochs}", settings.steps_per_epoch
        if members[0].on_device is None:
            (member,) = members
            for batch in tqdm(member.batches(epoch), total=n, desc=title):
                member.step(batch, loss)
        else:
            if step is None:
                step = _captured(members, loss)
                torch.manual_seed(epoch)
            for _ in tqdm(range(n), desc=title):
                step()
        for member in members:
            member.finish_epoch(report)


def _captured(members: Sequence[_Member], loss: Loss) -> Callable[[], None]:
    """The next step of all members, in one graph: side by side, or one after the other."""

    def one(member: _Member) -> None:
        assert member.on_device is not None
        member.step(member.on_device.next(), loss)

    def in_turn() -> None:
        for member in members:
            one(member)

    if len(members) == 1:
        return captured([in_turn], members[0].changed())

    def side_by_side() -> None:
        current, streams = torch.cuda.current_stream(), [torch.cuda.Stream() for _ in members]
        for member, stream in zip(members, streams, strict=True):
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                one(member)
        for stream in streams:
            current.wait_stream(stream)

    return captured([side_by_side, in_turn], [each for member in members for each in member.changed()])
