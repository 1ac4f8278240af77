"""What is known of each candidate structure of a formula, as numbers for the ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.reference_data.prototypes import Prototypes
from core.structures.templates import ElementTables, Templates

MOST = 20  # candidates that are ranked: the nearest by distance, and all known structures of the formula
_UNMADE = 3_000_000  # number that stands for entries of other sources, above all of the Materials Project
_LEAST = 1e-300  # sums of votes that divide
SCALES = (0.5, 1.0, 2.0)  # of the votes of templates, in units of the element distance
NAMES = (
    "distance", "distance_second", "gap", "rank", *(f"votes_{s}" for s in SCALES), *(f"share_{s}" for s in SCALES),
    "substitution", "substitution_best", "substitution_gap", "common_states", "radius_change", "radius_change_largest",
    "members", "members_share", "known_tc", "superconductors", "votes_superconductors", "above_hull_nearest",
    "above_hull_lowest", "entry_number", "entry_lowest", "volume_change", "atoms", "space_group", "elements",
    "replaced", "share_replaced", "same_prototype_votes", "candidates", "exchanges",
)  # fmt: skip


@dataclass(frozen=True)
class Ranked:
    """The nearest candidates of a formula and their features.

    candidates : (n,) indices of `Templates`, by distance; n <= MOST, or the number of known structures if it is larger
    nearest : (n,) the pair, an index of `Templates.rows`, of the nearest template of each
    features : (n, len(NAMES)) float32, NaN where unknown
    """

    candidates: np.ndarray
    nearest: np.ndarray
    features: np.ndarray


def ranked_by_distance(library: Prototypes, tables: ElementTables, found: Templates) -> Ranked:
    """The nearest candidates with their features, the nearest first; equal distances in the order of the library."""
    if not len(found):
        none = np.zeros(0, dtype=np.int64)
        return Ranked(none, none, np.zeros((0, len(NAMES)), dtype=np.float32))
    order = np.lexsort((found.distances, found.owner))  # pairs by distance within each candidate
    first = order[found.starts[:-1]]
    known = int((found.distances[first] == 0).sum())
    chosen = np.argsort(found.distances[first], kind="stable")[: max(MOST, known)]
    columns = _columns(library, tables, found, order, chosen)
    features = np.stack([np.broadcast_to(columns[name], chosen.shape) for name in NAMES], axis=1)
    return Ranked(chosen, first[chosen], features.astype(np.float32))


def _columns(
    library: Prototypes, tables: ElementTables, found: Templates, order: np.ndarray, chosen: np.ndarray
) -> dict[str, np.ndarray | float]:
    """Name -> values (n,) of the chosen candidates, or one value for all. order : see `ranked_by_distance`"""
    counts = np.array(library.counts_of(int(found.prototypes[0])), dtype=float)
    shares = counts / counts.sum()
    nearest = order[found.starts[:-1]][chosen]
    prototypes, own, replaced = found.prototypes[chosen], found.species[chosen], found.columns[nearest]
    templates = np.diff(found.starts)[chosen]
    second = order[np.minimum(found.starts[:-1] + 1, len(order) - 1)][chosen]
    distance = found.distances[nearest]
    votes = {scale: _sums(found, np.exp(-found.distances / scale)) for scale in SCALES}
    substitution = (tables.substitutions[found.species[found.owner], found.columns] * shares).sum(1)
    best_substitution = -_least(found, -substitution)[chosen]
    changes = tables.radius_changes[own, replaced]
    volumes = library.atomic_volumes_A3
    of_prototype = np.bincount(found.prototypes, weights=votes[1.0])
    return {
        "distance": distance,
        "distance_second": np.where(templates > 1, found.distances[second], np.nan),
        "gap": distance - distance[0],
        "rank": np.arange(len(chosen), dtype=float),
        **{f"votes_{scale}": each[chosen] for scale, each in votes.items()},
        **{f"share_{scale}": each[chosen] / max(float(each.sum()), _LEAST) for scale, each in votes.items()},
        "substitution": substitution[nearest],
        "substitution_best": best_substitution,
        "substitution_gap": best_substitution.max() - best_substitution,
        "common_states": (tables.common_states[own, replaced] * shares).sum(1),
        "radius_change": (changes * shares).sum(1),
        "radius_change_largest": changes.max(1),
        "members": np.log1p(templates),
        "members_share": templates / max(float(library.members[np.unique(found.prototypes)].sum()), 1.0),
        **_superconductors(library, found, chosen),
        **_energies(library, found, chosen, nearest),
        "volume_change": np.log((volumes[own] * shares).sum(1) / (volumes[replaced] * shares).sum(1)),
        "atoms": library.sites[prototypes].astype(float),
        "space_group": library.space_group[prototypes].astype(float),
        "elements": float(len(counts)),
        "replaced": (own != replaced).sum(1).astype(float),
        "share_replaced": ((own != replaced) * shares).sum(1),
        "same_prototype_votes": votes[1.0][chosen] / np.maximum(of_prototype[prototypes], _LEAST),
        "candidates": float(len(found)),
        "exchanges": library.equivalents[prototypes].astype(float),
    }


def _superconductors(library: Prototypes, found: Templates, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Templates in the lists of superconductors, those with a Tc above 0, and the latter weighted by nearness."""
    tc_K = library.tc_K[found.rows]
    listed, positive = (~np.isnan(tc_K)).astype(float), (np.nan_to_num(tc_K) > 0).astype(float)
    return {
        "known_tc": _sums(found, listed)[chosen],
        "superconductors": _sums(found, positive)[chosen],
        "votes_superconductors": _sums(found, np.exp(-found.distances) * positive)[chosen],
    }


def _energies(library: Prototypes, found: Templates, chosen: np.ndarray, nearest: np.ndarray) -> dict[str, np.ndarray]:
    """Energies above hull, and the decimal logarithms of entry numbers: low ones are of compounds that were made."""
    above_hull = library.above_hull_eV_per_atom[found.rows]
    lowest = _least(found, np.where(np.isnan(above_hull), np.inf, above_hull))[chosen]
    numbers = np.log10(entry_numbers(library) + 1.0)[found.rows]
    return {
        "above_hull_nearest": above_hull[nearest],
        "above_hull_lowest": np.where(np.isinf(lowest), np.nan, lowest),
        "entry_number": numbers[nearest],
        "entry_lowest": _least(found, numbers)[chosen],
    }


def entry_numbers(library: Prototypes) -> np.ndarray:
    """(m,) the number of each compound's entry in the Materials Project, a large number for other sources."""
    return np.where(library.source_of_id == 0, library.ids, _UNMADE)


def _sums(found: Templates, values: np.ndarray) -> np.ndarray:
    """Sum over the templates of each candidate."""
    return np.bincount(found.owner, weights=values, minlength=len(found))


def _least(found: Templates, values: np.ndarray) -> np.ndarray:
    """Minimum over the templates of each candidate."""
    return np.minimum.reduceat(values, found.starts[:-1])
