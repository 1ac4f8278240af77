"""What can be asked of a generation, and what is refused."""

import pytest

from core.errors import InputError
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.request import GenerationRequest, cell_of
from core.structures.diffusion.sampler import SamplerSettings, Wanted


def test_a_request_says_what_the_sampler_and_the_loader_need():
    request = GenerationRequest(3, tc_K=10.0, allowed=("C", "Nb"))
    assert request.wanted == Wanted(10.0, frozenset({"C", "Nb"})) and request.checkpoint == WITH_TC
    assert GenerationRequest(3).checkpoint == BASE and GenerationRequest(3).wanted == Wanted()
    assert request.to_json()["allowed"] == ["C", "Nb"] and request.to_json()["sampler"]["steps"] == 100


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("count", {"count": 0}),
        ("tc", {"tc_K": float("nan")}),
        ("tc", {"tc_K": -1.0}),
        ("seed", {"seed": -1}),
        ("steps", {"sampler": SamplerSettings(steps=1001)}),
        ("guidance", {"sampler": SamplerSettings(guidance=-2.0)}),
        ("elements", {"allowed": ()}),
        ("elements", {"allowed": ("Xx",)}),
        ("elements", {"composition": ("Lr",)}),
        ("elements", {"allowed": ("H",), "composition": ("H",)}),
    ],
)
def test_what_cannot_be_generated_is_refused_with_its_field(field, asked):
    with pytest.raises(InputError) as caught:
        GenerationRequest(**({"count": 1} | asked))
    assert caught.value.field == field


def test_a_cell_has_whole_formula_units_and_at_most_20_atoms():
    assert cell_of({"Mg": 1, "B": 2}, 2) == ("B",) * 4 + ("Mg",) * 2
    for amounts, units in (({"Mg": 0.5, "B": 2}, 1), ({"Mg": 1, "B": 2}, 7), ({"Mg": 1}, 0)):
        with pytest.raises(InputError, match="atoms"):
            cell_of(amounts, units)
