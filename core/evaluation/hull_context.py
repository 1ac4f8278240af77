"""What the hull of a model says about compounds that exist: a base, and the known superconductors most like it.

The distance of a candidate to the hull is judged by those of compounds that have been made. A model that puts NdFeAsO,
made since 2008, 0.14 eV/atom above the hull says little against a candidate at 0.1 eV/atom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from core.chemistry.composition import checked_compositions
from core.chemistry.conventional_formula import conventional_formula
from core.chemistry.families import families
from core.evaluation.stability_and_novelty import stability
from core.predictors.interface import Predictor, predict_in_batches
from core.reference_data.references import load_references
from core.screening.relatives import relatives

MOST_RELATIVES = 25
LEAST_IN_BAND = 5  # fewer compounds are no statistics
BAND = (10, 50, 90)  # percentiles


@dataclass(frozen=True)
class HullContext:
    """A base and the known superconductors that are most like it, on the hull of one model.

    energy_eV_per_atom : predicted formation energy of the base
    above_hull_eV_per_atom, std_eV_per_atom : distance of the base to the hull and its expected standard deviation
        (NaN if the model does not estimate it)
    decomposition : the phases that compete with the base, see `decomposition_text`
    family : of the base, see `core.chemistry.families`
    relatives, relatives_tc_K, relatives_above_hull_eV_per_atom : formulas, measured Tc and predicted distances to the
        hull (k,) of the relatives, the nearest to the base first
    """

    energy_eV_per_atom: float
    above_hull_eV_per_atom: float
    std_eV_per_atom: float
    decomposition: str
    family: str
    relatives: tuple[str, ...]
    relatives_tc_K: np.ndarray
    relatives_above_hull_eV_per_atom: np.ndarray

    @property
    def band(self) -> tuple[float, float, float] | None:
        """The percentiles BAND of the distances of the relatives, in eV/atom; None below LEAST_IN_BAND relatives."""
        if len(self.relatives) < LEAST_IN_BAND:
            return None
        low, median, high = np.percentile(self.relatives_above_hull_eV_per_atom, BAND)
        return float(low), float(median), float(high)


def hull_context(formation_energy: Predictor, composition: np.ndarray) -> HullContext:
    """The context of a composition (118,) on the hull of a formation-energy model.

    Known superconductors with an element that the model does not know are left out. Raises ValueError unless the
    composition is one of elements that the model knows, CheckpointError if the reference tables hold no energies of it.
    """
    composition = checked_compositions(composition[None])[0]
    unknown = ~formation_energy.known_elements.cpu().numpy()
    if (composition[unknown] > 0).any():
        raise ValueError(f"the composition has elements that {formation_energy.name} does not know")
    tables = load_references()
    usable = (tables.known_compositions[:, unknown] == 0).all(1)
    rows = relatives(composition, tables.known_compositions, tables.known_reports, usable, MOST_RELATIVES)
    known = tables.known_compositions[rows]
    energies = _energies(formation_energy, np.concatenate([composition[None], known]))
    base = stability(formation_energy, composition[None], energies[:1])
    found = tables.hull(formation_energy.name).distances(known, energies[1:])
    return HullContext(
        energy_eV_per_atom=float(energies[0]),
        above_hull_eV_per_atom=float(base["energy_above_hull_eV_per_atom"][0]),
        std_eV_per_atom=float(base["energy_above_hull_std_eV_per_atom"][0]),
        decomposition=base["decomposition"][0],
        family=str(families(composition[None])[0]),
        relatives=tuple(conventional_formula(tables.known_formulas[row]) for row in rows),
        relatives_tc_K=tables.known_tc_K[rows],
        relatives_above_hull_eV_per_atom=np.array([d.energy_above_hull_eV_per_atom for d in found], np.float64),
    )


def _energies(predictor: Predictor, compositions: np.ndarray) -> np.ndarray:
    """Formation energies (n,) in eV/atom."""
    x = torch.from_numpy(compositions).float().to(predictor.known_elements.device)
    return np.asarray(predict_in_batches(predictor, x), dtype=np.float64)
