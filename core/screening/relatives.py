"""Known superconductors that are most like a composition, one for each set of elements."""

from __future__ import annotations

import numpy as np

from core.chemistry.families import families
from core.chemistry.tolerances import KNOWN_COMPOSITION
from core.screening.novelty import mendeleev_distances


def relatives(
    composition: np.ndarray, known_compositions: np.ndarray, reports: np.ndarray, usable: np.ndarray, most: int
) -> np.ndarray:
    """Indices (k,), k <= most, of the known superconductors that are most like a composition (118,), the nearest first.

    Each set of elements is represented by its most reported compound, so that the many dopings of one compound count
    once. A cuprate is compared with cuprates, an iron-based superconductor and a hydride with theirs; other compounds
    with all others. Compounds of the same composition are left out.

    known_compositions (n, 118), reports (n,) : known superconductors and how often each was reported
    usable (n,) bool : those that may be chosen
    """
    family = families(composition[None])[0]
    different = np.abs(known_compositions - composition).max(1) > KNOWN_COMPOSITION
    rows = np.flatnonzero(usable & different & (families(known_compositions) == family))
    rows = rows[np.argsort(-reports[rows], kind="stable")]
    sets = np.packbits(known_compositions[rows] > 0, axis=1)
    _, first = np.unique(sets, axis=0, return_index=True)
    rows = rows[np.sort(first)]
    distances = mendeleev_distances(composition, known_compositions[rows])
    return rows[np.argsort(distances, kind="stable")[:most]]
