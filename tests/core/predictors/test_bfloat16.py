"""The published networks in bfloat16: nearly the same values and slopes, and only in the steps."""

import pytest
import torch

from core import optimiser
from core.design import prepare, resolve_precision
from core.predictors import bfloat16
from core.predictors.bfloat16 import InBfloat16, processor_multiplies_bfloat16
from core.predictors.interface import in_bfloat16
from core.predictors.registry import load_predictor
from core.problem import PUBLISHED, DesignProblem
from core.references import load_references
from core.settings import BFLOAT16, FLOAT32, OptimiserSettings

CPU = torch.device("cpu")


def value_and_slope(predictor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.clone().requires_grad_(True)
    value = predictor(x)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


@pytest.mark.parametrize(("name", "off"), [(PUBLISHED.tc, 1.0), (PUBLISHED.formation_energy, 0.05)])
def test_values_and_slopes_are_nearly_those_of_float32(name, off):
    """off : in K and eV/atom"""
    known = load_references().known_compositions
    precise = load_predictor(name)
    there = precise.known_elements.numpy()
    x = torch.from_numpy(known[~known[:, ~there].any(1)][::200]).float()
    expected, found = (value_and_slope(each, x) for each in (precise, in_bfloat16(precise)))
    assert found[0].dtype == found[1].dtype == torch.float32
    assert (found[0] - expected[0]).abs().mean() < off and not torch.equal(found[0], expected[0])
    climbing = expected[1].abs().sum(1) > 0
    alike = torch.cosine_similarity(expected[1][climbing], found[1][climbing])
    assert alike.median() > 0.99 and alike.min() > 0.5


def test_the_predictor_itself_stays_as_it_is():
    precise = load_predictor(PUBLISHED.tc)
    before = {name: tensor.clone() for name, tensor in precise.state_dict().items()}
    in_bfloat16(precise)
    assert all(torch.equal(tensor, before[name]) for name, tensor in precise.state_dict().items())


def test_a_predictor_without_such_a_form_is_climbed_as_it_is():
    def predictor(x):
        return x.sum(1)

    assert in_bfloat16(predictor) is predictor


def test_what_goes_in_and_comes_out_keeps_its_type():
    network = InBfloat16(torch.nn.Linear(3, 2))
    assert network(torch.ones(1, 3)).dtype == torch.float32
    assert network.network.weight.dtype == torch.bfloat16


def test_auto_takes_it_where_the_processor_has_units_for_it(monkeypatch):
    for there, expected in ((True, BFLOAT16), (False, FLOAT32)):
        monkeypatch.setattr(bfloat16.torch.cpu, "get_capabilities", lambda there=there: {"amx_bf16": there})
        assert processor_multiplies_bfloat16() == there
        assert resolve_precision("auto", CPU) == expected
        assert resolve_precision(FLOAT32, CPU) == FLOAT32 and resolve_precision(BFLOAT16, CPU) == BFLOAT16
    assert resolve_precision("auto", torch.device("cuda")) == FLOAT32


def test_steps_climb_it_and_what_is_kept_is_float32():
    settings = OptimiserSettings(candidates=4, steps=(2, 2))
    problem = DesignProblem("LaFeAsO", settings=settings, device="cpu", tc_predictor=PUBLISHED.tc,
                            formation_energy_predictor=PUBLISHED.formation_energy, precision=BFLOAT16)  # fmt: skip
    task, _ = prepare(problem)
    state = optimiser.init(task)
    _, seen = optimiser.step(task, state)
    kept = optimiser.evaluate(task, state)
    precise = load_predictor(PUBLISHED.tc)(kept.composition)
    assert torch.allclose(kept.tc_K, precise, atol=1e-3)
    assert torch.allclose(seen.tc_K, in_bfloat16(load_predictor(PUBLISHED.tc))(kept.composition), atol=1e-3)
    assert not torch.allclose(seen.tc_K, precise, atol=1e-3)
