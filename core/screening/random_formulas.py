"""Random formulas of whole atoms, and the share of them that can be charge neutral."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.errors import InputError
from core.screening.neutrality_filter import balanced_compounds, passes_at_once


@dataclass(frozen=True)
class Shares:
    """Shares of some formulas, which with the rest sum to 1.

    untested : single elements and alloys, which pass the charge screen without a test
    neutral : compounds that pass charge neutrality and Pauling's test with one oxidation state per element
    """

    untested: float
    neutral: float


def random_counts(symbols: Sequence[str], n_elements: int, atoms: int, n: int, seed: int) -> np.ndarray:
    """Atom counts (n, 118) of random formulas: every choice of elements and every division of the atoms equally likely.

    symbols : the elements to choose from
    n_elements : number of different elements in a formula
    atoms : number of atoms in a formula

    Raises InputError for fewer symbols or atoms than elements, or no elements.
    """
    if not 1 <= n_elements <= len(set(symbols)):
        raise InputError("n_elements", n_elements, f"there are {len(set(symbols))} elements to choose from",
                         "Choose more elements, or fewer in a formula")  # fmt: skip
    if atoms < n_elements:
        raise InputError("atoms", atoms, f"{n_elements} elements need at least {n_elements} atoms", "Add atoms")
    random = np.random.default_rng([seed, n_elements, atoms])
    places = np.array(sorted({elements.element(symbol).index for symbol in symbols}))
    chosen = random.random((n, len(places))).argsort(1)[:, :n_elements]
    # Cuts between the atoms in a row divide them into parts of at least one atom.
    cuts = np.sort(random.random((n, atoms - 1)).argsort(1)[:, : n_elements - 1], axis=1) + 1
    ends = np.concatenate([np.zeros((n, 1), int), cuts, np.full((n, 1), atoms)], axis=1)
    counts = np.zeros((n, elements.N_ELEMENTS), dtype=np.int64)
    np.put_along_axis(counts, places[chosen], np.diff(ends, axis=1), axis=1)
    return counts


def shares(counts: np.ndarray) -> Shares:
    """The shares of atom counts (n, 118), n > 0."""
    return Shares(float(passes_at_once(counts).mean()), float(balanced_compounds(counts).mean()))
