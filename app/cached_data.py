"""Data and models that pages use, loaded once per server: known superconductors, predictors, elements they know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector, compositions
from core.chemistry.conventional_formula import chemists_formula, conventional_formula
from core.chemistry.formula_reader import parse_formula
from core.chemistry.structure import Structure
from core.chemistry.tolerances import KNOWN_COMPOSITION
from core.evaluation.amount_line import amount_line as evaluate_amount_line
from core.evaluation.doping_line import DopingLine
from core.evaluation.doping_line import doping_line as evaluate_doping_line
from core.evaluation.hull_context import HullContext
from core.evaluation.hull_context import hull_context as evaluate_hull_context
from core.evaluation.user_formulas import Assessor
from core.executors.interface import Executor
from core.executors.local_process import LocalProcessExecutor
from core.predictors import registry
from core.predictors.checkpoint import CheckpointError, read_card
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.registry import known_elements, load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import ONE_STATE
from core.reference_data.references import References, load_references
from core.reference_data.tc_reports import TcReport, load_tc_reports
from core.runs import index, member_mean
from core.runs import pace as runs_pace
from core.runs.status import Phase
from core.screening.phase_diagram import PhaseDiagramData
from core.screening.phase_diagram import phase_diagram as evaluate_phase_diagram
from core.structures.prototypes import Proposal, load_finder
from core.structures.structure_models import StructureProperties, load_structure_models

MAX_FORMULAS = 1000  # cached values per function
MAX_MODELS = 20
PACED = 20  # newest finished runs that are looked at for the pace of this machine


# ---- known superconductors ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KnownSuperconductors:
    """The known superconductors, most reported first.

    materials : formula -> (Tc in K, number of reports)
    formulas, compositions : the same materials as rows, (n,) and (n, 118)
    """

    materials: Mapping[str, tuple[float, int]]
    formulas: tuple[str, ...]
    compositions: np.ndarray

    def same_as(self, composition: np.ndarray) -> str | None:
        """The closest known material whose fractions agree with this composition (118,) to KNOWN_COMPOSITION."""
        near = np.flatnonzero(np.abs(self.compositions - composition).max(1) <= KNOWN_COMPOSITION)
        if not len(near):
            return None
        return self.formulas[min(near, key=lambda i: (np.abs(self.compositions[i] - composition).sum().round(6), i))]


@st.cache_resource(show_spinner=False)
def references() -> References:
    """The reference tables."""
    return load_references()


@st.cache_resource(show_spinner="Reading the known superconductors …")
def known_superconductors() -> KnownSuperconductors:
    """The known superconductors with conventional formulas."""
    tables = references()
    order = np.lexsort((-tables.known_tc_K, -tables.known_reports))
    materials, rows = {}, []
    for i in order:
        formula = conventional_formula(tables.known_formulas[i])
        if formula not in materials:
            materials[formula] = (float(tables.known_tc_K[i]), int(tables.known_reports[i]))
            rows.append(i)
    return KnownSuperconductors(materials, tuple(materials), tables.known_compositions[rows])


@st.cache_data(show_spinner=False)
def labels() -> dict[str, str]:
    """Formula -> "LaFeAsO · 15.6 K" of all known superconductors."""
    return {formula: f"{formula} · {tc:.3g} K" for formula, (tc, _) in known_superconductors().materials.items()}


@st.cache_data(show_spinner=False, max_entries=MAX_FORMULAS)
def reported(formula: str) -> tuple[float, int] | None:
    """Measured Tc in K and the number of reports; None if the composition is not a known superconductor."""
    known = known_superconductors()
    same = formula if formula in known.materials else known.same_as(composition_vector(parse_formula(formula)))
    return known.materials[same] if same else None


@st.cache_data(show_spinner=False, max_entries=MAX_FORMULAS)
def tc_reports(formula: str) -> tuple[TcReport, ...]:
    """The reports of SuperCon about the composition of a formula. Raises CheckpointError, InputError."""
    return load_tc_reports().of(formula)


@st.cache_data(show_spinner=False, max_entries=MAX_FORMULAS)
def known_phase(formula: str) -> str:
    """The reference phase of the same composition as chemists write it; empty if there is none."""
    (found,) = references().known_phases.same_as(compositions([formula]))
    return found and chemists_formula(found)


@st.cache_data(show_spinner=False)
def training_counts() -> dict[str, int]:
    """For each element, the number of compositions in the data of the Tc model that contain it."""
    return {s: int(n) for s, n in zip(elements.symbols(), references().training_counts, strict=True)}


@st.cache_data(show_spinner=False)
def unseen() -> frozenset[str]:
    """Elements that occur in no known superconductor."""
    return frozenset(s for s, n in zip(elements.symbols(), references().frequencies, strict=True) if n == 0)


# ---- models ------------------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner="Loading the model …", max_entries=MAX_MODELS)
def predictor(name: str) -> Predictor:
    """A trained predictor on the CPU."""
    return load_predictor(name)


@st.cache_data(show_spinner=False, max_entries=MAX_FORMULAS)
def predict(name: str, formula: str) -> float:
    """The prediction for one formula, which must be readable and contain only elements that the predictor knows."""
    x = torch.from_numpy(composition_vector(parse_formula(formula))[None]).float()
    return float(predict_in_batches(predictor(name), x)[0])


@st.cache_data(show_spinner=False, max_entries=MAX_FORMULAS)
def hull_context(formation_energy: str, formula: str) -> HullContext:
    """A formula and the known compounds most like it, on the hull of this model, which must know the elements."""
    return evaluate_hull_context(predictor(formation_energy), composition_vector(parse_formula(formula)))


@st.cache_data(show_spinner="Computing the phase diagram …", max_entries=MAX_FORMULAS)
def phase_diagram(formation_energy: str, formula: str, energy_eV_per_atom: float) -> PhaseDiagramData:
    """The phase diagram of the elements of a formula, with the energies of this model."""
    hull = references().hull(formation_energy)
    return evaluate_phase_diagram(hull, compositions([formula])[0], energy_eV_per_atom)


@st.cache_resource(show_spinner="Predicting the doping line …", max_entries=MAX_MODELS)
def doping_line(series: str, models: registry.Models) -> DopingLine:
    """Tc along a series of compositions. Raises InputError, see `core.evaluation.doping_line`."""
    return evaluate_doping_line(series, assessor(models, ONE_STATE))


@st.cache_data(show_spinner="Predicting the changed formulas …", max_entries=MAX_FORMULAS)
def amount_line(formula: str, symbol: str, models: registry.Models, charge_rule: str) -> pd.DataFrame:
    """What changes with the amount of one element. Raises InputError, see `core.evaluation.amount_line`."""
    return evaluate_amount_line(formula, symbol, assessor(models, charge_rule))


@st.cache_resource(show_spinner="Loading the models …", max_entries=MAX_MODELS)
def assessor(models: registry.Models, charge_rule: str) -> Assessor:
    """Predictions and screens of formulas, on the CPU."""
    return Assessor(models, "cpu", charge_rule)


@st.cache_resource(show_spinner="Finding structures …", max_entries=MAX_FORMULAS)
def proposed_structures(formula: str, top: int) -> list[Proposal]:
    """Crystal structures of a formula, the likeliest first; not to be changed. Raises InputError."""
    return load_finder().find(parse_formula(formula), top)


@st.cache_resource(show_spinner=False, max_entries=MAX_FORMULAS)
def proposed_properties(formula: str, top: int) -> list[StructureProperties]:
    """What models say of these structures. Raises InputError."""
    found = proposed_structures(formula, top)
    return structure_properties([each.structure for each in found], [each.space_group for each in found])


def structure_properties(structures: list[Structure], space_groups: list[int]) -> list[StructureProperties]:
    """Metal or not, and Tc by structure."""
    return load_structure_models().properties(structures, space_groups)


@st.cache_data(show_spinner=False, max_entries=MAX_MODELS)
def steps_per_cycle(method: str, tc: str, formation_energy: str) -> int:
    """The number of steps in which a method uses every ensemble member of both models once.

    1 for a method that uses all members in every step, and if a model is not installed.
    """
    try:
        return member_mean.steps_per_cycle(method, tc, formation_energy)
    except CheckpointError:
        return 1


@st.cache_data(show_spinner=False, max_entries=MAX_MODELS)
def mean_energy_error(formation_energy: str) -> float | None:
    """Mean absolute error of a formation-energy model on held-out data, eV/atom; None if its card does not state it."""
    try:
        metrics = read_card(formation_energy).get("metrics_held_out", {})
    except CheckpointError:
        return None
    return metrics.get("formation_energy_mae_eV_per_atom")


@st.cache_data(show_spinner=False, max_entries=MAX_MODELS)
def unavailable(tc: str, formation_energy: str) -> dict[str, str]:
    """Elements that one of the models does not know, with the reason."""
    models = {"Tc": known_elements(tc), "formation-energy": known_elements(formation_energy)}
    reasons = {}
    for symbol in elements.symbols():
        lacking = [name for name, symbols in models.items() if symbol not in symbols]
        if lacking:
            reasons[symbol] = f"unknown to the {' and '.join(lacking)} model{'s' if len(lacking) > 1 else ''}"
    return reasons


def known_to(problem: DesignProblem) -> set[str]:
    """The elements that both models of a problem know."""
    return set(elements.symbols()) - set(unavailable(problem.tc_predictor, problem.formation_energy_predictor))


# ---- this computer -----------------------------------------------------------------------------------------------


def pace() -> float | None:
    """How fast runs are on this machine, see `core.runs.pace`; None before the first one has finished."""
    return _pace(tuple(entry.id for entry in index.entries() if entry.phase is Phase.FINISHED)[:PACED])


@st.cache_data(show_spinner=False, max_entries=MAX_MODELS)
def _pace(run_ids: tuple[str, ...]) -> float | None:
    return runs_pace.pace(run_ids)


@st.cache_resource(show_spinner=False)
def executor() -> Executor:
    """The executor of all runs."""
    return LocalProcessExecutor()


@st.cache_data(show_spinner=False)
def devices() -> tuple[str, ...]:
    """Devices that can be chosen on this computer."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ("auto", "cpu", *(name for name, is_present in present.items() if is_present))
