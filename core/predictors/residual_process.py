"""A Gaussian process on the error of a model: measured values correct the predictions near them.

The prior of the error has mean 0 and the covariance s_i s_j k_ij, where s is the standard deviation of the error that
the model itself expects, and k the kernel of `core.predictors.layers.composition_kernel`, 1 for equal compositions.
With the residuals r = measured - predicted and the variance of the measurements n^2 (Rasmussen and Williams 2006, eq.
2.25, 2.26):

mean = K_*^T (K + n^2 I)^-1 r,    variance = s_*^2 - K_*^T (K + n^2 I)^-1 K_*
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from core.predictors.layers.composition_kernel import ElementTables, KernelShape, composition_features, with_squares


@dataclass(frozen=True)
class ResidualProcess:
    """The process given some measurements. All values in the unit of the property, for Tc K.

    compositions : (n, 118) measured compositions
    residuals : (n,) measured minus predicted
    std : (n,) standard deviations of the error that the model expects there, above 0
    noise : standard deviation of a measurement, above 0

    Raises ValueError for lengths that differ, or a std or noise that is not positive and finite.
    """

    compositions: torch.Tensor
    residuals: torch.Tensor
    std: torch.Tensor
    noise: float
    shape: KernelShape = field(default_factory=KernelShape)

    def __post_init__(self):
        if not len(self.compositions) == len(self.residuals) == len(self.std):
            raise ValueError("compositions, residuals and std must have the same length")
        positive = torch.cat([self.std.double(), torch.tensor([self.noise], dtype=torch.float64)])
        if not bool((torch.isfinite(positive) & (positive > 0)).all()):
            raise ValueError("std and noise must be finite and above 0")

    def correction(self, compositions: torch.Tensor, std: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Compositions (m, 118) and the std (m,) that the model expects there -> mean of the error and its std (m,).

        Without measurements the mean is 0 and the std is that of the model.
        """
        std = std.double()
        if not len(self.compositions):
            return torch.zeros_like(std), std
        own = self.std.double()
        noisy = own[:, None] * own * self._kernel(self.compositions, self.compositions)
        noisy = noisy + self.noise**2 * torch.eye(len(own), dtype=torch.float64)
        across = own[:, None] * std * self._kernel(self.compositions, compositions)  # (n, m)
        solved = torch.cholesky_solve(across, torch.linalg.cholesky(noisy))
        mean = solved.T @ self.residuals.double()
        variance = std.square() - (across * solved).sum(0)
        return mean, variance.clamp_min(0).sqrt()

    def _kernel(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """k (n, m); 1 for equal compositions."""
        points, others = (self._points(x) for x in (one, other))
        centre = points.mean(0)  # squared norms are smaller around it
        distance = self.shape.distance_to(points - centre, with_squares(others - centre))
        return self.shape.near(distance - self.shape.soft)

    def _points(self, compositions: torch.Tensor) -> torch.Tensor:
        return self.shape.coordinates(composition_features(compositions.double(), ElementTables.standard()))
