"""Rows of structures with a property, as features, and boosted trees fitted on them: what the trainings share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.structures.property_features import composition_names, features
from core.training.structure_data import structure_of
from core.training.structure_ranking import formula_key

COMPOSITION = len(composition_names())  # the first columns of the features, those of the composition alone
_CHUNK = 1000  # rows whose features are made at once


@dataclass(frozen=True)
class PropertyRows:
    """n structures with a property.

    x : (n, f) features, see `core.structures.property_features`
    y : (n,) the property
    formulas : formula of each, equal for equal formulas: see `formula_key`
    """

    x: np.ndarray
    y: np.ndarray
    formulas: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def where(self, chosen: np.ndarray) -> PropertyRows:
        """The rows at a mask (n,) or indices."""
        return PropertyRows(self.x[chosen], self.y[chosen], self.formulas[chosen])


@dataclass(frozen=True)
class TreeSettings:
    """Settings of boosted trees."""

    trees: int
    leaves: int
    learning_rate: float
    least_in_leaf: int
    share_of_features: float
    share_of_rows: float


def read_properties(
    rows: Iterable[dict[str, Any]], value: Callable[[dict[str, Any]], float], counts: Counter
) -> PropertyRows:
    """The features of rows of the raw data with the value of each; cells without volume are counted and left out."""
    structures, groups, values, formulas, made = [], [], [], [], []
    for row in rows:
        try:
            structures.append(structure_of(row))
        except ValueError:
            counts["cell without volume"] += 1
            continue
        groups.append(int(row["spacegroup"]))
        values.append(value(row))
        formulas.append(formula_key(row["species"]))
        if len(structures) == _CHUNK:
            made.append(features(structures, groups))
            structures, groups = [], []
    if structures:
        made.append(features(structures, groups))
    return PropertyRows(np.concatenate(made), np.array(values, dtype=float), np.array(formulas))


def drawn_formulas(formulas: Sequence[str] | np.ndarray, share: float, seed: int) -> frozenset[str]:
    """A share of the formulas, drawn with a seed; the order in which they are given does not matter."""
    every = np.unique(np.asarray(formulas))
    order = np.random.default_rng(seed).permutation(len(every))
    return frozenset(every[order[: round(share * len(every))]].tolist())
