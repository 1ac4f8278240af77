"""Constraints on generated crystals: what holds, and a small run with a random network."""

from core.benchmarks.crystal_constraints import (
    ELEMENTS,
    FORMULAS,
    FREE,
    OF_ELEMENTS,
    OF_FORMULAS,
    CrystalConstraintsOptions,
    crystal_constraints,
    holds,
    requests_of,
    row_of,
)
from core.structures.diffusion import weights
from core.structures.diffusion.names import BASE
from core.structures.diffusion.request import GenerationRequest
from core.structures.diffusion.sampler import SamplerSettings
from tests.crystals import diboride, rock_salt
from tests.unit.structures.diffusion.conftest import stored

MGB2, NACL = diboride("Mg", 3.1, 3.5), rock_salt("Na", "Cl", 5.6)


def test_a_crystal_holds_what_was_asked_for():
    assert holds(MGB2, GenerationRequest(1)) and holds(MGB2, GenerationRequest(1, allowed=("B", "Mg", "Nb")))
    assert not holds(NACL, GenerationRequest(1, allowed=("B", "Mg")))
    assert holds(MGB2, GenerationRequest(1, composition=("B", "Mg", "B")))
    assert not holds(MGB2, GenerationRequest(1, composition=("B", "Mg")))


def test_a_sample_that_is_no_crystal_counts_and_holds_nothing():
    row = row_of("x", [(GenerationRequest(3, allowed=("B", "Mg")), [MGB2, NACL, None])])
    assert row["crystals"] == 3 and row["held"] == 1 / 3 and row["valid_structure"] == 2 / 3


def test_every_kind_is_generated(tmp_path, monkeypatch):
    stored(tmp_path / "checkpoints", BASE)
    load = weights.load_crystal_network
    monkeypatch.setattr(weights, "load_crystal_network", lambda name: load(name, tmp_path / "checkpoints"))
    monkeypatch.setattr(
        "core.benchmarks.crystal_constraints.SamplerSettings", lambda bfloat16: SamplerSettings(steps=2)
    )
    made = crystal_constraints(CrystalConstraintsOptions(count=len(FORMULAS), device="cpu", cache=tmp_path))
    rows = made.table.set_index("constraint")
    assert list(rows.index) == [FREE, OF_ELEMENTS, OF_FORMULAS] and (rows["crystals"] == len(FORMULAS)).all()
    valid = rows["valid_structure"]
    assert (rows["held"] >= valid).all() and len(made.sentences) == 2 and f"{valid[FREE]:.1%}" in made.sentences[0]


def test_each_formula_has_its_share_of_the_crystals():
    asked = requests_of(500, 3, SamplerSettings())
    assert [each.count for each in asked[OF_FORMULAS]] == [50] * len(FORMULAS)
    assert asked[OF_ELEMENTS][0].allowed == ELEMENTS and asked[FREE][0].count == 500
