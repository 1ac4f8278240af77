"""Kernel regression over compositions: doping series, of which SuperCon is made, are interpolated.

f(x) = m + sum_i a_i k(x, x_i)
k    = (1 - s) exp(-D / l) + s exp(-sqrt(d_p^2 + soft^2) / l_p),    D^2 = d_f^2 + d_v^2 + w d_p^2 + soft^2

d_f is the distance between the square roots of the fractions (nearly: smooth at 0), d_v that between the formal states
of copper and total charges (`formal_valence`), d_p that between means and spreads of element facts. The first term
tells neighbours in a doping series apart, the second sees families of elements. The exponential kernel follows kinks in
Tc against doping as regression trees do, but its value is smooth: `soft` rounds the tip at the known compositions.
Ridge regression gives the a_i (Rasmussen and Williams 2006, eq. 2.25).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import nn

from core import elements
from core.predictors.element_facts import element_facts
from core.predictors.formal_valence import charges, formal_valence

SMOOTH_FRACTION = 1e-4  # sqrt(x + this): a fraction far below it changes nothing
LEAST_VARIANCE = 1e-4
VALENCE_SCALES = (2**0.5, 2**0.5, 1.0)  # of copper's formal state, of the amount of copper, of the charge per atom
WITHOUT_FLOAT64 = {"mps"}  # devices on which the regression cannot be done: there it stays on the processor
ROWS = 512  # compositions at once: memory is ROWS x known compositions

Features = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class KernelShape:
    """The kernel's numbers: w, l, l_p, s and soft of the equations above."""

    property_weight: float = 0.3
    length: float = 1.0
    property_length: float = 3.0
    property_share: float = 0.3
    soft: float = 0.01

    def __call__(self, one: Features, other: Features) -> torch.Tensor:
        """Features of n and of m compositions, float64 -> k (n, m)."""
        near, alike, _, _ = self.terms(one, other, torch.float64)
        return (1 - self.property_share) * near + self.property_share * alike

    def terms(self, one: Features, other: Features, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
        """Features of n and of m compositions, float64 -> the two exponentials and the two distances in them (n, m)."""
        by_fraction, by_property = (squared_distance(a, b).to(dtype) for a, b in zip(one, other, strict=True))
        distance = by_fraction.add_(by_property, alpha=self.property_weight).add_(self.soft**2).sqrt_()
        unlikeness = by_property.add_(self.soft**2).sqrt_()
        near, alike = (distance / -self.length).exp_(), (unlikeness / -self.property_length).exp_()
        return near, alike, distance, unlikeness


@dataclass(frozen=True)
class ElementNumbers:
    """What the features are made of: facts (118, f), charges (118,), the scales of the valence (3,)."""

    facts: torch.Tensor
    charges: torch.Tensor
    scales: torch.Tensor

    @classmethod
    def standard(cls) -> ElementNumbers:
        """Those of this project, in float64."""
        return cls(element_facts().double(), charges(), torch.tensor(VALENCE_SCALES, dtype=torch.float64))


def features(composition: torch.Tensor, numbers: ElementNumbers) -> Features:
    """Compositions (n, 118) -> roots of the fractions and scaled valence (n, 121), means and spreads (n, 2 f)."""
    facts = numbers.facts
    roots = (composition + SMOOTH_FRACTION).sqrt() - SMOOTH_FRACTION**0.5
    valence = formal_valence(composition, numbers.charges, elements.element("Cu").index) * numbers.scales
    mean = composition @ facts
    variance = composition @ facts.square() - mean.square()
    # Rounding makes a variance of 0 a little negative; clamped at 0 it would lose its slope.
    spread = (variance + LEAST_VARIANCE).clamp_min(LEAST_VARIANCE / 2).sqrt()
    return torch.cat([roots, valence], dim=1), torch.cat([mean, spread], dim=1)


def squared_distance(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """(n, k) and (m, k) in float64 -> (n, m), never negative.

    In float32 the difference of large squares would be wrong by more than soft^2, and Tc by half a kelvin.
    """
    squares = one.square().sum(1)[:, None] + other.square().sum(1)[None, :]
    return squares.addmm_(one, other.T, alpha=-2).clamp_min_(0)


class CompositionKernel(nn.Module):
    """points (n, 118): the known compositions; weights (n,): the a_i; mean: m, in the property's unit."""

    def __init__(self, shape: KernelShape, points: torch.Tensor, weights: torch.Tensor, mean: float):
        super().__init__()
        self.shape, self.mean = shape, mean
        numbers = ElementNumbers.standard()
        for name, number in asdict(numbers).items():
            self.register_buffer(name, number, persistent=False)
        amounts, properties = features(points.double(), numbers)
        self.register_buffer("amounts", amounts, persistent=False)
        self.register_buffer("properties", properties, persistent=False)
        self.register_buffer("weights", weights.float(), persistent=False)

    def forward(self, composition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Compositions (batch, 118) -> value (batch,), distance D to the nearest known composition (batch,)."""
        described = self.described(composition)
        # Thousands of large weights cancel: in float32 that costs some 0.05 K, which only a gradient step can afford.
        weights = self.weights if composition.requires_grad else self.weights.double()
        value, distance = _Regression.apply(*described, self.amounts, self.properties, weights, self.shape)
        return (self.mean + value).to(composition), distance.to(composition)

    def described(self, composition: torch.Tensor) -> Features:
        """The features of compositions (batch, 118), in float64, where this regression is."""
        numbers = ElementNumbers(self.facts, self.charges, self.scales)
        return features(composition.to(self.facts.device).double(), numbers)

    def _apply(self, fn, recurse=True):
        """What `to` and its kin do with every buffer."""
        if fn(torch.zeros(0)).device.type in WITHOUT_FLOAT64:
            return self
        return super()._apply(fn, recurse)


class _Regression(torch.autograd.Function):
    """The sum over the known compositions, and the least distance; both slopes come with the values.

    Distances are taken in float64, all else in the type of the weights. Automatic differentiation would keep a dozen
    (batch, n) matrices; here they live for ROWS compositions.
    """

    @staticmethod
    def forward(ctx, amounts, properties, known_amounts, known_properties, weights, shape: KernelShape):
        parts = [
            _value_and_slope((a, b), (known_amounts, known_properties), weights, shape)
            for a, b in zip(amounts.split(ROWS), properties.split(ROWS), strict=True)
        ]
        value, distance, *slopes = (torch.cat(part) for part in zip(*parts, strict=True))
        ctx.save_for_backward(*slopes)
        return value, distance

    @staticmethod
    def backward(ctx, of_value, of_distance):
        value_amounts, value_properties, distance_amounts, distance_properties = ctx.saved_tensors
        of_value, of_distance = of_value[:, None], of_distance[:, None]
        return (
            of_value * value_amounts + of_distance * distance_amounts,
            of_value * value_properties + of_distance * distance_properties,
            *(None,) * 4,
        )


def _value_and_slope(here: Features, known: Features, weights: torch.Tensor, shape: KernelShape):
    """sum_i a_i k, least D, and the slopes of both with the amounts and with the properties."""
    near, alike, distance, unlikeness = shape.terms(here, known, weights.dtype)
    here, known = (tuple(part.to(weights.dtype) for part in parts) for parts in (here, known))
    share = shape.property_share
    value = torch.mv(near, (1 - share) * weights).add_(torch.mv(alike, share * weights))
    nearest, at = distance.min(dim=1)
    # d near / d(d_f^2) = -near / (2 l D); the gradient of a squared distance is twice the difference.
    steep = near.div_(distance).mul_(weights * (-(1 - share) / shape.length))
    steep_alike = alike.div_(unlikeness).mul_(weights * (-share / shape.property_length))
    by_amounts = steep.sum(1)[:, None] * here[0] - steep @ known[0]
    steep_alike.add_(steep, alpha=shape.property_weight)
    by_properties = steep_alike.sum(1)[:, None] * here[1] - steep_alike @ known[1]
    away = [(one - other[at]) / nearest[:, None] for one, other in zip(here, known, strict=True)]
    return value, nearest, by_amounts, by_properties, away[0], shape.property_weight * away[1]
