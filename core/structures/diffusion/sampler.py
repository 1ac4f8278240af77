"""The sampler of crystals as pure functions: from noise to structures in 1,000 published steps, or in fewer.

One step: with the corrector, the coordinates move along their score at this noise (Langevin dynamics); then the
predictor takes the lattice one step along the reverse chain (Ho et al. 2020), and the coordinates along that of a
variance-exploding process (Song et al. 2021). After Jiao et al. 2023 (DiffCSP, arXiv:2309.04475). Different from it:
the lattice is kept within LATTICE_LIMIT, and types are hidden at first, see `noise`. Each atom shows its type at a step
that is drawn beforehand, when it is drawn from the probabilities predicted at that step.

Only allowed elements are drawn; with a fixed formula no type is hidden, and samples can have the symmetry of templates,
see `wyckoff_templates`.

Samples are numbered, and the noise of each comes from the seed and its number. Samples are computed in blocks of
consecutive numbers, so that they do not depend, to the last bit, on how the blocks are distributed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.structure import Structure
from core.generation.diffusion.noise_schedule import STEPS, NoiseSchedule, cosine_schedule, respaced
from core.structures.diffusion.coordinate_noise import LEAST_SIGMA, score_rms, sigmas
from core.structures.diffusion.crystals import N_TYPES, Crystals, Groups, moved, one_hot
from core.structures.diffusion.guidance import guided
from core.structures.diffusion.lattice_numbers import N_NUMBERS, lattice_of
from core.structures.diffusion.network import CrystalNet, Prediction
from core.structures.diffusion.noise import hidden_shares
from core.structures.diffusion.wyckoff_templates import BlockSymmetry

VERSION = 1  # of the sampler: another one makes other samples with the same seed
BLOCK = 64  # samples computed together; part of the meaning of a seed
GROUP = 16  # crystals of a block that are padded to the same size
LEAST_NUMBER = 2.0**-25  # half of the least number above 0 that is drawn
LATTICE_LIMIT = 7.0  # largest lattice number without noise, in standard deviations
_SIZE, _START, _CORRECT, _DENOISE, _SHOW = range(5)  # numbers of the random streams


@dataclass(frozen=True)
class SamplerSettings:
    """How samples are made.

    steps : of the schedule; 1,000 as published
    corrector : whether a corrector step comes before each predictor step, as published
    corrector_step : its size at the least noise, in square cells
    guidance : the weight w, see `guidance`
    bfloat16 : whether the network multiplies in bfloat16
    """

    steps: int = 100
    corrector: bool = False
    corrector_step: float = 1e-5
    guidance: float = 2.0
    bfloat16: bool = False


@dataclass(frozen=True)
class Wanted:
    """What is asked of samples.

    tc_K : Tc in K for which they are made; None: any
    allowed : symbols of the elements that may occur; None: all that the network knows
    composition : symbols of the atoms of every sample, in this order; None: free
    """

    tc_K: float | None = None
    allowed: frozenset[str] | None = None
    composition: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Task:
    """The constant data of one block of samples.

    network : in evaluation mode, on the device of the block
    sizes : weights of 0, 1, 2 ... atoms, from which the number of atoms of a sample is drawn
    first, count : number of the first sample, and how many there are
    symmetry : of the samples in their order, which have a fixed formula then; None: any
    """

    network: CrystalNet
    sizes: Sequence[float]
    seed: int
    first: int
    count: int
    wanted: Wanted
    settings: SamplerSettings
    device: torch.device
    symmetry: BlockSymmetry | None = None

    @cached_property
    def atoms(self) -> dict[int, int]:
        """Number of a sample -> its number of atoms, in ascending order of these, in which samples are computed."""
        drawn = {number: self._drawn_atoms(number) for number in range(self.first, self.first + self.count)}
        return dict(sorted(drawn.items(), key=lambda pair: (pair[1], pair[0])))

    def _drawn_atoms(self, number: int) -> int:
        if self.wanted.composition is not None:
            return len(self.wanted.composition)
        weights = np.asarray(self.sizes, dtype=np.float64)
        return int(_random(self.seed, number, 0, _SIZE).choice(len(weights), p=weights / weights.sum()))

    @cached_property
    def shown_below(self) -> torch.Tensor:
        """(b, s) for each atom the share of hidden types from which on its type is shown; 0 at padding."""
        made = np.zeros((self.count, max(self.atoms.values())), dtype=np.float32)
        for row, (number, n) in enumerate(self.atoms.items()):
            made[row, :n] = _random(self.seed, number, 0, _SHOW).random(n)
        return torch.from_numpy(made).to(self.device)


@dataclass(frozen=True)
class State:
    """State of the sampling: completed steps, and the crystals of the block in the order of `Task.atoms`.

    likeliest : (b, s) int64, indices of the likeliest elements by the last prediction, before it drawn ones
    """

    step: int
    crystals: Crystals
    likeliest: torch.Tensor


class _Noise(NamedTuple):
    """Normal numbers for lattice (b, 6) and positions (b, s, 3); for types (b, s, 100) between 0 and 1."""

    lattice: torch.Tensor
    positions: torch.Tensor
    types: torch.Tensor


def init(task: Task) -> State:
    """Noise, and the types of a fixed formula.

    Raises ValueError for elements that a network cannot make, or if none is allowed.
    """
    allowed = _allowed(task)
    noise, atoms = _noise(task, STEPS, _START), torch.tensor(list(task.atoms.values()))
    types = torch.zeros_like(noise.types)
    if task.wanted.composition is not None:
        types = one_hot(torch.tensor(_indices(task.wanted.composition))).repeat(task.count, 1, 1)
    guess = drawn_elements(allowed.float().log().cpu(), noise.types)
    return State(0, moved(Crystals(types, _uniform(task), noise.lattice, atoms), task.device), guess.to(task.device))


def run(task: Task) -> list[Structure | None]:
    """All steps; the structures in the order of their numbers, None for one whose numbers are not those of a cell."""
    state = init(task)
    for _ in range(task.settings.steps):
        state = step(task, state)
    return structures(task, state)


@torch.no_grad()
def step(task: Task, state: State) -> State:
    """One step towards less noise: the corrector, if any, and the predictor. Raises ValueError after the last one."""
    schedule = schedule_of(task.settings)
    place = len(schedule) - 1 - state.step
    if place < 0:
        raise ValueError("all steps have been made")
    crystals, time = state.crystals, int(schedule.time[place])
    if task.settings.corrector:
        crystals = _corrected(task, crystals, time)
    return State(state.step + 1, *_denoised(task, crystals, schedule, place))


def schedule_of(settings: SamplerSettings) -> NoiseSchedule:
    """The steps of a sampler. Raises ValueError for fewer than 2 or more than 1,000."""
    return respaced(cosine_schedule(), settings.steps)


def structures(task: Task, state: State) -> list[Structure | None]:
    """Structures in the order of their numbers; None where a number is not finite or the cell has no volume.

    An atom whose type is hidden has the likeliest one.
    """
    names, crystals = elements.symbols(), state.crystals
    shown = crystals.types.sum(-1) > 0
    kinds = torch.where(shown, crystals.types.argmax(-1), state.likeliest).cpu().tolist()
    atoms = crystals.atoms.cpu().numpy()
    lattice = crystals.lattice.cpu().numpy().astype(np.float64)
    numbers, positions = task.network.scale.numbers(lattice, atoms), crystals.positions.cpu().numpy()
    made: dict[int, Structure | None] = {}
    for row, number in enumerate(task.atoms):
        n = int(atoms[row])
        try:
            cell = lattice_of(numbers[row])
            made[number] = Structure(cell, tuple(names[k] for k in kinds[row][:n]), positions[row, :n].astype(float))
        except (ValueError, np.linalg.LinAlgError):
            made[number] = None
    return [made[number] for number in sorted(made)]


def _corrected(task: Task, crystals: Crystals, time: int) -> Crystals:
    """One step of Langevin dynamics of the coordinates."""
    size = task.settings.corrector_step * (float(sigmas()[time]) / LEAST_SIGMA) ** 2
    score = _score(task, crystals, _predicted(task, crystals, time), time)
    noise = _noise(task, time, _CORRECT).positions.to(task.device) if time else torch.zeros_like(score)
    return replace(crystals, positions=(crystals.positions + size * score + (2 * size) ** 0.5 * noise) % 1.0)


def _score(task: Task, crystals: Crystals, predicted: Prediction, time: int) -> torch.Tensor:
    """The score (b, s, 3) of the coordinates, such that those without noise have the symmetry of the templates."""
    score, variance = predicted.positions * float(score_rms()[time]), float(sigmas()[time]) ** 2
    if task.symmetry is None:
        return score
    return score + task.symmetry.shift(crystals.positions + variance * score) / variance


def _denoised(task: Task, crystals: Crystals, schedule: NoiseSchedule, place: int) -> tuple[Crystals, torch.Tensor]:
    """The predictor: everything one step of the schedule towards less noise; the last one adds none.

    Returns the crystals and the likeliest elements (b, s).
    """
    time = int(schedule.time[place])
    predicted, noise = _predicted(task, crystals, time), _noise(task, time, _DENOISE)
    noise = _Noise(*(each.to(task.device) for each in noise))
    sigma = float(sigmas()[time])
    before = float(sigmas()[schedule.time[place - 1]]) if place else 0.0
    drift, spread = sigma**2 - before**2, before * (sigma**2 - before**2) ** 0.5 / sigma
    score = _score(task, crystals, predicted, time)
    positions = (crystals.positions + drift * score + spread * noise.positions) % 1.0
    signal = float(schedule.signal[place])
    lattice = signal**0.5 * crystals.lattice - (1 - signal) ** 0.5 * predicted.lattice  # from its velocity
    lattice = lattice.clamp(-LATTICE_LIMIT, LATTICE_LIMIT)
    if task.symmetry is not None:
        lattice = task.symmetry.symmetric_lattice(lattice, crystals.atoms, task.network.scale)
    lattice = _posterior(crystals.lattice, lattice, noise.lattice, schedule, place)
    likely = predicted.types.masked_fill(~_allowed(task), -torch.inf)
    hidden_before = float(hidden_shares()[schedule.time[place - 1]]) if place else 0.0
    types = _shown(task, crystals.types, likely, noise.types, hidden_before)
    return Crystals(types, positions, lattice, crystals.atoms), likely.argmax(-1)


def _shown(task: Task, types: torch.Tensor, likely: torch.Tensor, numbers: torch.Tensor, hidden: float) -> torch.Tensor:
    """Types (b, s, 100), drawn for those atoms that are hidden and no longer so where this share of types is hidden."""
    ready = (types.sum(-1) == 0) & (task.shown_below >= hidden)
    return torch.where(ready[..., None], one_hot(drawn_elements(likely, numbers)), types)


def drawn_elements(likely: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Indices (b, s) of elements, drawn from logarithms of probabilities (b, s, 100) up to a constant, or (100,).

    The largest sum of a logarithm and a Gumbel number -ln(-ln u) has just this distribution.

    numbers : u (b, s, 100), equally distributed between 0 and 1; an element without probability is never drawn
    """
    return (likely.float() - (-numbers.clamp(min=LEAST_NUMBER).log()).log()).argmax(-1)


