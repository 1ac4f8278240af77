"""What is asked of a generation of crystals, and its validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.chemistry import elements
from core.chemistry.tolerances import WHOLE_ATOM
from core.errors import InputError
from core.generation.diffusion.noise_schedule import STEPS
from core.structures.diffusion.crystals import N_TYPES
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.sampler import SamplerSettings, Wanted

MOST_ATOMS, MOST_SAMPLES = 20, 1_000_000
LARGEST_TC_K, LARGEST_GUIDANCE = 1000.0, 20.0


@dataclass(frozen=True)
class GenerationRequest:
    """A generation: with the checkpoint, it determines the samples.

    tc_K : Tc in K that is asked for; None: any
    allowed : symbols of the elements that may occur, in the order of the atomic number; None: all
    composition : symbols of the atoms of every sample; None: free
    symmetric : whether each sample of a composition has the symmetry of a prototype, see `template_draw`
    """

    count: int
    seed: int = 0
    tc_K: float | None = None
    allowed: tuple[str, ...] | None = None
    composition: tuple[str, ...] | None = None
    sampler: SamplerSettings = field(default_factory=SamplerSettings)
    symmetric: bool = False

    def __post_init__(self):
        """Raises InputError for a value out of range, an element beyond fermium, and elements beside a formula.

        Also for the symmetry of prototypes without a formula.
        """
        ranges = (
            ("count", "the number of crystals", self.count, 1, MOST_SAMPLES),
            ("steps", "the number of steps", self.sampler.steps, 2, STEPS),
            ("guidance", "the weight of the guidance", self.sampler.guidance, -1, LARGEST_GUIDANCE),
            ("tc", "the Tc in K", 0.0 if self.tc_K is None else self.tc_K, 0, LARGEST_TC_K),
        )
        for name, what, value, low, high in ranges:
            if not low <= value <= high:  # NaN too
                raise InputError(name, value, f"{what} must be from {low:,} to {high:,}", "Choose another value")
        if self.seed < 0:
            raise InputError("seed", self.seed, "a seed is a whole number from 0", "Choose another value")
        if self.allowed is not None and self.composition is not None:
            raise InputError("elements", " ".join(self.allowed), "a formula determines the elements", "Leave one out")
        if self.symmetric and self.composition is None:
            raise InputError("formula", "", "the symmetry of prototypes needs a formula", "Name one")
        for symbol in (*(self.allowed or ()), *(self.composition or ())):
            if not elements.is_element(symbol) or elements.element(symbol).index >= N_TYPES:
                raise InputError("elements", symbol, "this is no element from H to Fm", "Choose others")
        if self.allowed == ():
            raise InputError("elements", "", "at least one element is needed", "Name one, or leave them out")

    @property
    def checkpoint(self) -> str:
        """The name of the checkpoint that is used."""
        return BASE if self.tc_K is None else WITH_TC

    @property
    def wanted(self) -> Wanted:
        """The request as the sampler reads it."""
        allowed = None if self.allowed is None else frozenset(self.allowed)
        return Wanted(self.tc_K, allowed, self.composition)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> GenerationRequest:
        """The inverse of `to_json`. Raises InputError, KeyError or TypeError for another object."""
        values: dict[str, Any] = dict(content) | {"sampler": SamplerSettings(**content["sampler"])}
        for name in ("allowed", "composition"):
            values[name] = None if content[name] is None else tuple(content[name])
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The request as a JSON object, equal for equal requests; without `symmetric` as in earlier versions."""
        lists = {name: None if value is None else list(value) for name, value in
                 (("allowed", self.allowed), ("composition", self.composition))}  # fmt: skip
        content = asdict(self) | lists
        if not self.symmetric:
            del content["symmetric"]
        return content


def uses_bfloat16(device_type: str) -> bool:
    """Whether a network multiplies in bfloat16 on a device: "cpu", "cuda" or "mps"."""
    from core.predictors.layers.bfloat16 import processor_has_bfloat16

    return processor_has_bfloat16() if device_type == "cpu" else device_type == "cuda"


def cell_of(amounts: Mapping[str, float], formula_units: int) -> tuple[str, ...]:
    """The atoms of a cell with some units of a formula.

    Raises InputError for amounts that are not whole, for too many, and for elements beyond fermium.

    amounts : atoms per formula unit
    """
    numbers = {symbol: round(amount) for symbol, amount in amounts.items()}
    text = "".join(f"{symbol}{amount:g}" for symbol, amount in amounts.items())
    if any(not math.isclose(numbers[symbol], amounts[symbol], abs_tol=WHOLE_ATOM) for symbol in amounts):
        raise InputError("formula", text, "a cell has whole atoms", "Give whole numbers of atoms, as MgB2 instead of "
                         "Mg0.5B; for a doped formula see the page Structures")  # fmt: skip
    if any(elements.element(symbol).index >= N_TYPES for symbol in numbers):
        raise InputError("formula", text, "the network knows the elements from H to Fm", "Choose others")
    total = formula_units * sum(numbers.values())
    if not 1 <= total <= MOST_ATOMS:
        raise InputError("formula", text, f"the cell would have {total} atoms; 1 to {MOST_ATOMS} are possible",
                         "Choose a smaller formula, or fewer units")  # fmt: skip
    order = sorted(numbers, key=lambda symbol: elements.element(symbol).index)
    return tuple(symbol for symbol in order for _ in range(formula_units * numbers[symbol]))
