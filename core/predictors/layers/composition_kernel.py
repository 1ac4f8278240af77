"""Kernel regression over compositions: doping series, of which SuperCon is made, are interpolated.

f(x) = sum_i a_i exp(-D_i / l),    D^2 = d_f^2 + d_v^2 + w d_p^2 + soft^2

d_f is the distance between the square roots of the fractions (nearly: smooth at 0), d_v that between the formal states
of copper and total charges (`formal_valence`), d_p that between means and spreads of element facts. The exponential
kernel follows kinks in Tc against doping as regression trees do, but its value is smooth: `soft` rounds the tip at the
known compositions. Ridge regression gives the a_i (Rasmussen and Williams 2006, eq. 2.25).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import nn

from core.chemistry import elements
from core.predictors.features.copper_valence import charges, formal_valence
from core.predictors.features.element_features import element_facts

SMOOTH_FRACTION = 1e-4  # sqrt(x + this): a fraction far below it changes nothing
LEAST_VARIANCE = 1e-4
AMOUNTS = elements.N_ELEMENTS + 3  # features that are no means or spreads of element facts
VALENCE_SCALES = (2**0.5, 2**0.5, 1.0)  # of copper's formal state, of the amount of copper, of the charge per atom
WITHOUT_FLOAT64 = {"mps"}  # devices on which the regression cannot be done: there it stays on the processor
ROWS = 128  # compositions at once: a matrix of ROWS x known compositions; a processor's cache holds it
ROWS_ON_GPU = 2048


@dataclass(frozen=True)
class KernelShape:
    """The kernel's numbers: w, l and soft of the equations above."""

    property_weight: float = 0.3
    length: float = 0.5
    soft: float = 0.01

    def coordinates(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, f) -> points (n, f) at distances (D^2 - soft^2)^(1/2) from each other."""
        amounts, properties = features[:, :AMOUNTS], features[:, AMOUNTS:]
        return torch.cat([amounts, self.property_weight**0.5 * properties], dim=1)

    def distance(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Points (n, f) and (m, f) -> D (n, m)."""
        return self.distance_to(one, with_squares(other))

    def distance_to(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Points (n, f), and `with_squares` of points (m, f + 2) -> D (n, m)."""
        square, least = one.square().sum(1, keepdim=True), self.soft**2
        here = torch.cat([-2 * one, square + least, torch.ones_like(square)], dim=1)
        # The difference of large squares: in float32 it is off by some 1e-5, in float64 by nothing that matters.
        return (here @ other.T).clamp_min_(least).sqrt_()

    def near(self, distance: torch.Tensor) -> torch.Tensor:
        """D (n, m) -> exp(-D / l)."""
        return (distance / -self.length).exp_()


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


def features(composition: torch.Tensor, numbers: ElementNumbers) -> torch.Tensor:
    """Compositions (n, 118) -> AMOUNTS features: roots of the fractions and scaled valence; means, spreads of facts."""
    facts = numbers.facts
    roots = (composition + SMOOTH_FRACTION).sqrt() - SMOOTH_FRACTION**0.5
    valence = formal_valence(composition, numbers.charges, elements.element("Cu").index) * numbers.scales
    mean = composition @ facts
    variance = composition @ facts.square() - mean.square()
    # Rounding makes a variance of 0 a little negative; clamped at 0 it would lose its slope.
    spread = (variance + LEAST_VARIANCE).clamp_min(LEAST_VARIANCE / 2).sqrt()
    return torch.cat([roots, valence, mean, spread], dim=1)


def with_squares(points: torch.Tensor) -> torch.Tensor:
    """Points (n, f) -> (n, f + 2): them, ones and their squares, so that one product gives all squared distances."""
    return torch.cat([points, torch.ones_like(points[:, :1]), points.square().sum(1, keepdim=True)], dim=1)


class CompositionKernel(nn.Module):
    """points (n, 118): the known compositions; weights (n,): the a_i, in the property's unit."""

    def __init__(self, shape: KernelShape, points: torch.Tensor, weights: torch.Tensor):
        super().__init__()
        self.shape = shape
        numbers = ElementNumbers.standard()
        for name, number in asdict(numbers).items():
            self.register_buffer(name, number, persistent=False)
        known = shape.coordinates(features(points.double(), numbers))
        self.register_buffer("centre", known.mean(0), persistent=False)  # squares are smaller around it
        self.register_buffer("known", with_squares(known - self.centre), persistent=False)
        self.register_buffer("weights", weights.float(), persistent=False)
        self.register_buffer("known_short", self.known.float(), persistent=False)
        self.register_buffer("pulls_short", _pulls(self.known, weights.to(self.known), shape).float(), persistent=False)

    def forward(self, composition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Compositions (batch, 118) -> value (batch,), distance D to the nearest known composition (batch,)."""
        value, distance = self.at(self.described(composition))
        return value.to(composition), distance.to(composition)

    def at(self, described: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What `forward` says of compositions with these features: in float64, or for a gradient as the weights are.

        In float32 D is off by 1e-4 near a known composition, and the value by some 0.01 K: only a step can afford it.
        """
        here, weights = self.shape.coordinates(described) - self.centre, self.weights.to(self.known)
        if not described.requires_grad:
            return _joined([_value(part, self.known, weights, self.shape)[:2] for part in here.split(_at_once(here))])
        if self.weights.dtype != torch.float32:
            return _Regression.apply(here, self.known, _pulls(self.known, weights, self.shape), weights, self.shape)
        short = here.to(self.known_short)
        return _Regression.apply(short, self.known_short, self.pulls_short, self.weights, self.shape)

    def described(self, composition: torch.Tensor) -> torch.Tensor:
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

    Automatic differentiation would keep a dozen (batch, n) matrices; here they live for a few compositions.
    """

    @staticmethod
    def forward(ctx, here, known, pulls, weights, shape: KernelShape):
        value, distance, *slopes = _joined(
            [_value_and_slope(part, known, pulls, weights, shape) for part in here.split(_at_once(here))]
        )
        ctx.save_for_backward(*slopes)
        return value, distance

    @staticmethod
    def backward(ctx, of_value, of_distance):
        value_slope, distance_slope = ctx.saved_tensors
        return of_value[:, None] * value_slope + of_distance[:, None] * distance_slope, None, None, None, None


def _at_once(points: torch.Tensor) -> int:
    return ROWS if points.device.type == "cpu" else ROWS_ON_GPU


def _joined(parts: list[tuple[torch.Tensor, ...]]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))


def _pulls(known: torch.Tensor, weights: torch.Tensor, shape: KernelShape) -> torch.Tensor:
    """`with_squares` of points (n, f + 2), a (n,) -> (n, f + 1): points and ones, times -a / l."""
    return known[:, :-1] * (weights / -shape.length)[:, None]


def _value(here: torch.Tensor, known: torch.Tensor, weights: torch.Tensor, shape: KernelShape):
    """sum_i a_i k, least D, number of the nearest; k and D of all (n, known)."""
    distance = shape.distance_to(here, known)
    near = shape.near(distance)
    nearest, at = distance.min(dim=1)
    return torch.mv(near, weights), nearest, at, near, distance


def _value_and_slope(
    here: torch.Tensor, known: torch.Tensor, pulls: torch.Tensor, weights: torch.Tensor, shape: KernelShape
):
    """sum_i a_i k, least D, and the slopes of both with the points."""
    value, nearest, at, near, distance = _value(here, known, weights, shape)
    # d k / d(D^2) = -k / (2 l D); the gradient of a squared distance is twice the difference.
    away, steep = (near.div_(distance) @ pulls).split((here.shape[1], 1), dim=1)
    return value, nearest, steep * here - away, (here - known[at, : here.shape[1]]) / nearest[:, None]
