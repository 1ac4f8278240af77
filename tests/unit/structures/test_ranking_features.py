"""Features of candidates: their order and values that can be counted."""

import numpy as np

from core.structures.ranking_features import MOST, NAMES, ranked_by_distance
from core.structures.templates import ElementTables, templates
from tests import crystals

LIBRARY = crystals.prototype_library()
TABLES = ElementTables.of(LIBRARY)


def features(counts):
    found = templates(LIBRARY, TABLES, counts)
    ranked = ranked_by_distance(LIBRARY, TABLES, found)
    return found, ranked, {name: ranked.features[:, i] for i, name in enumerate(NAMES)}


def test_candidates_are_ordered_by_the_distance_of_their_nearest_template():
    found, ranked, columns = features({"K": 1, "Cl": 1})
    assert len(ranked.candidates) == 2 <= MOST
    for place, candidate in enumerate(ranked.candidates):
        own = found.distances[found.starts[candidate] : found.starts[candidate + 1]]
        assert columns["distance"][place] == np.float32(own.min())
        assert columns["distance_second"][place] == np.float32(np.sort(own)[1])
    assert columns["gap"][0] == 0 and columns["gap"][1] > 0
    assert list(columns["rank"]) == [0, 1]


def test_counts_of_compounds_and_superconductors():
    _, _, columns = features({"Ti": 1, "B": 2})
    assert columns["members"][0] == np.float32(np.log(3)) and columns["superconductors"][0] == 1
    assert columns["known_tc"][0] == 1 and columns["replaced"][0] == 1
    np.testing.assert_allclose(columns["share_replaced"][0], 1 / 3, rtol=1e-6)


def test_shares_of_the_votes_sum_to_one():
    _, _, columns = features({"K": 1, "Cl": 1})
    for name in NAMES:
        if name.startswith("share_") and name != "share_replaced":
            np.testing.assert_allclose(columns[name].sum(), 1, rtol=1e-6)


def test_an_unknown_stoichiometry_has_no_rows():
    _, ranked, _ = features({"Mg": 7, "B": 11})
    assert ranked.features.shape == (0, len(NAMES)) and not len(ranked.candidates)
