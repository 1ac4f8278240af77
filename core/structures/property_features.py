"""A crystal structure as numbers for the models of its properties: composition, geometry, surroundings of the atoms.

None of them depends on the choice of the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.structure import Structure
from core.predictors.control_model import tree_features
from core.predictors.features.element_features import element_features
from core.structures.bonds import LARGEST_RADIUS_A
from core.structures.environments import Environments, density_g_per_cm3, environments

RADII_A = (2.0, 2.25, 2.5, 2.75, 3.0, 3.25, 3.5, 4.0, 4.5, 5.0, 6.0)  # of the spheres in which neighbours are counted
METAL_RADII_A = (2.5, 2.75, 3.0, 3.25, 3.5, 4.0, 5.0)
_STATISTICS = ("mean", "std", "min", "max")
_ATOMIC = ("coordination", "nearest", "nearest_by_radii", "mean_distance", "electronegativity_difference",
           "mendeleev_difference", "radius_difference", "neighbour_electronegativity", "neighbour_mass",
           "same_element", "metal_neighbours")  # fmt: skip
_PAIRS = ("metal_metal", "metal_other", "other_other", "d_d")
NAMES = (
    "density", "volume_per_atom", "packing", "space_group", "crystal_system", "valence_electrons",
    "valence_electrons_per_volume", "d_atoms_per_volume", "light_share",
    *(f"{name}_{statistic}" for name in _ATOMIC for statistic in _STATISTICS),
    *(f"{what}_{pair}" for pair in _PAIRS for what in ("weight", "shortest")),
    *(f"neighbours_{radius}" for radius in RADII_A), *(f"metal_neighbours_{radius}" for radius in METAL_RADII_A),
)  # fmt: skip
_SYSTEM_ENDS = (2, 15, 74, 142, 167, 194, 230)  # the last space group of each crystal system
_LIGHT_U = 30.0


@cache
def _table() -> dict[str, np.ndarray]:
    """Property -> values (118,) by atomic number."""
    everything = elements.all_elements()
    return {
        "mass": np.array([e.mass_u for e in everything]),
        "radius": np.array([e.covalent_radius_A or LARGEST_RADIUS_A for e in everything]),
        "electronegativity": np.array([e.electronegativity or 1.6 for e in everything]),
        "mendeleev": np.array([e.mendeleev_number or 103 for e in everything], dtype=float),
        "metal": np.array([e.metal for e in everything]),
        "d": np.array([e.block == "d" for e in everything]),
        "valence": np.array([_valence(e) for e in everything], dtype=float),
    }


def _valence(element: elements.Element) -> int:
    """Electrons outside closed shells: the group of s and d elements, the group - 10 of p elements, 3 for f."""
    if element.block == "f" or element.group is None:
        return 3
    return element.group - 10 if element.block == "p" else min(element.group, 18)


def composition_features(structures: Sequence[Structure]) -> np.ndarray:
    """Features of the compositions alone: (n, 118 + 4 properties + 1) float32, see `tree_features`."""
    amounts = [{symbol: float(count) for symbol, count in each.counts.items()} for each in structures]
    vectors = np.stack([composition_vector(each) for each in amounts])
    return tree_features(vectors)


def composition_names() -> tuple[str, ...]:
    """The names of `composition_features`."""
    properties = range(element_features().shape[1])
    parts = [f"{what}_{i}" for what in ("mean", "std", "least", "greatest") for i in properties]
    return (*(f"share_{symbol}" for symbol in elements.symbols()), *parts, "elements")


def features(structures: Sequence[Structure], space_groups: Sequence[int]) -> np.ndarray:
    """Features of structures: those of the compositions, then NAMES; float32, NaN where there are none.

    space_groups : international number of each
    """
    own = [geometry(each, group) for each, group in zip(structures, space_groups, strict=True)]
    return np.concatenate([composition_features(structures), np.stack(own)], axis=1)


def geometry(structure: Structure, space_group: int) -> np.ndarray:
    """The features NAMES of a structure."""
    around = environments(structure)
    atoms = np.array([elements.element(symbol).index for symbol in structure.symbols])
    table = {name: values[atoms] for name, values in _table().items()}
    volume = structure.volume_A3
    whole = [
        density_g_per_cm3(structure),
        structure.volume_A3_per_atom,
        float((4 / 3 * np.pi * table["radius"] ** 3).sum() / volume),
        space_group,
        int(np.searchsorted(_SYSTEM_ENDS, space_group)),
        float(table["valence"].mean()),
        float(table["valence"].sum() / volume),
        float(table["d"].sum() / volume),
        float((table["mass"] < _LIGHT_U).mean()),
    ]
    return np.array([*whole, *_statistics(around, table), *_pairs(around, table), *_counts(around, table)], np.float32)


def _statistics(around: Environments, table: dict[str, np.ndarray]) -> list[float]:
    """Statistics over the atoms of what surrounds each."""
    n, centers, others = len(around.coordination), around.centers, around.others

    def mean(values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.bincount(centers, around.weights * values, n) / around.coordination

    def difference(name: str) -> np.ndarray:
        return mean(np.abs(table[name][centers] - table[name][others]))

    touching = table["radius"][centers] + table["radius"][others]
    by_radii = np.full(n, np.inf)
    np.minimum.at(by_radii, centers, around.distances_A / touching)
    by_radii[np.isinf(by_radii)] = np.nan
    values = [
        around.coordination,
        around.nearest_A,
        by_radii,
        around.mean_A,
        difference("electronegativity"),
        difference("mendeleev"),
        difference("radius"),
        mean(table["electronegativity"][others]),
        mean(table["mass"][others]),
        mean(table["mendeleev"][centers] == table["mendeleev"][others]),
        mean(table["metal"][others]),
    ]
    return [float(one) for each in values for one in (each.mean(), each.std(), each.min(), each.max())]


def _pairs(around: Environments, table: dict[str, np.ndarray]) -> list[float]:
    """Share of the weights of each kind of pair, and its shortest distance."""
    one, two = table["metal"][around.centers], table["metal"][around.others]
    d = table["d"][around.centers] & table["d"][around.others]
    total = max(float(around.weights.sum()), 1e-12)
    found = []
    for kind in (one & two, one ^ two, ~one & ~two, d):
        found.append(float(around.weights[kind].sum() / total))
        found.append(float(around.distances_A[kind].min()) if kind.any() else float("nan"))
    return found


def _counts(around: Environments, table: dict[str, np.ndarray]) -> list[float]:
    """Neighbours per atom within each radius, and those of pairs of metals."""
    n = len(around.coordination)
    metals = table["metal"][around.centers] & table["metal"][around.others]
    every = [float((around.distances_A <= radius).sum()) / n for radius in RADII_A]
    return every + [float((around.distances_A[metals] <= radius).sum()) / n for radius in METAL_RADII_A]
