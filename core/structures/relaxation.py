"""Relaxation of a crystal: cell and positions to the nearest minimum of the enthalpy of an interatomic potential.

The enthalpy H = E + p V is minimised over the displacements u of the atoms, in Å, and a symmetric strain e of the cell,
r -> (1 + e)(r + u), with the gradient (-f, V (stress + p)). The strain is measured in units of

    sqrt(V C / K),  C = 80 GPa, K = 20 eV/Å2

so that typical elastic constants C and force constants K have the same curvature. Each step is a quasi-Newton step with
an approximate Hessian (BFGS; J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., eq. 6.19), with absolute values of
its eigenvalues, within a trust radius; a step that raises the enthalpy is taken back. Forces and stress are averaged
over the symmetry operations of the start, so that its symmetry is kept, also at a saddle point of the enthalpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures.interatomic import Potential, PotentialError, Response
from core.structures.symmetry import Operations, operations

GPA_PER_EV_PER_A3 = 160.21766208
HIGHEST_PRESSURE_GPA = 500.0
RELAXED, STEP_LIMIT, FELL_APART, COLLAPSED, STOPPED, NOT_EVALUATED = VERDICTS = (
    "relaxed", "step limit", "fell apart", "collapsed", "stopped", "not evaluated",
)  # fmt: skip
_FORCE_CONSTANT_EV_PER_A2, _ELASTIC_EV_PER_A3 = 20.0, 0.5
_LARGEST_STEP_A, _SMALLEST_STEP_A = 0.25, 1e-3  # trust radius: largest displacement of an atom
_LARGEST_STRAIN = 0.05  # of a step
_ROUGH = "no smaller step lowers the enthalpy, as the potential is rough there"
_NOISE_EV_PER_ATOM = 2e-6  # of single precision; a smaller rise of the enthalpy is none


@dataclass(frozen=True)
class RelaxationSettings:
    """When a relaxation ends.

    pressure_GPa : external pressure, 0 to 500
    force_eV_per_A, stress_GPa : largest force on an atom and largest component of stress + pressure when converged
    stress_share : of the pressure, that is allowed as such a component too, as potentials are rougher under pressure
    most_steps : evaluations of the potential
    most_volume_ratio, least_volume_ratio : of the volume to that of the start; a structure outside fell apart or
        collapsed. Not used under pressure, which holds a structure together and may differ from that of its start.

    Raises InputError (field "pressure") for a pressure out of range.
    """

    pressure_GPa: float = 0.0
    force_eV_per_A: float = 0.03
    stress_GPa: float = 0.1
    stress_share: float = 0.01
    most_steps: int = 100
    most_volume_ratio: float = 1.5
    least_volume_ratio: float = 0.55

    def __post_init__(self):
        """Raises InputError, see above."""
        if not 0 <= self.pressure_GPa <= HIGHEST_PRESSURE_GPA:
            rule = f"a pressure is from 0 to {HIGHEST_PRESSURE_GPA:g} GPa"
            raise InputError("pressure", self.pressure_GPa, rule, "Choose another pressure")

    @property
    def largest_stress_GPa(self) -> float:
        """Largest component of stress + pressure when converged."""
        return max(self.stress_GPa, self.stress_share * self.pressure_GPa)


@dataclass(frozen=True)
class Relaxation:
    """The result of a relaxation.

    structure : relaxed as far as it came
    energy_eV_per_atom : of the potential, without p V; NaN if the potential could not evaluate the start
    enthalpy_eV_per_atom : with p V
    steps : evaluations of the potential
    verdict : one of VERDICTS; reason : why it was not evaluated, or ended before the limit of steps; else empty
    volume_change : relative change of the volume
    force_eV_per_A, stress_GPa : largest force and largest component of stress + pressure at the end
    """

    structure: Structure
    energy_eV_per_atom: float
    enthalpy_eV_per_atom: float
    steps: int
    verdict: str
    reason: str
    volume_change: float
    force_eV_per_A: float
    stress_GPa: float

    @property
    def has_minimum(self) -> bool:
        """Whether it ended in a minimum, or may be near one."""
        return self.verdict in (RELAXED, STEP_LIMIT)

    @property
    def converged(self) -> bool:
        """Whether forces and stress are below the limits."""
        return self.verdict == RELAXED


@dataclass(frozen=True)
class _Point:
    """A structure with the response of the potential and its gradient (3 n + 9,)."""

    structure: Structure
    response: Response
    enthalpy_eV: float
    gradient: np.ndarray
    force_eV_per_A: float
    stress_GPa: float


@dataclass(frozen=True)
class _Problem:
    """What is minimised: the potential, with the symmetry of the start, the pressure and the unit of the strain."""

    potential: Potential
    symmetry: Operations
    pressure_GPa: float
    unit: float

    def evaluated(self, structure: Structure) -> _Point:
        """The enthalpy of a structure and its gradient. Raises PotentialError."""
        response = self.potential.evaluate(structure)
        forces, stress_GPa = self.symmetry.averaged(
            structure.lattice, response.forces_eV_per_A, (response.stress_GPa + response.stress_GPa.T) / 2
        )
        total_GPa = stress_GPa + self.pressure_GPa * np.eye(3)
        of_strain = structure.volume_A3 * total_GPa / GPA_PER_EV_PER_A3 / self.unit
        return _Point(
            structure,
            response,
            response.energy_eV + self.pressure_GPa / GPA_PER_EV_PER_A3 * structure.volume_A3,
            np.concatenate([-forces.ravel(), of_strain.ravel()]),
            float(np.linalg.norm(forces, axis=1).max()),
            float(np.abs(total_GPa).max()),
        )


def relax(
    structure: Structure,
    potential: Potential,
    settings: RelaxationSettings | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Relaxation:
    """Relax cell and positions. should_stop : asked before each evaluation of the potential"""
    settings = settings or RelaxationSettings()
    if should_stop():
        return stopped(structure)
    unit = float(np.sqrt(structure.volume_A3 * _ELASTIC_EV_PER_A3 / _FORCE_CONSTANT_EV_PER_A2))
    problem = _Problem(potential, operations(structure), settings.pressure_GPa, unit)
    try:
        point = problem.evaluated(structure)
    except PotentialError as error:
        return _unevaluated(structure, NOT_EVALUATED, str(error))
    hessian = np.eye(len(point.gradient)) * _FORCE_CONSTANT_EV_PER_A2
    trust_A, steps = _LARGEST_STEP_A, 1
    while (verdict := _verdict(structure, point, settings)) is None:
        if steps >= settings.most_steps or trust_A < _SMALLEST_STEP_A:
            verdict = STEP_LIMIT
            break
        if should_stop():
            verdict = STOPPED
            break
        step = _step(hessian, point.gradient, trust_A, unit)
        steps += 1
        try:
            trial = problem.evaluated(_moved(point.structure, step, unit))
        except (PotentialError, ValueError):  # ValueError: a cell without a volume
            trust_A /= 4
            continue
        hessian = _updated(hessian, step, trial.gradient - point.gradient)
        if trial.enthalpy_eV <= point.enthalpy_eV + _NOISE_EV_PER_ATOM * len(structure.symbols):
            point, trust_A = trial, min(1.5 * trust_A, _LARGEST_STEP_A)
        else:
            trust_A = min(trust_A, _displacement_A(step)) / 3
    reason = _ROUGH if verdict == STEP_LIMIT and steps < settings.most_steps else ""
    return _result(structure, point, steps, verdict, reason)


def _verdict(start: Structure, point: _Point, settings: RelaxationSettings) -> str | None:
    """Why a relaxation ends here; None if it goes on."""
    ratio = point.structure.volume_A3 / start.volume_A3
    if not settings.pressure_GPa and ratio > settings.most_volume_ratio:
        return FELL_APART
    if not settings.pressure_GPa and ratio < settings.least_volume_ratio:
        return COLLAPSED
    small = point.force_eV_per_A <= settings.force_eV_per_A and point.stress_GPa <= settings.largest_stress_GPa
    return RELAXED if small else None


def _step(hessian: np.ndarray, gradient: np.ndarray, trust_A: float, unit: float) -> np.ndarray:
    """The quasi-Newton step (3 n + 9,), shortened to the trust radius and to the largest strain."""
    values, vectors = np.linalg.eigh(hessian)
    step = -vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-3))
    strain = float(np.abs(step[-9:]).max()) / unit
    excess = max(_displacement_A(step) / trust_A, strain / (_LARGEST_STRAIN * trust_A / _LARGEST_STEP_A), 1.0)
    return step / excess


def _displacement_A(step: np.ndarray) -> float:
    """The largest displacement of an atom, or the strain where that is larger in its unit."""
    moved = np.linalg.norm(step[:-9].reshape(-1, 3), axis=1).max()
    return max(float(moved), float(np.abs(step[-9:]).max()))


def _moved(structure: Structure, step: np.ndarray, unit: float) -> Structure:
    """The structure after a step."""
    strain = step[-9:].reshape(3, 3) / unit
    positions = structure.positions + step[:-9].reshape(-1, 3) @ np.linalg.inv(structure.lattice)
    return Structure(structure.lattice @ (np.eye(3) + strain), structure.symbols, positions)


def _updated(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The Hessian after a step and the change of the gradient along it (BFGS)."""
    product = hessian @ step
    along, curvature = float(step @ change), float(step @ product)
    if abs(along) < 1e-10 or abs(curvature) < 1e-10:
        return hessian
    return hessian + np.outer(change, change) / along - np.outer(product, product) / curvature


def stopped(structure: Structure) -> Relaxation:
    """The relaxation of a structure that was stopped before it began."""
    return _unevaluated(structure, STOPPED, "")


def _result(start: Structure, point: _Point, steps: int, verdict: str, reason: str) -> Relaxation:
    n = len(start.symbols)
    made = Structure(point.structure.lattice, start.symbols, point.structure.positions % 1.0)
    return Relaxation(
        made, point.response.energy_eV / n, point.enthalpy_eV / n, steps, verdict, reason,
        made.volume_A3 / start.volume_A3 - 1, point.force_eV_per_A, point.stress_GPa,
    )  # fmt: skip


def _unevaluated(structure: Structure, verdict: str, reason: str) -> Relaxation:
    nan = float("nan")
    return Relaxation(structure, nan, nan, 0, verdict, reason, 0.0, nan, nan)
