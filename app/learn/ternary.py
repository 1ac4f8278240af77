"""The triangle of compositions of three elements: its grid, and positions in the plane. No Streamlit here."""

from __future__ import annotations

import numpy as np

HEIGHT = 3**0.5 / 2  # of a triangle with sides of length 1


def grid(divisions: int) -> np.ndarray:
    """All (n, 3) fractions that are multiples of 1/divisions, n = (divisions + 1)(divisions + 2) / 2."""
    d = divisions
    return np.array([(i, j, d - i - j) for i in range(d + 1) for j in range(d + 1 - i)]) / d


def triangles(divisions: int) -> np.ndarray:
    """The (divisions^2, 3) small triangles of the grid, as rows of `grid`."""
    d = divisions
    row = {(i, j): place for place, (i, j) in enumerate((i, j) for i in range(d + 1) for j in range(d + 1 - i))}
    upward = [(row[i, j], row[i + 1, j], row[i, j + 1]) for i in range(d) for j in range(d - i)]
    downward = [(row[i + 1, j], row[i, j + 1], row[i + 1, j + 1]) for i in range(d) for j in range(d - i - 1)]
    return np.array([*upward, *downward])


def positions(fractions: np.ndarray) -> np.ndarray:
    """Fractions (n, 3) -> (n, 2): the first element at the left corner, the second at the right, the third on top."""
    return np.column_stack([fractions[:, 1] + fractions[:, 2] / 2, fractions[:, 2] * HEIGHT])
