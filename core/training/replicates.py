"""Reports on one composition whose Tc fall into clusters: what is shown of them.

Nb3Ge has 12 reports from 3.3 to 6.4 K, of samples as cast, and 11 from 15.7 to 22.1 K, of films with the A15 structure.
The models learn the median of all reports; the clusters are kept, and shown with the known Tc.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

# Neighbouring values further apart than both belong to different clusters: samples of one kind scatter less.
GAP_K, GAP = 3.0, 0.3
LEAST_REPORTS, LEAST_SHARE = 2, 0.4  # see `cleaned_tc_K`


def clusters(tc_K: Sequence[float]) -> list[list[float]]:
    """The values in increasing order, divided where neighbours differ by more than GAP_K and GAP times the higher."""
    values = sorted(tc_K)
    found = [values[:1]]
    for low, high in pairwise(values):
        if high - low > max(GAP_K, GAP * high):
            found.append([])
        found[-1].append(high)
    return found


def cleaned_tc_K(tc_K: Sequence[float]) -> float:
    """The median of the highest cluster with LEAST_REPORTS reports and LEAST_SHARE of them; otherwise of all values.

    Disorder lowers the Tc of a compound; a few high values are due to pressure, or to films.
    """
    enough = [c for c in clusters(tc_K) if len(c) >= max(LEAST_REPORTS, LEAST_SHARE * len(tc_K))]
    return float(np.median(enough[-1] if enough else tc_K))


def ranges_text(tc_K: Sequence[float]) -> str:
    """The clusters with their numbers of reports: "3.3–6.4 K (12), 15.7–22.1 K (11)"; of a single report its value."""
    return ", ".join(f"{_range(cluster)} K ({len(cluster)})" for cluster in clusters(tc_K))


def _range(values: Sequence[float]) -> str:
    low, high = (f"{value:.1f}" if value >= 1 else f"{value:.2g}" for value in (values[0], values[-1]))
    return low if low == high else f"{low}–{high}"
