"""Rough durations of a generation without a graphics card, from generations that were timed on two cores.

The time of an evaluation of the network is proportional to the number of atoms, and that of the screening too, most of
which is the relaxation by CHGNet.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.structures.diffusion.guidance import UNCONDITIONED
from core.structures.diffusion.request import GenerationRequest

EVALUATION_S_PER_ATOM = 0.25e-3  # of one crystal in one step: 1.1 ms with 4.6 atoms, 2.9 ms with 10.9
SCREENING_S_PER_ATOM = 0.65  # of one crystal: 1,000 with 4.6 atoms in 50 min


def making_s(request: GenerationRequest, sizes: Sequence[int]) -> float:
    """Seconds in which the network makes the crystals of a request.

    sizes : number of training structures with 0, 1, 2 ... atoms, see `weights.CrystalModel`
    """
    evaluations = request.count * request.sampler.steps * _evaluations(request)
    return evaluations * EVALUATION_S_PER_ATOM * _atoms(request, sizes)


def screening_s(request: GenerationRequest, sizes: Sequence[int]) -> float:
    """Seconds in which the crystals are screened; see `making_s`."""
    return request.count * SCREENING_S_PER_ATOM * _atoms(request, sizes)


def _atoms(request: GenerationRequest, sizes: Sequence[int]) -> float:
    """The mean number of atoms of a crystal."""
    if request.composition is not None:
        return float(len(request.composition))
    return sum(atoms * number for atoms, number in enumerate(sizes)) / sum(sizes)


def _evaluations(request: GenerationRequest) -> int:
    """Evaluations of the network in a step: with and without the Tc, and as often for the corrector."""
    both = request.tc_K is not None and request.sampler.guidance not in (UNCONDITIONED, 0.0)
    return (2 if both else 1) * (2 if request.sampler.corrector else 1)
