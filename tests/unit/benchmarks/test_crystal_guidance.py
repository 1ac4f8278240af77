"""Figure 2 of the guided diffusion, with a random network and a stand-in for the models."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.benchmarks.crystal_guidance import (
    ARMS,
    BINS_K,
    TUNING_DATA,
    UNCONDITIONAL,
    Arm,
    CrystalGuidanceOptions,
    histogram,
    made,
    measured,
    name_of,
    sentences,
    shares,
    shift_K,
    table_of,
)
from core.structures.diffusion.names import WITH_TC
from core.structures.diffusion.request import GenerationRequest
from core.structures.diffusion.sampler import SamplerSettings
from core.structures.diffusion.weights import load_crystal_network
from core.structures.relaxation import FELL_APART, RELAXED, Relaxation
from core.structures.structure_models import StructureProperties
from tests.unit.structures.diffusion.conftest import SMALL, stored


def arm(tc_K, relaxed=(1.0, 2.0)) -> Arm:
    values = np.array(tc_K, dtype=float)
    return Arm(10, values, values > 0, np.array(relaxed, dtype=float), 1)


FOUND = {
    ARMS[0]: arm([0, 1, 2, 3, 4]),
    ARMS[1]: arm([6, 7, 8, 9, 10, 11], (8, 9)),
    ARMS[2]: arm([0, 2, 4, 6]),
}


def test_the_shift_is_between_the_medians():
    low, high = shift_K(np.zeros(50), np.full(60, 3.0))
    assert low == high == 3.0
    low, high = shift_K(np.arange(200) / 20, np.arange(200) / 20 + 1.0)
    assert low < 1.0 < high and high - low < 5
    assert np.isnan(shift_K(np.zeros(1), np.ones(5))).all()


def test_every_kind_has_a_row():
    rows = table_of(FOUND, np.array([1.0, 4.0, 9.0])).set_index("guidance")
    assert list(rows.index) == [TUNING_DATA, *(name_of(*key) for key in ARMS)]
    assert rows.loc[TUNING_DATA, "tc_median_K"] == 4.0 and rows.loc[name_of(*ARMS[1]), "tc_median_K"] == 8.5
    assert rows.loc[name_of(*ARMS[0]), "valid_structure"] == 0.5 and rows.loc[name_of(*ARMS[0]), "metals"] == 0.8
    assert np.isnan(rows.loc[name_of(*UNCONDITIONAL), "shift_low_K"]) and rows.loc[name_of(*ARMS[1]), "shift_low_K"] > 0
    assert rows.loc[name_of(*ARMS[2]), "metal_tc_median_K"] == 4.0  # of 2, 4 and 6
    first, second, third = sentences(rows.reset_index())
    assert "8.5 K" in first and "110 K" in second and "4.0 K" in third


def test_an_arm_without_valid_crystals_has_no_median():
    rows = table_of({**FOUND, ARMS[2]: arm([], [])}, np.array([1.0])).set_index("guidance")
    assert np.isnan(rows.loc[name_of(*ARMS[2]), "tc_median_K"]) and rows.loc[name_of(*ARMS[2]), "valid_structure"] == 0


def test_the_shares_of_the_histogram_are_of_all_crystals():
    assert shares(np.array([0.0, 1.0, 500.0, 3.0])).sum() == pytest.approx(1.0)
    assert shares(np.array([500.0]))[-1] == 1.0 and len(shares(np.zeros(0))) == len(BINS_K) - 1
    assert len(histogram(FOUND, np.array([1.0]))["data"]) == 4


def test_crystals_are_made_relaxed_and_kept(tmp_path):
    stored(tmp_path, WITH_TC, replace(SMALL, adapter=True))
    model = load_crystal_network(WITH_TC, tmp_path)
    asked = []

    class Models:
        def properties(self, structures, groups):
            return [StructureProperties(0.9, 7.0) for _ in structures]

    def relaxer(structure, should_stop):
        asked.append(structure)
        verdict = FELL_APART if len(asked) == 1 else RELAXED
        return Relaxation(structure, -3.0, -3.0, 7, verdict, "", 0.01, 0.0, 0.0)

    request = GenerationRequest(40, tc_K=10.0, sampler=SamplerSettings(steps=2))
    options = CrystalGuidanceOptions(count=40, relaxed=3)
    arguments = (tmp_path / "arm", request, model, torch.device("cpu"), Models(), relaxer, options)
    first = measured(*arguments)
    assert len(made(tmp_path / "arm")) == 40 and first.valid >= 3 and (first.tc_K == 7.0).all()
    assert len(asked) == 3 and first.unrelaxed == 1 and list(first.relaxed_tc_K) == [7.0, 7.0]
    again = measured(*arguments)
    assert len(asked) == 3 and list(again.relaxed_tc_K) == [7.0, 7.0] and again.valid == first.valid
