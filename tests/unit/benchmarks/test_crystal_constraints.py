"""Constraints on generated crystals: what holds, and a small run with a random network."""

from dataclasses import replace

import pytest

from core.benchmarks.crystal_constraints import (
    ELEMENTS,
    FORMULAS,
    FREE,
    OF_ELEMENTS,
    OF_FORMULAS,
    OF_PROTOTYPES,
    PAIRS,
    CrystalConstraintsOptions,
    crystal_constraints,
    holds,
    requests_of,
    row_of,
)
from core.structures.diffusion import weights
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.request import GenerationRequest
from core.structures.diffusion.sampler import SamplerSettings
from tests.crystals import diboride, rock_salt
from tests.unit.structures.diffusion.conftest import SMALL, stored

MGB2, NACL = diboride("Mg", 3.1, 3.5), rock_salt("Na", "Cl", 5.6)


def test_a_crystal_holds_what_was_asked_for():
    assert holds(MGB2, GenerationRequest(1)) and holds(MGB2, GenerationRequest(1, allowed=("B", "Mg", "Nb")))
    assert not holds(NACL, GenerationRequest(1, allowed=("B", "Mg")))
    assert holds(MGB2, GenerationRequest(1, composition=("B", "Mg", "B")))
    assert not holds(MGB2, GenerationRequest(1, composition=("B", "Mg")))


def test_a_sample_that_is_no_crystal_counts_and_holds_nothing():
    row = row_of("x", [(GenerationRequest(3, allowed=("B", "Mg")), [MGB2, NACL, None])])
    assert row["crystals"] == 3 and row["held"] == 1 / 3 and row["valid_structure"] == 2 / 3
    z, n, p = 1.959964, 3, 2 / 3  # Wilson 1927
    middle, half = (p + z**2 / (2 * n)) / (1 + z**2 / n), z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    assert row["valid_structure_low"] == pytest.approx(middle - half / (1 + z**2 / n), abs=1e-5)
    assert row["valid_structure_high"] == pytest.approx(middle + half / (1 + z**2 / n), abs=1e-5)


def test_every_kind_is_generated(tmp_path, monkeypatch):
    stored(tmp_path / "checkpoints", BASE)
    stored(tmp_path / "checkpoints", WITH_TC, replace(SMALL, adapter=True))
    load = weights.load_crystal_network
    monkeypatch.setattr(weights, "load_crystal_network", lambda name: load(name, tmp_path / "checkpoints"))
    monkeypatch.setattr(
        "core.benchmarks.crystal_constraints.SamplerSettings", lambda guidance, bfloat16: SamplerSettings(steps=2)
    )
    made = crystal_constraints(CrystalConstraintsOptions(count=len(FORMULAS), device="cpu", cache=tmp_path))
    rows = made.table.set_index("constraint")
    assert set(rows.index) == {kind for pair in PAIRS for kind in pair} and (rows["crystals"] == len(FORMULAS)).all()
    valid = rows["valid_structure"]
    assert (rows["held"] >= valid).all() and len(made.sentences) == 4 and f"{valid[FREE]:.1%}" in made.sentences[0]


def test_each_formula_has_its_share_of_the_crystals():
    asked = requests_of(500, 3, SamplerSettings())
    assert [each.count for each in asked[OF_FORMULAS]] == [50] * len(FORMULAS)
    assert asked[OF_ELEMENTS][0].allowed == ELEMENTS and asked[FREE][0].count == 500
    assert [len(each.composition) for each in asked[OF_FORMULAS]] == [3, 2, 8, 8, 4, 6, 4, 8, 11, 7]
    assert all(each.symmetric for each in asked[OF_PROTOTYPES])
