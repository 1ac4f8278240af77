"""Distance of a composition to the nearest known superconductor.

The distance is the earth mover's distance between two compositions on the Mendeleev-number scale, on which chemically
similar elements are neighbours (Pettifor's scale as modified by Glawe et al., New J. Phys. 18, 093011 (2016),
doi:10.1088/1367-2630/18/9/093011). In one dimension it is the area between the cumulative distributions,

    d(x, y) = integral |X(m) - Y(m)| dm,

in steps on the scale: exchanging the fraction w of the atoms for an element k places away costs k w.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from core.chemistry import elements
from core.chemistry.composition import checked_compositions
from core.chemistry.tolerances import KNOWN_COMPOSITION, ROUNDING_ERROR

BLOCK = 128  # compositions at a time: about 13 MB of distances for 12,600 known superconductors
GROUPS = 13  # of intervals, whose summed areas give a lower bound of the distance; one in a thousand is then computed


@dataclass(frozen=True)
class NearestKnown:
    """The known superconductor nearest to one composition.

    known : whether some known superconductor agrees in every fraction within KNOWN_COMPOSITION
    formula : the nearest known superconductor by the earth mover's distance
    tc_K : its critical temperature in K
    distance : its distance, in steps on the Mendeleev-number scale; exactly 0 for the same composition
    ranges : the ranges into which its reported Tc fall, with the numbers of reports, as text
    composition : (118,) of it
    """

    known: bool
    formula: str
    tc_K: float
    distance: float
    ranges: str = ""
    composition: np.ndarray = field(default_factory=lambda: np.zeros(elements.N_ELEMENTS), compare=False, repr=False)


class KnownSuperconductors:
    """Known superconductors, indexed by composition."""

    def __init__(
        self,
        compositions: np.ndarray,
        tc_K: np.ndarray,
        reports: np.ndarray,
        formulas: Sequence[str],
        ranges: Sequence[str] = (),
    ):
        """Index compositions (n, 118) with rows that sum to 1, Tc (n,) in K, numbers of reports (n,), and n formulas.

        ranges : of the reported Tc of each, as text; empty: they are not known

        Rows with Tc = 0 (tested, no superconductivity found) are omitted. Of equally near materials `nearest` returns
        the one with most reports, then the first. Raises ValueError if shapes disagree, a value is not finite, a row is
        not a composition, or no superconductor remains.
        """
        compositions = checked_compositions(compositions)
        tc_K, reports = np.asarray(tc_K, dtype=np.float64), np.asarray(reports)
        n = len(compositions)
        if tc_K.shape != (n,) or reports.shape != (n,) or len(formulas) != n:
            raise ValueError(
                f"{n} compositions, but Tc {tc_K.shape}, reports {reports.shape}, {len(formulas)} formulas"
            )
        if not np.isfinite(tc_K).all():
            raise ValueError(f"row {np.flatnonzero(~np.isfinite(tc_K))[0]}: Tc is not a finite number")
        chosen = np.flatnonzero(tc_K > 0)
        if not len(chosen):
            raise ValueError("at least one known superconductor is required, but no row has Tc > 0")
        # Most reports first, so that the first of several minima is the material with most reports.
        chosen = chosen[np.argsort(-reports[chosen], kind="stable")]
        self._compositions = compositions[chosen]
        self._areas = _cumulative(self._compositions)
        self._starts = np.linspace(0, self._areas.shape[1], GROUPS, endpoint=False).astype(np.int64)
        self._group_areas = self._in_groups(self._areas)
        self._tree = KDTree(self._compositions)
        self._tc_K = tc_K[chosen]
        self._formulas = [formulas[i] for i in chosen]
        self._ranges = [ranges[i] if len(ranges) else "" for i in chosen]

    def __len__(self) -> int:
        """Number of superconductors."""
        return len(self._formulas)

    def nearest(self, composition: np.ndarray) -> NearestKnown:
        """The known superconductor nearest to a composition (118,).

        Raises ValueError unless the fractions are >= 0 with sum 1.
        """
        return self.nearest_many(np.asarray(composition)[None])[0]

    def nearest_many(self, compositions: np.ndarray) -> list[NearestKnown]:
        """The nearest known superconductor to each of the compositions (n, 118); see `nearest`."""
        compositions = checked_compositions(compositions)
        found = []
        for start in range(0, len(compositions), BLOCK):
            found += self._block(compositions[start : start + BLOCK])
        return found

    def _block(self, compositions: np.ndarray) -> list[NearestKnown]:
        areas = _cumulative(compositions)
        lowest = cdist(self._in_groups(areas), self._group_areas, "cityblock")  # never above the distances
        limit = KNOWN_COMPOSITION + ROUNDING_ERROR
        largest, _ = self._tree.query(compositions, p=np.inf, distance_upper_bound=limit + ROUNDING_ERROR)
        known = largest <= limit
        return [self._nearest(bool(known[i]), areas[i], lowest[i]) for i in range(len(compositions))]

    def _nearest(self, known: bool, areas: np.ndarray, lowest: np.ndarray) -> NearestKnown:
        """The nearest to a composition with these areas (117,), of those whose lower bounds `lowest` (n,) allow it."""
        bound = np.abs(self._areas[lowest.argmin()] - areas).sum()
        possible = np.flatnonzero(lowest <= bound + 2 * ROUNDING_ERROR)
        distances = cdist(areas[None], self._areas[possible], "cityblock")[0]
        place = int(np.argmax(distances <= distances.min() + ROUNDING_ERROR))
        return self._result(known, int(possible[place]), float(distances[place]))

    def _in_groups(self, areas: np.ndarray) -> np.ndarray:
        """Sums of areas (n, 117) over neighbouring intervals, (n, GROUPS)."""
        return np.add.reduceat(areas, self._starts, axis=1)

    def _result(self, known: bool, place: int, distance: float) -> NearestKnown:
        exact = 0.0 if distance < ROUNDING_ERROR else distance
        tc_K, composition = float(self._tc_K[place]), self._compositions[place]
        return NearestKnown(known, self._formulas[place], tc_K, exact, self._ranges[place], composition)


def mendeleev_scale() -> np.ndarray:
    """Position of each element on the Mendeleev-number scale, shape (118,), all different.

    The numbers run from 1 to 103; the elements without one, Rf and heavier, follow in order of atomic number.
    """
    numbers = [element.mendeleev_number for element in elements.all_elements()]
    following = itertools.count(max(number for number in numbers if number is not None) + 1)
    return np.array([next(following) if number is None else number for number in numbers], dtype=np.float64)


def mendeleev_distances(composition: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Earth mover's distances (n,) from a composition (118,) to others (n, 118), in steps on the scale.

    Raises ValueError unless all fractions are >= 0 with sum 1.
    """
    areas = _cumulative(checked_compositions(others))
    return np.abs(areas - _cumulative(checked_compositions(composition[None]))).sum(1)


def _cumulative(compositions: np.ndarray) -> np.ndarray:
    """Areas under the cumulative distributions of compositions (n, 118), shape (n, 117), one per interval of the scale.

    The earth mover's distance is then the sum of absolute differences.
    """
    scale = mendeleev_scale()
    order = np.argsort(scale)
    return np.cumsum(compositions[:, order], axis=1)[:, :-1] * np.diff(scale[order])
