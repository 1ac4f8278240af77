"""SuperDiff's sampler as pure functions: ancestral steps (Ho et al. 2020), guidance, and conditioning on a reference.

One step takes the sample from level t to t - 1: the noise predicted by the network is partly removed and new noise is
added; with guidance, the sample moves against the gradient of the predicted loss (KIAGO 3.1); with a reference, its
coarse part is replaced by that of the reference at the noise of level t - 1 (ILVR). Nothing is clipped, and the last
step adds no noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from core.generation.diffusion.formulas import at_any_step, survives
from core.generation.diffusion.guidance import PUBLISHED_BATCH, Guidance
from core.generation.diffusion.network import N_POSITIONS
from core.generation.diffusion.noise_schedule import NoiseSchedule
from core.generation.diffusion.reference_projection import reference_projection
from core.generation.gradient import losses
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.interface import Report
from core.predictors.interface import Predictor

SHOWN = 3  # samples in reports
NOISE_ROWS = 64  # candidates whose noise is drawn together; part of the meaning of a seed
# Numbers of the random streams of a step.
_START, _DENOISE, _REFERENCE, _SHARED = range(4)


@dataclass(frozen=True)
class Reference:
    """The composition on which samples are conditioned.

    amounts : (96,) atoms per formula unit
    factors : scale factors; candidate k takes the k-th of them, in turn
    shared_noise : one noise of the reference for all candidates, as in the authors' code, instead of one for each
    """

    amounts: np.ndarray
    factors: tuple[int, ...]
    shared_noise: bool = False


@dataclass(frozen=True)
class Task:
    """The constant data of a run.

    network : noise predictor, amounts (batch, 96) and steps (batch,) -> noise (batch, 96)
    guidance_weight : in the unit of the paper, for the gradient of the mean over PUBLISHED_BATCH samples and one step
        of the published schedule; a wider step of a shorter schedule counts as the steps that it replaces. 0: none
    atom_counts : (sizes,) float, the N of the integer loss in reports
    most_elements : in a formula that SuperDiff's filter lets pass, for the share of valid samples in reports
    """

    network: nn.Module
    schedule: NoiseSchedule
    candidates: int
    seed: int
    device: torch.device
    tc: Predictor
    formation_energy: Predictor
    guidance: Guidance
    atom_counts: torch.Tensor
    most_elements: int
    guidance_weight: float = 0.0
    reference: Reference | None = None
    cores: BatchParallel = field(default_factory=BatchParallel)


@dataclass(frozen=True)
class State:
    """State of the sampling.

    step : () int64, completed steps
    amounts : (batch, 96) float32
    """

    step: torch.Tensor
    amounts: torch.Tensor


class Moves(NamedTuple):
    """The amounts (batch, 96) after each part of a step; parts that are not used change nothing."""

    denoised: torch.Tensor
    guided: torch.Tensor
    conditioned: torch.Tensor


def init(task: Task) -> State:
    """Normal noise."""
    return State(torch.zeros((), dtype=torch.int64), _noise(task, 0, _START))


def step(task: Task, state: State) -> tuple[State, Report]:
    """One step for every candidate; the report precedes the step."""
    report = evaluate(task, state)
    return State(state.step + 1, moves(task, state).conditioned), report


def evaluate(task: Task, state: State) -> Report:
    """Fractions and properties of the current state, without a step."""
    tc, energy = _members(task, state)

    def evaluated(rows: slice) -> tuple[torch.Tensor, ...]:
        with torch.no_grad():  # this setting is local to the thread
            fractions, tc_K, energy_eV = task.guidance.predictions(state.amounts[rows], tc, energy)
            present = fractions.topk(max(int((fractions > 0).sum(1).max()), 1), dim=1).values
            return fractions, tc_K, energy_eV, losses.integer_loss(present, task.atom_counts)

    fractions, tc_K, energy_eV, integer = _joined(task, evaluated)
    amounts = state.amounts.cpu().numpy()
    valid, samples = survives(amounts, task.most_elements), tuple(at_any_step(amounts[:SHOWN]))
    return Report(int(state.step), 1, fractions, tc_K, energy_eV, integer, 0, None, float(valid.mean()), samples)


def moves(task: Task, state: State) -> Moves:
    """The amounts after the denoising of a step, after its guidance, and after its conditioning."""
    level = len(task.schedule) - 1 - int(state.step)
    denoised = _denoised(task, state, level)
    guided = _guided(task, state, denoised, level) if task.guidance_weight else denoised
    return Moves(denoised, guided, guided if task.reference is None else _conditioned(task, state, guided, level))


def _denoised(task: Task, state: State, level: int) -> torch.Tensor:
    """(x - beta / sqrt(1 - abar) noise(x)) / sqrt(1 - beta) + sqrt(beta) z, without z at the last step."""
    schedule = task.schedule
    beta, signal, time = schedule.beta[level], schedule.signal[level], int(schedule.time[level])

    def predicted(rows: slice) -> tuple[torch.Tensor]:
        with torch.no_grad():
            x = state.amounts[rows]
            return (task.network(x, torch.full((len(x),), time, device=x.device)),)

    (noise,) = _joined(task, predicted)
    mean = (state.amounts - float(beta / np.sqrt(1 - signal)) * noise) / float(np.sqrt(1 - beta))
    if level == 0:
        return mean
    return mean + float(np.sqrt(beta)) * _noise(task, int(state.step), _DENOISE)


def _guided(task: Task, state: State, amounts: torch.Tensor, level: int) -> torch.Tensor:
    """x - w g with the gradient g of each sample at the denoised amounts."""
    tc, energy = _members(task, state)
    time = task.schedule.time
    replaced = int(time[level] - time[level - 1]) if level else 1
    (gradient,) = _joined(task, lambda rows: (task.guidance.gradient(amounts[rows], tc, energy),))
    return amounts - task.guidance_weight / PUBLISHED_BATCH * replaced * gradient


def _conditioned(task: Task, state: State, amounts: torch.Tensor, level: int) -> torch.Tensor:
    """x + P (y - x), where y is the reference at the noise of the level that the step reaches (ILVR)."""
    reference = task.reference
    assert reference is not None
    signal = float(task.schedule.signal[level - 1]) if level else 1.0
    stream = _SHARED if reference.shared_noise else _REFERENCE
    clean = torch.from_numpy(reference.amounts).float().to(amounts.device)
    noisy = signal**0.5 * clean + (1 - signal) ** 0.5 * _noise(task, int(state.step), stream)
    difference, conditioned = noisy - amounts, amounts.clone()
    for turn, factor in enumerate(reference.factors):
        rows = slice(turn, None, len(reference.factors))
        projection = torch.from_numpy(reference_projection(factor)).float().to(amounts.device)
        conditioned[rows] += difference[rows] @ projection.T
    return conditioned


def _members(task: Task, state: State) -> tuple[Predictor, Predictor]:
    """The members of the predictors whose turn it is."""
    return task.tc.member_at(int(state.step)), task.formation_energy.member_at(int(state.step))


def _noise(task: Task, step: int, stream: int) -> torch.Tensor:
    """Normal noise (batch, 96) of a step; it depends on the seed, the step, and the number of the candidate only."""
    if stream == _SHARED:
        drawn = np.random.default_rng([task.seed, step, stream]).standard_normal(N_POSITIONS)
        noise = np.broadcast_to(drawn, (task.candidates, N_POSITIONS))
    else:
        blocks = range(-(-task.candidates // NOISE_ROWS))
        shape = (NOISE_ROWS, N_POSITIONS)
        rows = [np.random.default_rng([task.seed, step, stream, block]).standard_normal(shape) for block in blocks]
        noise = np.concatenate(rows)[: task.candidates]
    return torch.from_numpy(noise.astype(np.float32)).to(task.device)


def _joined(task: Task, of_rows: Callable[[slice], tuple[torch.Tensor, ...]]) -> tuple[torch.Tensor, ...]:
    """Tensors of all candidates from those of consecutive shares."""
    parts = task.cores.map(of_rows, task.candidates)
    return tuple(torch.cat(columns) for columns in zip(*parts, strict=True))
