"""Known superconductors that are most like a composition, one for each set of main elements."""

from __future__ import annotations

import numpy as np

from core.chemistry.families import families
from core.chemistry.tolerances import KNOWN_COMPOSITION
from core.screening.novelty import mendeleev_distances

DOPANT = 0.04  # fraction of the atoms; F in LaFeAsO0.85F0.15 is below it, Hg in HgBa2Ca2Cu3O8 above


def relatives(
    composition: np.ndarray, known_compositions: np.ndarray, reports: np.ndarray, usable: np.ndarray, most: int
) -> np.ndarray:
    """Indices (k,), k <= most, of the known superconductors that are most like a composition (118,), the nearest first.

    Each set of main elements (more than DOPANT of the atoms) is represented by its most reported compound, so that the
    many dopings of one compound count once. All share a main element with the composition. A cuprate is compared with
    cuprates, an iron-based superconductor and a hydride with theirs, any other compound with those of no family.
    Compounds of the same composition are left out.

    known_compositions (n, 118), reports (n,) : known superconductors and how often each was reported
    usable (n,) bool : those that may be chosen
    """
    family = families(composition[None])[0]
    different = np.abs(known_compositions - composition).max(1) > KNOWN_COMPOSITION
    shares_element = (known_compositions[:, composition > DOPANT] > DOPANT).any(1)
    rows = np.flatnonzero(usable & different & shares_element & (families(known_compositions) == family))
    rows = rows[np.argsort(-reports[rows], kind="stable")]
    sets = np.packbits(known_compositions[rows] > DOPANT, axis=1)
    _, first = np.unique(sets, axis=0, return_index=True)
    rows = rows[np.sort(first)]
    distances = mendeleev_distances(composition, known_compositions[rows])
    return rows[np.argsort(distances, kind="stable")[:most]]
