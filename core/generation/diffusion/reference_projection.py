"""The low-pass filter of ILVR (Choi et al. 2021, doi:10.48550/arXiv.2108.02938) along the axis of the elements.

ILVR replaces the coarse part of a sample by that of a reference: x + P (y - x), where P shrinks a vector by the factor
N and enlarges it again, both with Keys' cubic kernel. SuperDiff resizes an image with 96 equal rows, which is the same
as a fixed 96 x 96 matrix. Its rows and columns sum to 1, so that a sample gets the total amount of the reference; what
remains free is the exchange between elements that are neighbours in the periodic sequence.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from core.generation.diffusion.network import N_POSITIONS

KEYS = -0.5  # parameter of the cubic kernel (Keys 1981)


@cache
def reference_projection(factor: int, n: int = N_POSITIONS) -> np.ndarray:
    """P (n, n) float64 for a factor that divides n; the identity for 1. Raises ValueError for another factor.

    The matrix is shared by all steps of a sampling: it must not be changed.
    """
    if factor < 1 or n % factor:
        raise ValueError(f"the scale factor {factor} does not divide {n}")
    if factor == 1:
        return np.eye(n)
    shrink = _resize(n, n // factor, factor, width=factor)
    enlarge = _resize(n // factor, n, 1 / factor, width=1)
    return enlarge @ shrink


def _resize(n_in: int, n_out: int, scale: float, width: float) -> np.ndarray:
    """Resampling matrix (n_out, n_in): output j is centred at (j + 1/2) scale - 1/2, with a kernel of this width.

    Beyond the ends the input is mirrored, with the last value repeated.
    """
    matrix = np.zeros((n_out, n_in))
    for j in range(n_out):
        centre = (j + 0.5) * scale - 0.5
        index = np.arange(int(np.floor(centre - 2 * width)), int(np.ceil(centre + 2 * width)) + 1)
        weight = _cubic((centre - index) / width)
        mirrored = np.where(index < 0, -1 - index, index)
        mirrored = np.where(mirrored >= n_in, 2 * n_in - 1 - mirrored, mirrored)
        np.add.at(matrix[j], mirrored, weight / weight.sum())
    return matrix


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel, 0 beyond a distance of 2."""
    d = np.abs(distance)
    near = (KEYS + 2) * d**3 - (KEYS + 3) * d**2 + 1
    far = KEYS * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))
