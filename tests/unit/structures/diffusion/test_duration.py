"""Expected durations of generations."""

from dataclasses import replace

import pytest

from core.predictors.checkpoint import read_card
from core.structures.diffusion.duration import making_s, screening_s
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.request import GenerationRequest
from core.structures.diffusion.sampler import SamplerSettings

SIZES = [0, 1, 0, 3]  # 2.5 atoms
ASKED = GenerationRequest(count=100, sampler=SamplerSettings(steps=50))


def test_it_is_proportional_to_crystals_steps_and_atoms():
    once = making_s(ASKED, SIZES)
    assert once == pytest.approx(100 * 50 * 0.25e-3 * 2.5)
    assert making_s(replace(ASKED, count=200, sampler=SamplerSettings(steps=100)), SIZES) == pytest.approx(4 * once)
    formula = replace(ASKED, composition=("B",) * 4 + ("Mg",))
    assert making_s(formula, SIZES) == pytest.approx(2 * once)
    assert screening_s(formula, SIZES) == pytest.approx(2 * screening_s(ASKED, SIZES))


@pytest.mark.parametrize(
    ("guidance", "corrector", "times"), [(2.0, False, 2), (-1.0, False, 1), (0.0, False, 1), (2.0, True, 4)]
)
def test_guidance_and_corrector_evaluate_the_network_more_often(guidance, corrector, times):
    asked = replace(ASKED, tc_K=10.0, sampler=SamplerSettings(steps=50, corrector=corrector, guidance=guidance))
    assert making_s(asked, SIZES) == pytest.approx(times * making_s(ASKED, SIZES))


def test_the_timed_generations():
    thousand = SamplerSettings(steps=100)
    free = making_s(GenerationRequest(500, sampler=thousand), read_card(BASE)["sizes"])
    towards = GenerationRequest(1000, tc_K=10.0, sampler=thousand)
    assert free == pytest.approx(143, rel=0.1)
    assert making_s(towards, read_card(WITH_TC)["sizes"]) == pytest.approx(220, rel=0.1)
    assert screening_s(towards, read_card(WITH_TC)["sizes"]) == pytest.approx(3000, rel=0.1)
