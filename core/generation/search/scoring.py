"""The objective of a search, Tc - kappa error - alpha Ef, of many formulas: each is predicted once.

A search evaluates most formulas in vain, so that the first prediction is the cheapest one with the right order: Tc and
its error by the whole predictor, the formation energy by one member, both in their version for ranking. Only formulas
that a search keeps get the formation energy of all members. Before that, a much cheaper version of the Tc predictor, if
there is one, can tell with a fit of the energy which of many formulas deserve a prediction, see `Scorer.promise`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.interface import PropertyPredictors
from core.generation.search.energy_fit import EnergyFit
from core.predictors.interface import Predictor
from core.problem.settings import TARGET, OptimiserSettings

ROWS = 512  # formulas predicted together on a CPU core
ROWS_ON_GPU = 8192
GRADIENT_ROWS = 1  # fewest formulas of a core whose gradient is taken: it costs as much as 35 predictions
DIGITS = 3  # of a score: rounding hides that predictions depend on the rest of the batch in their last bits
VALUE_DIGITS = (3, 3, 5)  # of Tc, its error and the formation energy, for the same reason
UNBOUND = -np.inf  # score of a formula whose formation energy is not negative


@dataclass(frozen=True)
class Values:
    """Predictions of formulas, each (n,): Tc and its expected error in K, formation energy in eV/atom.

    hull_eV_per_atom : energy of the stable decomposition, where the objective is the energy above hull; otherwise 0
    """

    tc_K: np.ndarray
    error_K: np.ndarray
    formation_energy_eV_per_atom: np.ndarray
    hull_eV_per_atom: np.ndarray

    @property
    def energy_eV_per_atom(self) -> np.ndarray:
        """The energy that the objective has (n,) in eV/atom: of formation, or above hull where the hull is known."""
        return self.formation_energy_eV_per_atom - self.hull_eV_per_atom

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.tc_K, self.error_K, self.formation_energy_eV_per_atom, self.hull_eV_per_atom))

    def __getitem__(self, rows: np.ndarray) -> Values:
        return Values(*(each[rows] for each in self))


class HullEnergies(Protocol):
    """The convex hull, see `core.screening.convex_hull.Hull`."""

    def mixtures(self, compositions: np.ndarray) -> np.ndarray: ...

    def mixture(self, composition: np.ndarray) -> tuple[float, np.ndarray]: ...


def objective(settings: OptimiserSettings, values: Values) -> np.ndarray:
    """Tc - kappa error - alpha E in K, (n,); with a target, -max(0, target - Tc + kappa error) - alpha E.

    E is the formation energy, less the energy of the stable decomposition where this is known: the energy above hull.
    """
    safe = values.tc_K - settings.risk_aversion * values.error_K
    if settings.objective == TARGET:
        safe = np.minimum(safe - settings.target_tc_K, 0.0)
    return np.round(safe - settings.formation_energy_weight * values.energy_eV_per_atom, DIGITS)


@dataclass
class Scorer:
    """Predicts formulas and remembers the predictions, until `forget`.

    hull : None: the objective has the formation energy; otherwise the energy above this hull
    evaluated : number of formulas predicted so far
    """

    predictors: PropertyPredictors
    settings: OptimiserSettings
    cores: BatchParallel
    hull: HullEnergies | None = None
    evaluated: int = 0
    _tc: Predictor = field(init=False)
    _energy: Predictor = field(init=False)
    _rough: Predictor | None = field(init=False)
    _known: dict[bytes, tuple[float, float, float]] = field(default_factory=dict)
    _whole: dict[bytes, float] = field(default_factory=dict)
    _hull: dict[bytes, float] = field(default_factory=dict)

    def __post_init__(self):
        self._tc, self._energy = self.predictors.tc.for_ranking(), self.predictors.formation_energy.for_ranking()
        self._rough = self.predictors.tc.for_preselection()

    def quick(self, counts: np.ndarray) -> Values:
        """Values of formulas (n, 118) with the formation energy of the first member, and without the hull.

        The hull is at or below 0, so that the objective without it is an upper bound.
        """
        keys = _keys(counts)
        new = [i for i, key in enumerate(keys) if key not in self._known]
        if new:
            found = self._predicted(counts[new], self._tc, self._energy.members()[0])
            self._known.update(
                {keys[i]: (tc, error, energy) for i, (tc, error, energy) in zip(new, found, strict=True)}
            )
            self.evaluated += len(new)
        table = np.array([self._known[key] for key in keys]).reshape(-1, 3)
        return Values(*table.T, np.zeros(len(table)))

    @property
    def preselects(self) -> bool:
        """Whether there is a predictor for `promise`."""
        return self._rough is not None

    def forget(self) -> None:
        """Forget all predictions, so that what is predicted together next depends on nothing before."""
        for remembered in (self._known, self._whole, self._hull):
            remembered.clear()

    def promise(self, counts: np.ndarray, energy: EnergyFit) -> np.ndarray:
        """About the objective (n,) in K of formulas (n, 118). Needs `preselects`.

        energy : of the formulas found so far, see `Values.energy_eV_per_atom`

        With the default weights Tc less error has nearly the order of the objective: of the best 5% of the children of
        an archive, 95 to 100% were among the first 15% by it, and its rank correlation with the objective was 0.90 to
        0.98, without any energy. The promise is not remembered: float32 depends on what is predicted together, and a
        resumed search must do the same.
        """
        tc, error, nothing = self._predicted(counts, self._rough, None).T
        return objective(self.settings, Values(tc, error, energy(counts), nothing))

    def full(self, counts: np.ndarray) -> Values:
        """Values of formulas (n, 118) with the formation energy of all members, and with the hull."""
        keys, quick = _keys(counts), self.quick(counts)
        new = [i for i, key in enumerate(keys) if key not in self._whole]
        if new:
            found = self._predicted(counts[new], None, self._energy)[:, 2]
            self._whole.update(zip((keys[i] for i in new), found.tolist(), strict=True))
        energy = np.array([self._whole[key] for key in keys])
        return self.on_hull(counts, Values(quick.tc_K, quick.error_K, energy, quick.hull_eV_per_atom))

    def on_hull(self, counts: np.ndarray, values: Values) -> Values:
        """The values of formulas (n, 118) with the energy of the hull, if the objective has it."""
        if self.hull is None:
            return values
        keys = _keys(counts)
        new = [i for i, key in enumerate(keys) if key not in self._hull]
        if new:
            found = self.hull.mixtures(counts[new] / counts[new].sum(1, keepdims=True))
            self._hull.update(zip((keys[i] for i in new), found.tolist(), strict=True))
        hull = np.array([self._hull[key] for key in keys])
        return Values(values.tc_K, values.error_K, values.formation_energy_eV_per_atom, hull)

    def gradient(self, x: torch.Tensor, formulas: np.ndarray) -> np.ndarray:
        """Gradient (n, 118) of the objective in K at compositions (n, 118); one member predicts Ef.

        The energy above hull has the gradient of Ef minus the dual prices of the elements, which are taken at
        `formulas` (n, 118), because x may have traces of all elements and then too many competing phases.
        """

        def of(rows: slice) -> torch.Tensor:
            point = x[rows].to(self.predictors.device).requires_grad_(True)
            tc, energy = self.predictors.tc.estimate(point), self.predictors.formation_energy.members()[0](point)
            safe = tc.value if tc.error is None else tc.value - self.settings.risk_aversion * tc.error
            value = safe - self.settings.formation_energy_weight * energy
            return torch.autograd.grad(value.sum(), point)[0]

        found = torch.cat(self.cores.map(of, len(x), GRADIENT_ROWS)).cpu().numpy().astype(np.float64)
        if self.hull is None:
            return found
        prices = np.stack([self.hull.mixture(row)[1] for row in formulas])
        return found + self.settings.formation_energy_weight * prices

    def score(self, values: Values) -> np.ndarray:
        """See `objective`; UNBOUND where the formation energy is not negative."""
        bound = values.formation_energy_eV_per_atom < 0
        return np.where(bound, objective(self.settings, values), UNBOUND)

    def _predicted(self, counts: np.ndarray, tc: Predictor | None, energy: Predictor | None) -> np.ndarray:
        """Tc, error and formation energy (n, 3) in float64; 0 without the predictor."""
        x = torch.from_numpy(counts / counts.sum(1, keepdims=True)).float().to(self.predictors.device)

        def predicted(rows: slice) -> torch.Tensor:
            with torch.no_grad():
                value = x.new_zeros(len(x[rows]), 3)
                if tc is not None:
                    found = tc.estimate(x[rows])
                    value[:, 0] = found.value
                    value[:, 1] = 0.0 if found.error is None else found.error
                if energy is not None:
                    value[:, 2] = energy(x[rows])
                return value

        values = torch.cat(self.cores.map(predicted, len(x))).cpu().numpy().astype(np.float64)
        return np.column_stack([column.round(digits) for column, digits in zip(values.T, VALUE_DIGITS, strict=True)])


def _keys(counts: np.ndarray) -> list[bytes]:
    """A key of each formula (n, 118) in lowest terms."""
    packed = np.ascontiguousarray(counts.astype(np.int32))
    return [row.tobytes() for row in packed]
