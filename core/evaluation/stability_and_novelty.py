"""Stability against the reference phases, and distance to the known superconductors."""

from __future__ import annotations

import numpy as np

from core.chemistry.conventional_formula import chemists_formula, conventional_formula
from core.evaluation.hull_uncertainty import distances_with_std
from core.predictors.interface import Predictor
from core.reference_data.references import load_references
from core.reference_data.tc_caveats import caveats
from core.screening.novelty import NearestKnown


def stability_and_novelty(
    formation_energy: Predictor, compositions: np.ndarray, energies: np.ndarray
) -> dict[str, np.ndarray]:
    """The columns of `stability` and of `novelty`, each (n,)."""
    return stability(formation_energy, compositions, energies) | novelty(compositions)


def stability(formation_energy: Predictor, compositions: np.ndarray, energies: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the candidate table, each (n,), for compositions (n, 118) with formation energies (n,) in eV/atom.

    Energy above hull with its expected error, and the competing phases.

    formation_energy : the predictor that gave `energies` and, for the hull, those energies of the reference phases that
        were not calculated
    """
    references = load_references()
    scale = references.hull_error_scales.get(formation_energy.name)
    hull = references.hull(formation_energy.name)
    distances, std = distances_with_std(hull, formation_energy, scale, compositions, energies)
    return {
        "energy_above_hull_eV_per_atom": np.array([d.energy_above_hull_eV_per_atom for d in distances], np.float64),
        "energy_above_hull_std_eV_per_atom": std,
        "decomposition": np.array([decomposition_text(d.decomposition) for d in distances], object),
    }


def novelty(compositions: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the candidate table, each (n,), for compositions (n, 118).

    The nearest known superconductor, and the reference phase of the same composition.
    """
    references = load_references()
    nearest = references.known_superconductors.nearest_many(compositions)
    phases = references.known_phases.same_as(compositions)
    return {
        "known": np.array([n.known for n in nearest], bool),
        "nearest_known": np.array([conventional_formula(n.formula) for n in nearest], object),
        "nearest_known_tc_K": np.array([n.tc_K for n in nearest], np.float64),
        "nearest_known_ranges": np.array([n.ranges for n in nearest], object),
        "nearest_known_caveat": _caveats(nearest),
        "distance_to_known": np.array([n.distance for n in nearest], np.float64),
        "known_phase": np.array([phase and chemists_formula(phase) for phase in phases], object),
    }


def _caveats(nearest: list[NearestKnown]) -> np.ndarray:
    """Texts (n,) of the caveats about the reported Tc of known superconductors."""
    if not nearest:
        return np.zeros(0, object)
    return caveats(np.stack([n.composition for n in nearest]), np.array([n.tc_K for n in nearest])).text


def decomposition_text(phases: tuple[tuple[str, float], ...]) -> str:
    """Competing phases (formula, fraction of the atoms) as text: "0.500 La2O3 + 0.500 FeAs".

    Formulas are written as chemists write them, whatever the order of their elements in the reference tables.
    """
    return " + ".join(f"{round(fraction, 9):.3f} {chemists_formula(formula)}" for formula, fraction in phases)
