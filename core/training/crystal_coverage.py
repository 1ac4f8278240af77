"""Coverage: whether samples look like real crystals, and whether all kinds of real crystals are among them.

After the definition of CDVAE (T. Xie et al. 2022, arXiv:2110.06197): recall is the share of reference crystals that
have a sample nearby, precision the share of samples that have a reference crystal nearby, where near is so in structure
and in composition. CDVAE measures with the descriptors of a package that is not used here, so that figures of
papers are no measure for these: the distances are those of radial distributions without elements
(`core.structures.fingerprint`) and of means and deviations of element facts, and a distance is near if it is below that
of NEAR of real crystals from their nearest reference. The same figures of these real crystals stand beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure
from core.structures.fingerprint import GRID, fingerprint

NEAR = 0.9
_UNKNOWN_ELECTRONEGATIVITY = 0.0  # of light noble gases
_CHUNK = 256


@dataclass(frozen=True)
class Descriptors:
    """Crystals as numbers.

    structure : (n, 16) radial distribution of all atoms; composition : (n, 8) means and deviations of element facts
    """

    structure: np.ndarray
    composition: np.ndarray


def descriptors(structures: Sequence[Structure]) -> Descriptors:
    """The descriptors of crystals that have a cell, distances below the smallest one of the grid counting as that."""
    radial = [fingerprint(each, np.zeros(len(each.symbols), dtype=int)).reshape(-1) for each in structures]
    facts = [_composition(each) for each in structures]
    return Descriptors(np.array(radial).reshape(-1, len(GRID)), np.array(facts).reshape(-1, 8))


def coverage(samples: Sequence[Structure], references: Sequence[Structure], real: Sequence[Structure]) -> dict:
    """Recall and precision of samples, and of other real crystals, against reference crystals.

    samples : those that are valid

    Raises ValueError without references or real crystals.
    """
    if not references or not real:
        raise ValueError("coverage needs reference crystals and other real ones")
    known, others = descriptors(references), descriptors(real)
    scale = known.composition.std(axis=0) + 1e-9
    nearest = {part: apart.min(axis=1) for part, apart in _apart(others, known, scale).items()}
    near = tuple(float(np.quantile(nearest[part], NEAR)) for part in ("structure", "composition"))
    found = {"n": len(samples), "near_structure": near[0], "near_composition": near[1]}
    found |= dict(zip(("real_recall", "real_precision"), _shares(others, known, scale, near), strict=True))
    if not samples:
        return found | {"recall": 0.0, "precision": 0.0}
    return found | dict(zip(("recall", "precision"), _shares(descriptors(samples), known, scale, near), strict=True))


def _shares(found: Descriptors, known: Descriptors, scale: np.ndarray, near: tuple[float, ...]) -> tuple[float, float]:
    """Recall and precision of crystals against references."""
    apart = _apart(found, known, scale)
    both = (apart["structure"] <= near[0]) & (apart["composition"] <= near[1])
    return float(both.any(axis=0).mean()), float(both.any(axis=1).mean())


def _apart(found: Descriptors, known: Descriptors, scale: np.ndarray) -> dict[str, np.ndarray]:
    """Distances (n, m) of crystals from references: in structure, the mean over the grid; in composition."""
    parts = [
        np.abs(found.structure[first : first + _CHUNK, None] - known.structure[None]).mean(axis=2)
        for first in range(0, len(found.structure), _CHUNK)
    ]
    difference = (found.composition[:, None] - known.composition[None]) / scale
    return {"structure": np.concatenate(parts), "composition": np.sqrt((difference**2).mean(axis=2))}


def _composition(structure: Structure) -> np.ndarray:
    """Means and deviations over the atoms of column, period, electronegativity and Mendeleev number: (8,)."""
    atoms = [elements.element(symbol) for symbol in structure.symbols]
    facts = np.array(
        [
            (
                each.column, each.period, each.electronegativity or _UNKNOWN_ELECTRONEGATIVITY,
                each.mendeleev_number or each.atomic_number,
            )
            for each in atoms
        ],
        dtype=float,
    )  # fmt: skip
    return np.concatenate([facts.mean(axis=0), facts.std(axis=0)])