def _posterior(
    noisy: torch.Tensor, without: torch.Tensor, noise: torch.Tensor, schedule: NoiseSchedule, place: int
) -> torch.Tensor:
    """A draw from q(x_(t-1) | x_t, x_0) (Ho et al. 2020, eq. 6 and 7)."""
    beta, signal = float(schedule.beta[place]), float(schedule.signal[place])
    before = float(schedule.signal[place - 1]) if place else 1.0
    of_signal, of_noisy = before**0.5 * beta / (1 - signal), (1 - beta) ** 0.5 * (1 - before) / (1 - signal)
    return of_signal * without + of_noisy * noisy + (beta * (1 - before) / (1 - signal)) ** 0.5 * noise


def _predicted(task: Task, crystals: Crystals, time: int) -> Prediction:
    """The prediction for all crystals of the block, group by group."""
    size = crystals.positions.shape[1]
    found = []
    bfloat16 = torch.autocast(task.device.type, torch.bfloat16, enabled=task.settings.bfloat16)
    for group in Groups.of(crystals.atoms.tolist(), GROUP).split(crystals):
        steps = torch.full((len(group),), time, device=task.device)
        with bfloat16:
            made = guided(task.network, group, steps, task.wanted.tc_K, task.settings.guidance)
        missing = (0, 0, 0, size - group.positions.shape[1])
        pad = torch.nn.functional.pad
        found.append(Prediction(made.lattice, pad(made.positions, missing), pad(made.types, missing)))
    return Prediction(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _allowed(task: Task) -> torch.Tensor:
    """(100,) which elements may occur. Raises ValueError if there are none, or for one beyond fermium."""
    wanted = task.wanted.composition if task.wanted.composition is not None else task.wanted.allowed
    if wanted is None:
        return torch.ones(N_TYPES, dtype=torch.bool, device=task.device)
    return torch.isin(torch.arange(N_TYPES), torch.tensor(_indices(wanted))).to(task.device)


def _indices(symbols: Sequence[str] | frozenset[str]) -> list[int]:
    found = [elements.element(symbol).index for symbol in symbols]
    if not found or max(found) >= N_TYPES:
        raise ValueError(f"a network of crystals makes the elements H to Fm, not {sorted(symbols)}")
    return found


def _random(seed: int, number: int, step: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, number, step, stream])


def _uniform(task: Task) -> torch.Tensor:
    """Coordinates (b, s, 3) equally distributed over the cell."""
    made = np.zeros((task.count, max(task.atoms.values()), 3), dtype=np.float32)
    for row, (number, n) in enumerate(task.atoms.items()):
        made[row, :n] = _random(task.seed, number, STEPS, _SIZE).random((n, 3))
    return torch.from_numpy(made)


def _noise(task: Task, time: int, stream: int) -> _Noise:
    """Random numbers for the block, those of each sample from its own stream; 0 at padding."""
    size = max(task.atoms.values())
    shapes = ((N_NUMBERS,), (size, 3), (size, N_TYPES))
    lattice, positions, types = (np.zeros((task.count, *shape), dtype=np.float32) for shape in shapes)
    for row, (number, n) in enumerate(task.atoms.items()):
        random = _random(task.seed, number, time, stream)
        lattice[row] = random.standard_normal(N_NUMBERS, dtype=np.float32)
        positions[row, :n] = random.standard_normal((n, 3), dtype=np.float32)
        types[row, :n] = random.random((n, N_TYPES), dtype=np.float32)
    return _Noise(*map(torch.from_numpy, (lattice, positions, types)))
