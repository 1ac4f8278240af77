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
    table, counts = table_of(ways, Models())
    assert 1 <= table["sample"].nunique() <= crystal_example.SAMPLES and set(table["weight"]) == {-1.0, 2.0}
    for _, part in table.groupby(["sample", "weight"]):
        assert part["step"].max() == 100 and len(part) <= crystal_example.MOMENTS + 1
        last = unpacked(json.loads(part.iloc[-1]["structure"]))
        assert last.formula == part.iloc[-1]["formula"] and part.iloc[-1]["tc_K"] == len(last.symbols)
    found = sentences(table, counts)
    assert table["metal"].all() and len(found) == 3 and found[1].startswith("w = -1: ")
    assert f"Of 64 crystals {counts['metals']} are metals" in found[0]


def test_metals_whose_tc_rises_most_come_first(ways):
    table, counts = table_of(ways, Models())
    of_weight = table.groupby(["sample", "weight"])["tc_K"].first().unstack()
    rises = (of_weight[2.0] - of_weight[-1.0]).tolist()
    assert rises == sorted(rises, reverse=True) and sum(rise > 0 for rise in rises) <= counts["rising"]
    fewest = int(of_weight.min(axis=1).iloc[0])
    fewer, counts_of_fewer = table_of(ways, Models(fewest))
    metals = fewer.groupby("sample")["metal"].all().tolist()
    assert metals == sorted(metals, reverse=True) and counts_of_fewer["metals"] < counts["metals"]
