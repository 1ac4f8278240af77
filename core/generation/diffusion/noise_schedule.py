"""The cosine noise schedule of Nichol and Dhariwal 2021 (doi:10.48550/arXiv.2102.09672), and its shorter versions.

A composition after step t is x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise, where abar_t is the share of the variance
that belongs to the signal, the product of 1 - beta up to t. Steps are counted from 0, the least noisy one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 1000  # of the published schedule, which the network is trained for
OFFSET = 0.008  # keeps beta_0 above 0
MAX_BETA = 0.999
DENSE = 10  # a shorter schedule keeps this part (one tenth) of its steps without gaps at each end
SPACING = 1.5


@dataclass(frozen=True)
class NoiseSchedule:
    """The steps of a sampler, the least noisy one first.

    time : (steps,) int64, the step of the published schedule, which is the input of the network
    beta : (steps,) variance that the step adds
    signal : (steps,) abar
    """

    time: np.ndarray
    beta: np.ndarray
    signal: np.ndarray

    def __len__(self) -> int:
        return len(self.time)


def cosine_schedule(steps: int = STEPS) -> NoiseSchedule:
    """beta_t = min(1 - f((t + 1) / T) / f(t / T), 0.999), f(u) = cos^2((u + s) / (1 + s) pi / 2)."""
    angle = (np.arange(steps + 1) / steps + OFFSET) / (1 + OFFSET) * np.pi / 2
    f = np.cos(angle) ** 2
    beta = np.minimum(1 - f[1:] / f[:-1], MAX_BETA)
    return NoiseSchedule(np.arange(steps), beta, np.cumprod(1 - beta))


def respaced(schedule: NoiseSchedule, steps: int) -> NoiseSchedule:
    """A schedule of fewer steps with the same signal at the kept ones: beta = 1 - abar_k / abar_(k-1).

    One tenth of the steps at each end are kept without gaps; between them the gaps widen towards the noise, by a power
    of SPACING. At the noisy end a wide step would multiply the error of the network (the published first step does so
    by 31.6); at the other end it would leave noise in the result.

    Raises ValueError unless `steps` is from 2 to the number of steps of the schedule.
    """
    total = len(schedule)
    if not 2 <= steps <= total:
        raise ValueError(f"a schedule of {total} steps cannot be shortened to {steps}")
    if steps == total:
        return schedule
    dense = max(steps // DENSE, 1)
    spaced = dense - 1 + (total - 2 * dense + 1) * np.linspace(0, 1, steps - 2 * dense + 2) ** SPACING
    between = np.round(spaced).astype(int)
    offset = np.arange(len(between))  # integers that increase by at least 1 are offset plus numbers that never fall
    between = np.maximum.accumulate(between - offset)
    between = np.minimum(between, between[0] + total - 2 * dense + 1 - offset[-1]) + offset
    kept = np.unique([*range(dense), *between, *range(total - dense, total)])
    signal = schedule.signal[kept]
    return NoiseSchedule(schedule.time[kept], 1 - signal / np.append(1.0, signal[:-1]), signal)
