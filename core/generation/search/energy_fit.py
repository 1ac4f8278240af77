"""Linear fit of the energy of an objective on the elements of formulas, in a few milliseconds for thousands.

E(c) = E_0 + sum over the elements of (a_i x_i + b_i sqrt(x_i)), with the fractions x = c / sum(c) and the mean E_0; a
and b by ridge regression. The square root gives weight to elements of which there are few atoms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.chemistry.elements import N_ELEMENTS

RIDGE = 1e-3  # weight of the sum of the squared coefficients beside that of the squared errors, no unit


@dataclass(frozen=True)
class EnergyFit:
    """The fit.

    mean : E_0 in eV/atom, of the formulas that were fitted
    coefficients : (236,) a and b in eV/atom
    """

    mean: float
    coefficients: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, energy_eV_per_atom: np.ndarray) -> EnergyFit:
        """The fit to formulas (n, 118) of finite energies (n,); 0 everywhere without formulas."""
        if not len(counts):
            return cls(0.0, np.zeros(2 * N_ELEMENTS))
        features, mean = _features(counts), float(energy_eV_per_atom.mean())
        penalty = RIDGE * np.eye(features.shape[1])
        moments = features.T @ (energy_eV_per_atom - mean)
        return cls(mean, np.linalg.solve(features.T @ features + penalty, moments))

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Energy (n,) in eV/atom of formulas (n, 118)."""
        return self.mean + _features(counts) @ self.coefficients


def _features(counts: np.ndarray) -> np.ndarray:
    """Formulas (n, 118) -> x and sqrt(x): (n, 236)."""
    x = counts / counts.sum(1, keepdims=True)
    return np.concatenate([x, np.sqrt(x)], axis=1)
