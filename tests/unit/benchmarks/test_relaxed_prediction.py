"""Structures of held-out formulas before and after relaxation: ranks, table, resumed work."""

import math
from dataclasses import replace

import pytest

from core.benchmarks.relaxed_prediction import (
    AS_IN_THE_APP,
    BY_ENERGY,
    PROPOSED,
    RELAXED,
    Found,
    RelaxedPredictionOptions,
    all_found,
    first_match,
    ranks_of,
    sentences,
    table_of,
)
from core.errors import InputError
from core.structures.match import Reduced
from core.structures.prototypes import Proposal, StructureFinder
from core.structures.relaxation import FELL_APART, Relaxation
from core.structures.relaxation import RELAXED as CONVERGED
from core.training.structure_ranking import Split
from tests import crystals

ROCK_SALT, CAESIUM_CHLORIDE = crystals.rock_salt("K", "Cl", 6.3), crystals.caesium_chloride("K", "Cl", 3.8)


def proposal(structure, score):
    return Proposal(structure, "AB", 0, 1, "NaCl", "mp-1", 1.0, 5, 0, score, False)


def relaxation(structure, energy, verdict=CONVERGED):
    return Relaxation(structure, energy, energy, 9, verdict, "", 0.01, 0.01, 0.1)


def test_ranks_before_and_after_relaxation():
    """The second proposal is the known structure."""
    proposals = [proposal(ROCK_SALT, 2.0), proposal(CAESIUM_CHLORIDE, 1.0)]
    near, known = relaxation(ROCK_SALT, -3.0), [Reduced(CAESIUM_CHLORIDE)]
    expected = {PROPOSED: 2, RELAXED: 2, AS_IN_THE_APP: 2, BY_ENERGY: 1}
    assert ranks_of(proposals, [near, relaxation(CAESIUM_CHLORIDE, -3.02)], known) == expected
    far = relaxation(CAESIUM_CHLORIDE, -4.0)
    assert ranks_of(proposals, [near, far], known) == expected | {AS_IN_THE_APP: 1}
    assert ranks_of(proposals, [relaxation(CAESIUM_CHLORIDE, -3.0), far], known)[RELAXED] == 1
    lost = relaxation(CAESIUM_CHLORIDE, -9.0, FELL_APART)
    none = dict.fromkeys((RELAXED, AS_IN_THE_APP, BY_ENERGY), math.inf)
    assert ranks_of(proposals, [near, lost], known) == {PROPOSED: 2} | none
    assert set(ranks_of([], [], known).values()) == {math.inf}


def test_equal_structures_count_once():
    known = [Reduced(CAESIUM_CHLORIDE)]
    assert first_match([ROCK_SALT, ROCK_SALT, CAESIUM_CHLORIDE], known) == 2


def test_relaxed_structures_are_kept(tmp_path):
    split = Split(
        crystals.prototype_library(), {"held_out": {"others": ["ClK", "xx"]}},
        {"ClK": [ROCK_SALT], "xx": [crystals.a15("K", "Cl", 5.0).with_symbols(["K"] + ["Cl"] * 7)]},
    )  # fmt: skip
    finder, asked = StructureFinder(split.prototypes, crystals.NearestFirst()), []

    def relaxer(structure, should_stop):
        asked.append(structure)
        return relaxation(structure, -3.0)

    options = RelaxedPredictionOptions(count=1)
    found = all_found(split, finder, relaxer, tmp_path, options)
    assert len(found) == 1 and found[0].ranks[PROPOSED] == found[0].ranks[RELAXED] == 1 and found[0].kind == "others"
    count = len(asked)
    assert all_found(split, finder, relaxer, tmp_path, options) == found and len(asked) == count >= 2
    whole = all_found(split, finder, relaxer, tmp_path, replace(options, count=0))
    assert len(whole) == 2 and whole[1].ranks[RELAXED] == math.inf and math.isnan(whole[1].atoms)


def test_the_table_has_shares_and_the_time_of_ten_atoms():
    ranks = {PROPOSED: 1, RELAXED: 1, AS_IN_THE_APP: 2, BY_ENERGY: 6}
    found = [Found("others", ranks, 10.0, 7.0), Found("others", dict.fromkeys(ranks, math.inf), 30.0, 99.0)]
    table = table_of(found).set_index(["formulas", "order"])
    assert table.loc[("all", PROPOSED), ["match_at_1", "match_at_5"]].tolist() == [0.5, 0.5]
    assert table.loc[("all", AS_IN_THE_APP), ["match_at_1", "match_at_2"]].tolist() == [0.0, 0.5]
    assert table.loc[("all", BY_ENERGY), "match_at_5"] == 0 and table.loc[("all", RELAXED), "seconds"] == 7.0
    said = sentences(table_of(found))
    assert "50.0% and 50.0% of 2 formulas as proposed" in said[0] and "7.0 s" in said[1]
    assert len(sentences(table_of(found[1:]))) == 1


def test_a_negative_number_of_formulas_is_refused():
    with pytest.raises(InputError, match="not negative"):
        RelaxedPredictionOptions(count=-1)
