"""The crystals of the page Learn, with a random network and a stand-in for the models."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.benchmarks import crystal_example
from core.benchmarks.crystal_example import recorded, sentences, table_of
from core.structures.diffusion.names import WITH_TC
from core.structures.diffusion.weights import load_crystal_network
from core.structures.packed_structure import unpacked
from core.structures.structure_models import StructureProperties
from tests.unit.structures.diffusion.conftest import SMALL, stored


class Models:
    """With as many K as atoms if there are more than `fewest`, else no metal."""

    def __init__(self, fewest=0):
        self.fewest = fewest

    def properties(self, structures, groups):
        atoms = [len(each.symbols) for each in structures]
        return [StructureProperties(0.9, n) if n > self.fewest else StructureProperties(0.1, np.nan) for n in atoms]


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    stored(folder, WITH_TC, replace(SMALL, adapter=True))
    model = load_crystal_network(WITH_TC, folder)
    return {weight: recorded(model, weight, 0, torch.device("cpu")) for weight in (-1.0, 2.0)}


def test_every_weight_begins_with_the_same_noise(ways):
    for number, way in ways[-1.0].items():
        if way[0].step == 0 and ways[2.0].get(number, [way[0]])[0].step == 0:
            np.testing.assert_array_equal(way[0].structure.positions, ways[2.0][number][0].structure.positions)
    assert any(
        not np.allclose(way[-1].structure.positions, ways[2.0][number][-1].structure.positions)
        for number, way in ways[-1.0].items()
        if number in ways[2.0]
    )


def test_the_table_has_a_row_for_each_moment(ways, monkeypatch):
    table = table_of(ways, Models())
    assert 1 <= table["sample"].nunique() <= crystal_example.SAMPLES and set(table["weight"]) == {-1.0, 2.0}
    for _, part in table.groupby(["sample", "weight"]):
        assert part["step"].max() == 100 and len(part) <= crystal_example.MOMENTS + 1
        last = unpacked(json.loads(part.iloc[-1]["structure"]))
        assert last.formula == part.iloc[-1]["formula"] and part.iloc[-1]["tc_K"] == len(last.symbols)
    assert table["metal"].all() and len(sentences(table)) == 2 and sentences(table)[0].startswith("w = -1: ")


def test_metals_come_first(ways):
    sizes = table_of(ways, Models()).groupby("sample")["tc_K"].first()
    fewest = int(sizes.iloc[0])
    table = table_of(ways, Models(fewest)).groupby("sample")[["metal", "tc_K"]].first()
    assert table["metal"].tolist() == sorted(table["metal"], reverse=True)
    assert table["metal"].iloc[0] and table["tc_K"].iloc[0] > fewest
