"""Caveats about the Tc of candidates, as columns of their table."""

from __future__ import annotations

import numpy as np

from core.reference_data.tc_caveats import caveats

CAVEATS = ("pressure_suspected", "off_stoichiometry_suspected", "caveat")


def caveat_columns(x: np.ndarray, tc_K: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the candidate table about Tc (n,) in K of compositions (n, 118), see `tc_caveats`."""
    found = caveats(x, tc_K)
    return dict(zip(CAVEATS, (found.pressure, found.off_stoichiometry, found.text), strict=True))
