"""Templates: candidates and their distances, against a count over all permutations."""

import itertools

import numpy as np
import pytest

from core.chemistry import elements
from core.structures.templates import ElementTables, templates
from tests import crystals

LIBRARY = crystals.prototype_library()
TABLES = ElementTables.of(LIBRARY)


def index(symbol: str) -> int:
    return elements.element(symbol).index


def test_equivalent_sites_give_one_candidate():
    """Rock salt and caesium chloride: each has two sites that can be exchanged."""
    found = templates(LIBRARY, TABLES, {"K": 1, "Cl": 1})
    assert len(found) == 2 and sorted(np.diff(found.starts)) == [2, 4]


def test_distances_are_the_least_over_equivalent_assignments():
    found = templates(LIBRARY, TABLES, {"K": 1, "Cl": 1})
    for row, distance in zip(found.rows, found.distances, strict=True):
        prototype = next(p for p in range(len(LIBRARY)) if row in range(*LIBRARY.rows_of(p).indices(10**6)))
        known = LIBRARY.species_of(prototype)[row - LIBRARY.rows_of(prototype).start]
        expected = min(
            sum(TABLES.distances[index(symbol), e] for symbol, e in zip(order, known, strict=True))
            for order in itertools.permutations(("K", "Cl"))
        )
        assert distance == pytest.approx(expected)


def test_replaced_elements_are_those_of_the_best_assignment():
    found = templates(LIBRARY, TABLES, {"K": 1, "Cl": 1})
    target = found.species[found.owner]
    np.testing.assert_allclose(TABLES.distances[target, found.columns].sum(1), found.distances)


def test_the_own_compound_has_distance_zero():
    for counts in ({"Na": 1, "Cl": 1}, {"Mg": 1, "B": 2}, {"Ce": 1, "Fe": 1, "As": 1, "O": 1}):
        assert templates(LIBRARY, TABLES, counts).distances.min() == 0


def test_an_unknown_stoichiometry_has_no_candidates():
    assert len(templates(LIBRARY, TABLES, {"Mg": 7, "B": 11})) == 0


def test_distances_between_elements_are_symmetric_and_zero_for_the_same():
    for table in (TABLES.distances, TABLES.radius_changes, TABLES.substitutions, TABLES.common_states):
        np.testing.assert_allclose(table, table.T)
    assert not np.diag(TABLES.distances).any() and np.isfinite(TABLES.distances).all()
    la, ce, o = index("La"), index("Ce"), index("O")
    assert TABLES.distances[la, ce] < TABLES.distances[la, o]
    assert TABLES.common_states[index("Na"), index("K")] > 0.99 > TABLES.common_states[index("Na"), index("O")]
