"""From the amounts of a sample to a formula: SuperDiff's, KIAGO's and our rules. Samples without a formula are counted.

SuperDiff rounds to two decimals, drops amounts below 0.08 and rejects a sample with a negative amount. KIAGO sets
everything below a threshold to 0, negative amounts too, and keeps four decimals; of ten thresholds the one with the
highest mean Tc of the best 30 samples is taken. For hydrides KIAGO rounds to whole atoms. Ours rounds as the gradient
method does: if the nearest formula of whole atoms fails the charge screens, to the neutral formula with the best
predicted Tc and formation energy among those nearby (`core.generation.integer_formulas`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import formula_of_counts
from core.generation.diffusion.network import N_POSITIONS
from core.generation.diffusion.settings import KIAGO, SUPERDIFF, WHOLE
from core.generation.rounding import Rounded

LEAST_AMOUNT = 0.08  # SuperDiff's threshold, in atoms per formula unit
THRESHOLDS = tuple(round(0.01 * k, 2) for k in range(1, 11))  # KIAGO's
BEST = 30  # samples in the mean by which KIAGO chooses
DECIMALS = {SUPERDIFF: 2, KIAGO: 4, WHOLE: 0}
MAX_CELL = 1_000_000  # atoms of the smallest cell of whole atoms, as in the charge screens

TcOf = Callable[[np.ndarray], np.ndarray]  # fractions (n, 118) -> Tc in K (n,)


@dataclass(frozen=True)
class Written:
    """The amounts of samples after a rule.

    amounts : (n, 118) atoms per formula unit, not negative; zeros for a sample without a formula
    lost : (n,) reason why a sample has no formula; empty if it has one
    """

    amounts: np.ndarray
    lost: np.ndarray


def written(samples: np.ndarray, rule: str, tc_of: TcOf) -> Written:
    """Apply a rule to samples (n, 96). With the rule "neutral" the amounts are not rounded, and small ones dropped.

    tc_of : predicted Tc, by which KIAGO's rule chooses its threshold
    """
    lost = np.full(len(samples), "", dtype=object)
    finite = np.all(np.isfinite(samples), axis=1)
    lost[~finite] = "a value is not finite"
    x = _padded(np.where(finite[:, None], samples, 0.0).astype(np.float64))
    if rule == SUPERDIFF:
        x = np.round(x, DECIMALS[SUPERDIFF])
        x = np.where(np.abs(x) < LEAST_AMOUNT, 0.0, x)
        lost[finite & (x < 0).any(1)] = "an amount is negative"
    elif rule == KIAGO:
        x = np.round(above(x, chosen_threshold(x, tc_of)), DECIMALS[KIAGO])
    elif rule == WHOLE:
        x = np.maximum(np.round(x), 0.0)
    else:
        x = above(x, LEAST_AMOUNT)
    lost[(lost == "") & ~(x > 0).any(1)] = "no amount is left"
    x[lost != ""] = 0.0
    return Written(x, lost)


def survives(samples: np.ndarray, most: int) -> np.ndarray:
    """SuperDiff's filter of samples (n, 96): which of them become formulas of 2 to `most` elements, (n,) bool."""
    rounded = written(samples, SUPERDIFF, lambda fractions: np.zeros(len(fractions)))
    size = (rounded.amounts > 0).sum(1)
    return (rounded.lost == "") & (size >= 2) & (size <= most)


def above(amounts: np.ndarray, threshold: float) -> np.ndarray:
    """The amounts (n, 118) that are at least the threshold; the others, negative ones too, become 0."""
    return np.where(amounts < threshold, 0.0, amounts)


def at_any_step(samples: np.ndarray) -> list[str]:
    """Samples (n, 96) as they are at some step, as formulas of all amounts of at least LEAST_AMOUNT, to be looked at.

    Empty for a sample without such an amount, or with one that is not finite.
    """
    finite = np.isfinite(samples).all(1, keepdims=True)
    kept = above(_padded(np.where(finite, samples, 0.0).astype(np.float64)), LEAST_AMOUNT)
    return [formula_of_counts(row) for row in kept.round(DECIMALS[SUPERDIFF])]


def chosen_threshold(amounts: np.ndarray, tc_of: TcOf) -> float:
    """KIAGO's threshold for samples (n, 118): the one with the highest mean Tc of the BEST samples."""
    return max(THRESHOLDS, key=lambda threshold: mean_of_best(above(amounts, threshold), tc_of))


def mean_of_best(amounts: np.ndarray, tc_of: TcOf) -> float:
    """Mean Tc in K of the BEST compositions with amounts (n, 118); minus infinity without any."""
    total = amounts.sum(1)
    there = total > 0
    if not there.any():
        return -np.inf
    return float(np.sort(tc_of(amounts[there] / total[there, None]))[-BEST:].mean())


def whole_cells(amounts: np.ndarray, rule: str) -> tuple[Rounded, np.ndarray]:
    """Formulas of amounts (n, 118) with the decimals of a rule, and which of them have a cell of at most MAX_CELL."""
    scale = 10 ** DECIMALS[rule]
    counts = np.round(amounts * scale).astype(np.int64)
    divisor = np.gcd.reduce(counts, axis=1, keepdims=True)
    counts = counts // np.maximum(divisor, 1)
    return Rounded(counts, amounts), counts.sum(1) <= MAX_CELL


def _padded(samples: np.ndarray) -> np.ndarray:
    """Amounts (n, 96) -> (n, 118)."""
    return np.pad(samples, ((0, 0), (0, elements.N_ELEMENTS - N_POSITIONS)))
