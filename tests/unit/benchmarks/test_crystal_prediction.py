"""Structures of held-out formulas: ranks of both sources in turn, the table, and what is refused."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from core.benchmarks import crystal_prediction
from core.benchmarks.crystal_prediction import (
    BY_ENERGY,
    DIFFUSION,
    IN_TURN,
    PROTOTYPES,
    SYMMETRIC,
    TEMPLATES,
    CrystalPredictionOptions,
    OfSamples,
    Ranks,
    figure_of,
    sentences,
    table_of,
)
from core.errors import InputError
from core.structures.interatomic import PotentialError
from core.training import crystal_samples, structure_ranking
from core.training.crystal_samples import Guesses

INF = math.inf
NONE = OfSamples(INF, INF, INF)
RANKS = [
    Ranks("3dsc", 1, NONE, NONE, INF),
    Ranks("3dsc", 11, OfSamples(5, 3, 2), OfSamples(5, 5, 4), 2),
    Ranks("others", INF, OfSamples(19, 19, 19), OfSamples(7, 12, 10), 1),
    Ranks("others", 3, OfSamples(2, 1, 1), OfSamples(2, 1, 1), 21),
]


def test_in_turn_the_candidates_of_both_sources_alternate():
    assert [each.of(IN_TURN) for each in RANKS] == [1, 10, 24, 2]
    assert RANKS[1].of(PROTOTYPES) == 11 and RANKS[1].of(DIFFUSION) == 5 and RANKS[1].of(BY_ENERGY) == 2
    assert RANKS[2].of(SYMMETRIC) == 7


def test_shares_of_formulas_by_kind_and_source():
    table = table_of(RANKS).set_index(["formulas", "source"])
    assert table.loc[("all", PROTOTYPES), ["n", "match_at_1", "match_at_5", "match_at_10", "match_at_20"]].tolist() == [
        4, 0.25, 0.5, 0.5, 0.75
    ]  # fmt: skip
    assert len(figure_of(table_of(RANKS))["data"]) == 5
    assert table.loc[("all", IN_TURN), "match_at_20"] == 0.75 and table.loc[("3dsc", DIFFUSION), "match_at_5"] == 0.5
    assert table.loc[("all", TEMPLATES), ["match_at_1", "match_at_20"]].tolist() == [0.25, 0.5]
    texts = sentences(table_of(RANKS))
    assert "as they are for 25%, and one of 20 for 50%" in texts[2]
    assert "75% by prototypes, 75% by diffusion, 75% by diffusion with the symmetry" in texts[0]
    assert "0% by diffusion, 25% if the likeliest sample comes first and 25% if that of lowest" in texts[1]


def test_the_first_match_among_samples():
    own = Guesses((None,) * 3, (False, True, True), (True, True, False), (0.5, 0.2, 0.1))
    assert own.first_match() == 2 and own.first_match([2, 0, 1]) == 1 and own.first_match([0, 2, 1]) == 2
    assert Guesses((None,), (False,), (True,), (INF,)).first_match() == INF
    assert own.likeliest_first == [1, 0, 2]  # the last one is not valid


def test_energies_are_those_of_the_potential_and_are_kept(monkeypatch, tmp_path):
    """A sample that is not valid, or that the potential cannot evaluate, comes last."""
    cells = [SimpleNamespace(symbols=("Mg",) * n) for n in (1, 2, 3)]

    def evaluate(structure):
        if structure is cells[1]:
            raise PotentialError("an atom without neighbours")
        return SimpleNamespace(energy_eV=-6.0)

    monkeypatch.setattr(crystal_prediction, "load_chgnet", lambda: SimpleNamespace(evaluate=evaluate))
    own = Guesses((*cells, cells[0], None), (False,) * 5, (True, True, True, False, False), (0.5,) * 5)
    found = crystal_prediction._energies(own, tmp_path / "energies" / "Mg1.json")
    assert found == [-6.0, INF, -2.0, INF, INF]
    monkeypatch.setattr(crystal_prediction, "load_chgnet", lambda: pytest.fail("computed again"))
    assert crystal_prediction._energies(own, tmp_path / "energies" / "Mg1.json") == found


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="20 or more"):
        CrystalPredictionOptions(count=5)


def test_formulas_with_both_kinds_of_candidates_are_compared(monkeypatch, tmp_path):
    """Candidates in the order of the ranking: the second one of MgB2 is a known structure."""
    drawn = {"outside": 550, "held_out": 110, "fitted": 440}
    query = SimpleNamespace(
        kind="3dsc", formula="B2Mg1", ranked=SimpleNamespace(features=np.array([[0.1], [0.9], [0.5]])),
        matches=np.array([False, False, True]), same_as=np.arange(3),
    )  # fmt: skip
    model = SimpleNamespace(
        card={"sha256": "0" * 64, "split": {"seed": 0}, "settings": {"held_out": drawn, "samples": {"steps": 5}}}
    )
    monkeypatch.setattr("core.structures.diffusion.weights.load_crystal_network", lambda name: model)
    monkeypatch.setattr("core.structures.ranking.load_ranking", lambda: SimpleNamespace(scores=lambda x: x[:, 0]))
    monkeypatch.setattr("core.training.data.data_folder", lambda data: tmp_path)
    monkeypatch.setattr(structure_ranking, "read_queries", lambda *given: ({"held_out": [query]}, {}))
    monkeypatch.setattr(crystal_samples, "held_out_structures", lambda *given: {"B2Mg1": []})
    monkeypatch.setattr(crystal_samples, "task_of", lambda *given: None)
    unknown = frozenset({frozenset({("Mg", 1), ("B", 2)})})
    monkeypatch.setattr(crystal_samples, "unknown_formulas", lambda *given: unknown)

    def guesses_of(task, known, count, store, left_out=None):
        """Symmetric samples, for which the unknown formulas are left out, have the known structure first."""
        assert left_out in (None, unknown)
        matches = (False, True) if left_out is None else (True, False)
        return {"B2Mg1": Guesses((None,) * 2, matches, (True,) * 2, (0.1, 0.2))}

    monkeypatch.setattr(crystal_samples, "guesses_of", guesses_of)
    monkeypatch.setattr(crystal_prediction, "_energies", lambda own, path: [-1.0, -2.0])
    monkeypatch.setattr(crystal_samples, "first_match_of_templates", lambda known, left_out, seed, count: 4.0)
    ranks = crystal_prediction._ranks(CrystalPredictionOptions(cache=tmp_path))
    assert ranks == {"B2Mg1": Ranks("3dsc", 2, OfSamples(2, 2, 1), OfSamples(1, 1, 2), 4.0)}
    model.card["split"]["seed"] = 1
    with pytest.raises(InputError, match="same formulas"):
        crystal_prediction._ranks(CrystalPredictionOptions(cache=tmp_path))
