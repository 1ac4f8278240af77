"""Fit what `tc-ensemble` says about its own reliability: expected errors and the probability of superconductivity.

Both are fitted on predictions for chemical systems outside the training data of the fit that predicts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, logit

from core.predictors.tc.ensemble import ErrorScale, Gate, Probability, Reliability
from core.training import metrics
from core.training.tc import SUPERCONDUCTOR_K

RARE = 0.01  # probability below which a compound counts as certainly no superconductor, see `ErrorScale`
FAMILIAR = 0.95  # quantile of the distances of held-out systems that is `familiar_distance`
DISTANCES = (0.0, 0.1, 0.2, 0.4)  # edges of the bins of D: about the quartiles of held-out systems
PROBABILITIES = (0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9)
NOMINAL = 0.9  # coverage of the intervals whose width and score are reported


@dataclass(frozen=True)
class HeldOut:
    """Predictions for n compositions outside the training data.

    height, spread : (n,) v and the standard deviation between the parts of h, in K
    log_odds, distance : (n,) s and D
    measured : (n,) Tc in K
    """

    height: np.ndarray
    spread: np.ndarray
    log_odds: np.ndarray
    distance: np.ndarray
    measured: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> HeldOut:
        return HeldOut(*(values[rows] for values in astuple(self)))

    def __add__(self, other: HeldOut) -> HeldOut:
        return HeldOut(*(np.concatenate(pair) for pair in zip(astuple(self), astuple(other), strict=True)))

    def tc_K(self, gate: Gate) -> np.ndarray:
        """Tc (n,) in K, with the gate."""
        height = torch.from_numpy(self.height)
        return (gate(torch.from_numpy(self.log_odds), height) * height).numpy()

    def error_K(self, gate: Gate, scale: ErrorScale) -> np.ndarray:
        """Expected absolute error (n,) in K."""
        return _expected(self, self.tc_K(gate), scale)


def fit_reliability(unseen: HeldOut, cod_log_odds: np.ndarray, near: HeldOut, gate: Gate) -> Reliability:
    """unseen : superconductors of held-out systems; cod_log_odds (m,) : compositions of the COD of held-out systems;
    near : superconductors of the validation part, which have neighbours in the training data
    """
    probability = fit_probability(unseen.log_odds, cod_log_odds)
    sure_s = float((logit(RARE) - probability.offset) / probability.slope)
    errors = [fit_error_scale(unseen + near, gate, sure_s, with_spread) for with_spread in (True, False)]
    return Reliability(*errors, probability, float(np.quantile(unseen.distance, FAMILIAR)))


def fit_probability(superconductors: np.ndarray, others: np.ndarray) -> Probability:
    """Logistic regression on the log-odds s of superconductors (n,) and of other compounds (m,)."""
    s = np.concatenate([superconductors, others])
    sign = np.where(np.arange(len(s)) < len(superconductors), -1.0, 1.0)

    def cost(parameters: np.ndarray) -> float:
        return float(np.logaddexp(0, sign * (parameters[0] + parameters[1] * s)).mean())

    offset, slope = minimize(cost, [0.0, 1.0], method="Nelder-Mead").x
    return Probability(float(offset), float(slope))


def fit_error_scale(held_out: HeldOut, gate: Gate, sure_s: float, with_spread: bool) -> ErrorScale:
    """The scale of Laplace's distribution for the errors of Tc, by maximum likelihood.

    with_spread : False for a part of h alone: its scale does not depend on the spread
    """
    tc = held_out.tc_K(gate)
    start = [0.5, 0.15, 0.2, 0.2, 0.5, 0.4][: 6 if with_spread else 5]

    def scale(parameters: np.ndarray) -> ErrorScale:
        floor, relative, near, distance, gated, *spread = (float(value) for value in parameters)
        return ErrorScale(floor, relative, near, distance, gated, *(spread or [0.0]), sure_s)

    fitted = metrics.fit_scale(tc - held_out.measured, lambda p: _expected(held_out, tc, scale(p)), start)
    return scale(fitted)


def _expected(held_out: HeldOut, tc: np.ndarray, scale: ErrorScale) -> np.ndarray:
    values = (tc, held_out.height, held_out.spread, held_out.log_odds, held_out.distance)
    return scale(*map(torch.from_numpy, values)).numpy()


def interval_figures(held_out: HeldOut, tc: np.ndarray, error_K: np.ndarray) -> dict[str, dict[str, float]]:
    """The 90% intervals max(0, Tc - ln(10) b) to Tc + ln(10) b: of all, of those with a low Tc, by distance.

    tc, error_K : (n,) Tc and b in K; see `metrics.interval_score`
    """
    low, high = intervals(tc, error_K)
    bin_of, names = metrics.in_ranges(held_out.distance, DISTANCES)
    groups = {"all": np.ones(len(tc), bool), f"predicted below {SUPERCONDUCTOR_K:g} K": tc < SUPERCONDUCTOR_K}
    groups |= {f"distance {name}": bin_of == name for name in names}
    return {
        name: {
            "n": int(rows.sum()),
            "share_inside": float(((held_out.measured >= low) & (held_out.measured <= high))[rows].mean()),
            "mean_width_K": float((high - low)[rows].mean()),
            "interval_score_K": metrics.interval_score(low[rows], high[rows], held_out.measured[rows], NOMINAL),
        }
        for name, rows in groups.items()
        if rows.any()
    }


def intervals(tc: np.ndarray, error_K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends (n,) in K of the 90% intervals of Laplace's distribution with scale b (n,); Tc is not below 0."""
    half = -np.log(1 - NOMINAL) * error_K
    return np.maximum(tc - half, 0), tc + half


def best_constant_error_K(held_out: HeldOut, tc: np.ndarray, tried: Sequence[float]) -> float:
    """The constant b in K, of those tried, with the best interval score: what a model without an own error can say."""

    def score(error_K: float) -> float:
        ends = intervals(tc, np.full(len(tc), error_K))
        return metrics.interval_score(*ends, held_out.measured, NOMINAL)

    return float(min(tried, key=score))


def probability_figures(superconductors: np.ndarray, others: np.ndarray) -> dict:
    """Log loss of probabilities of superconductors (n,) and of other compounds (m,), and their calibration by bin."""
    p, real = np.concatenate([superconductors, others]), np.arange(len(superconductors) + len(others))
    real = real < len(superconductors)
    bin_of, names = metrics.in_ranges(p, PROBABILITIES)
    loss = -np.concatenate([np.log(superconductors), np.log1p(-others)]).mean()
    return {
        "log_loss": float(loss),
        "by_probability": {
            name: {
                "n": int((bin_of == name).sum()),
                "mean_probability": float(p[bin_of == name].mean()),
                "share_superconducting": float(real[bin_of == name].mean()),
            }
            for name in names
            if (bin_of == name).any()
        },
    }


def probabilities(log_odds: np.ndarray, probability: Probability) -> np.ndarray:
    """s (n,) -> p (n,)."""
    return expit(probability.offset + probability.slope * log_odds)
