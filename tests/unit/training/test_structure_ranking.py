"""Fitting of the ranking: the draw, the hold-out, the count of matches."""

import math

import numpy as np

from core.structures.ranking_features import NAMES, ranked_by_distance
from core.structures.templates import ElementTables, templates
from core.training.structure_ranking import (
    Query,
    RankingSettings,
    _Matches,
    draw,
    figures,
    first_match,
    formula_key,
    query,
)
from tests import crystals


class ByDistance:
    def scores(self, features):
        return -features[:, 0]


def with_matches(matches, same_as):
    library = crystals.prototype_library()
    tables = ElementTables.of(library)
    found = templates(library, tables, {"K": 1, "Cl": 1})
    ranked = ranked_by_distance(library, tables, found)
    return Query("3dsc", "ClK", found, ranked, np.array(matches), np.array(same_as), 1.1)


def test_equal_structures_count_once():
    each = with_matches([False, False, True], [0, 0, 2])
    assert first_match(each, np.array([0, 1, 2])) == 2
    assert first_match(each, np.array([2, 0, 1])) == 1
    assert first_match(with_matches([False], [0]), np.array([0])) == math.inf


def test_figures_count_the_formulas_with_a_match():
    queries = [with_matches([True, False], [0, 1]), with_matches([False, True], [0, 1])]
    found = figures([*queries, with_matches([False, False], [0, 1])], ByDistance())["3dsc"]
    assert found["n"] == 3 and found["match_at_1"] == 1 / 3 and found["match_at_5"] == 2 / 3 == found["match_anywhere"]
    assert math.isclose(found["volume_mean_abs_log_error"], math.log(1.1))


def test_drawn_formulas_are_disjoint_and_repeat_with_the_seed():
    kinds = {"3dsc": [f"a{i}" for i in range(50)], "others": [f"b{i}" for i in range(50)]}
    settings = RankingSettings(outside=20, fitted=10, held_out=5)
    drawn = draw(kinds, settings, 3)
    assert drawn == draw({kind: formulas[::-1] for kind, formulas in kinds.items()}, settings, 3)
    assert drawn != draw(kinds, settings, 4)
    for kind, formulas in kinds.items():
        fitted, held_out = set(drawn["fitted"][kind]), set(drawn["held_out"][kind])
        assert len(fitted) == 10 and len(held_out) == 5 and not fitted & held_out
        outside = set(drawn["outside"][kind])
        assert len(outside) == 20 and fitted | held_out <= outside <= set(formulas)


def test_a_query_compares_candidates_with_the_known_structures(tmp_path):
    library = crystals.prototype_library(("MgB2",))
    store = _Matches(tmp_path / "matches.json")
    own = [crystals.diboride("Mg", 3.09, 3.52)]
    found = query(library, ElementTables.of(library), "3dsc", "B2Mg1", own, store)
    assert found.matches.tolist() == [True] and found.ranked.features.shape == (1, len(NAMES))
    assert abs(math.log(found.volume_ratio)) < 0.3
    store.write()
    again = _Matches(tmp_path / "matches.json")
    assert query(library, ElementTables.of(library), "3dsc", "B2Mg1", own, again).matches.tolist() == [True]


def test_formula_keys_do_not_depend_on_order_or_multiples():
    assert formula_key(("Mg", "B", "B")) == formula_key(("B", "B", "B", "B", "Mg", "Mg")) == "B2Mg1"
