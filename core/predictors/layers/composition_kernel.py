"""Kernel regression over compositions, which interpolates the doping series of SuperCon.

f(x) = sum_i a_i k(D_i),    k(D) = (e + c e^4) / (1 + c),  e = exp(-D / l)
D^2 = d_f^2 + d_v^2 + w d_p^2 + soft^2

d_f is the distance between the square roots of the fractions (shifted, to be smooth at 0), d_v that between the formal
states of copper and total charges (`copper_valence`), d_p that between means and standard deviations of element
properties. The exponential kernel follows kinks of Tc against doping as regression trees do; `soft` makes it smooth at
the known compositions. The part with the short range l / 4 follows what one compound has for itself, and has no effect
on distant ones. Ridge regression gives the a_i (Rasmussen and Williams 2006, eq. 2.25).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from core.chemistry import elements
from core.predictors.device import matmul_precision
from core.predictors.features.copper_valence import charges, copper_valence
from core.predictors.features.element_features import element_features

SMOOTH_FRACTION = 1e-4  # sqrt(x + this): a fraction far below it has no effect
LEAST_VARIANCE = 1e-4
AMOUNTS = elements.N_ELEMENTS + 3  # number of features that are not means or standard deviations of element properties
VALENCE_SCALES = (2**0.5, 2**0.5, 1.0)  # of the formal state of copper, the weight of copper, the charge per atom
WITHOUT_FLOAT64 = {"mps"}  # devices without float64, for which the regression stays on the CPU
ROWS = 128  # compositions at a time, so that a matrix of ROWS x known compositions fits the CPU's cache
ROWS_ON_GPU = 2048


@dataclass(frozen=True)
class KernelShape:
    """The kernel's parameters: w, l, soft and c of the equations above."""

    property_weight: float = 0.3
    length: float = 0.5
    soft: float = 0.01
    short_range: float = 0.0

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
        # A difference of large squares: the error is about 1e-5 in float32, negligible in float64, too large in TF32.
        with matmul_precision(tf32=False, device=here.device):
            return (here @ other.T).clamp_min_(least).sqrt_()

    def near(self, distance: torch.Tensor) -> torch.Tensor:
        """D (n, m) -> k(D)."""
        near = (distance / -self.length).exp_()
        return self._with_short_range(near, self.short_range)

    def near_and_slope(self, distance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """D (n, m) -> k(D), and -l k'(D) = (e + 4 c e^4) / (1 + c)."""
        near = (distance / -self.length).exp_()
        return self._with_short_range(near, self.short_range), self._with_short_range(near, 4 * self.short_range)

    def _with_short_range(self, near: torch.Tensor, weight: float) -> torch.Tensor:
        """e (n, m) -> (e + weight e^4) / (1 + c)."""
        if not self.short_range:
            return near
        return near.square().square_().mul_(weight).add_(near).div_(1 + self.short_range)


@dataclass(frozen=True)
class ElementTables:
    """Constants of the features: element properties (118, p), charges (118,), scales of the valence (3,)."""

    properties: torch.Tensor
    charges: torch.Tensor
    scales: torch.Tensor

    @classmethod
    def standard(cls) -> ElementTables:
        """The tables of this project, in float64."""
        return cls(element_features().double(), charges(), torch.tensor(VALENCE_SCALES, dtype=torch.float64))


def composition_features(composition: torch.Tensor, tables: ElementTables) -> torch.Tensor:
    """Compositions (n, 118) -> features (n, AMOUNTS + 2 p).

    Shifted roots of the fractions and scaled valence, AMOUNTS together; mean and standard deviation of each property.
    """
    properties = tables.properties
    roots = (composition + SMOOTH_FRACTION).sqrt() - SMOOTH_FRACTION**0.5
    valence = copper_valence(composition, tables.charges, elements.element("Cu").index) * tables.scales
    mean = composition @ properties
    variance = composition @ properties.square() - mean.square()
    # Rounding makes a variance of 0 slightly negative; clamped at 0 it would lose its gradient.
    deviation = (variance + LEAST_VARIANCE).clamp_min(LEAST_VARIANCE / 2).sqrt()
    return torch.cat([roots, valence, mean, deviation], dim=1)


def with_squares(points: torch.Tensor) -> torch.Tensor:
    """Points (n, f) -> (n, f + 2): points, ones and squared norms, so that one product gives all squared distances."""
    return torch.cat([points, torch.ones_like(points[:, :1]), points.square().sum(1, keepdim=True)], dim=1)


class CompositionKernel(nn.Module):
    """The regression, computed in float64; `known_short` and `pulls_short` are float32 copies for gradients.

    points : (n, 118) known compositions
    weights : (n,) the a_i, in the unit of the property
    """

    properties: torch.Tensor
    charges: torch.Tensor
    scales: torch.Tensor
    centre: torch.Tensor
    known: torch.Tensor
    weights: torch.Tensor
    known_short: torch.Tensor
    pulls_short: torch.Tensor

    def __init__(self, shape: KernelShape, points: torch.Tensor, weights: torch.Tensor):
        super().__init__()
        self.shape = shape
        tables = ElementTables.standard()
        for name, table in asdict(tables).items():
            self.register_buffer(name, table, persistent=False)
        known = shape.coordinates(composition_features(points.double(), tables))
        self.register_buffer("centre", known.mean(0), persistent=False)  # squared norms are smaller around it
        self.register_buffer("known", with_squares(known - self.centre), persistent=False)
        self.register_buffer("weights", weights.float(), persistent=False)
        self.register_buffer("known_short", self.known.float(), persistent=False)
        self.register_buffer("pulls_short", _pulls(self.known, weights.to(self.known), shape).float(), persistent=False)

    def forward(self, composition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Compositions (batch, 118) -> value (batch,), distance D to the nearest known composition (batch,)."""
        value, distance = self.at(self.features(composition))
        return value.to(composition), distance.to(composition)

    def at(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`forward` from precomputed features (batch, f), in float64; with a gradient, in the dtype of the weights.

        In float32 the error of D near a known composition is 1e-4, that of the value 0.01 K on average and up to 0.5 K
        at a composition that its neighbours contradict, which is sufficient for optimisation steps only.
        """
        here, weights = self.shape.coordinates(features) - self.centre, self.weights.to(self.known)
        if not features.requires_grad:
            parts = here.split(_batch_size(here))
            value, distance = _joined([_value(part, self.known, weights, self.shape) for part in parts])
            return value, distance
        if self.weights.dtype != torch.float32:
            return _Regression.apply(here, self.known, _pulls(self.known, weights, self.shape), weights, self.shape)
        short = here.to(self.known_short)
        return _Regression.apply(short, self.known_short, self.pulls_short, self.weights, self.shape)

    def at_in_float32(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`at` without a gradient in float32, for ranking; for the errors see `at`."""
        here = (self.shape.coordinates(features) - self.centre).to(self.known_short)
        weights = self.weights.to(self.known_short)
        parts = here.split(_batch_size(here))
        value, distance = _joined([_value(part, self.known_short, weights, self.shape) for part in parts])
        return value, distance

    def features(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> features (batch, f) in float64, on the device of this regression."""
        tables = ElementTables(self.properties, self.charges, self.scales)
        return composition_features(composition.to(self.properties.device).double(), tables)

    def _apply(self, fn, recurse=True):
        """Move or convert every buffer, as `to` does, except to a device without float64."""
        if fn(torch.zeros(0)).device.type in WITHOUT_FLOAT64:
            return self
        return super()._apply(fn, recurse)


class _Regression(torch.autograd.Function):
    """The sum over the known compositions, and the smallest distance, computed together with their gradients.

    Automatic differentiation would keep a dozen (batch, n) matrices; here they exist for a few compositions at a time.
    """

    @staticmethod
    def forward(ctx, here, known, pulls, weights, shape: KernelShape):
        value, distance, *gradients = _joined(
            [_value_and_gradient(part, known, pulls, weights, shape) for part in here.split(_batch_size(here))]
        )
        ctx.save_for_backward(*gradients)
        return value, distance

    @staticmethod
    @once_differentiable
    def backward(ctx, of_value, of_distance):
        value_gradient, distance_gradient = ctx.saved_tensors
        return of_value[:, None] * value_gradient + of_distance[:, None] * distance_gradient, None, None, None, None


def _batch_size(points: torch.Tensor) -> int:
    return ROWS if points.device.type == "cpu" else ROWS_ON_GPU


def _joined(parts: Sequence[tuple[torch.Tensor, ...]]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))


def _pulls(known: torch.Tensor, weights: torch.Tensor, shape: KernelShape) -> torch.Tensor:
    """`with_squares` of points (n, f + 2), a (n,) -> (n, f + 1): points and ones, times -a / l."""
    return known[:, :-1] * (weights / -shape.length)[:, None]


def _value(here: torch.Tensor, known: torch.Tensor, weights: torch.Tensor, shape: KernelShape):
    """sum_i a_i k and smallest D of points (n, f)."""
    distance = shape.distance_to(here, known)
    return torch.mv(shape.near(distance), weights), distance.amin(dim=1)


def _value_and_gradient(
    here: torch.Tensor, known: torch.Tensor, pulls: torch.Tensor, weights: torch.Tensor, shape: KernelShape
):
    """sum_i a_i k, smallest D, and the gradients of both in the points."""
    distance = shape.distance_to(here, known)
    near, slope = shape.near_and_slope(distance)
    value, (nearest, at) = torch.mv(near, weights), distance.min(dim=1)
    # d k / d(D^2) = k'(D) / (2 D); the gradient of a squared distance is twice the difference.
    away, steep = (slope / distance @ pulls).split((here.shape[1], 1), dim=1)
    return value, nearest, steep * here - away, (here - known[at, : here.shape[1]]) / nearest[:, None]
