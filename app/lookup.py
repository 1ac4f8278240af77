"""What pages look up, loaded once per server: known superconductors, predictors, what each model knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector, formula_of
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import KNOWN_COMPOSITION
from core.executors.interface import Executor
from core.executors.local_process import LocalProcessExecutor
from core.predictors import registry
from core.predictors.checkpoint import CheckpointError
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.registry import known_elements, load_predictor
from core.reference_data.references import References, load_references


@dataclass(frozen=True)
class Known:
    """The known superconductors, most reported first: formula -> (Tc in K, number of reports)."""

    materials: Mapping[str, tuple[float, int]]
    formulas: tuple[str, ...]  # row by row with `compositions`
    compositions: np.ndarray

    def same_as(self, composition: np.ndarray) -> str | None:
        """The best known material with this composition (118,), every fraction within KNOWN_COMPOSITION."""
        near = np.flatnonzero(np.abs(self.compositions - composition).max(1) <= KNOWN_COMPOSITION)
        if not len(near):
            return None
        return self.formulas[min(near, key=lambda i: (np.abs(self.compositions[i] - composition).sum().round(6), i))]


@st.cache_resource(show_spinner="Reading the known superconductors …")
def known() -> Known:
    """The known superconductors under the formulas that chemists use."""
    tables = load_references()
    order = np.lexsort((-tables.known_tc_K, -tables.known_reports))
    materials, rows = {}, []
    for i in order:
        formula = usual_formula(tables.known_formulas[i])
        if formula not in materials:
            materials[formula] = (float(tables.known_tc_K[i]), int(tables.known_reports[i]))
            rows.append(i)
    return Known(materials, tuple(materials), tables.known_compositions[rows])


def usual_formula(formula: str) -> str:
    """MgB2 for B2Mg, UPt3 for Pt3U: a formula that begins with the more electronegative end is turned round.

    Others stay as their source writes them (YBa2Cu3O7), which is how they are searched for.
    """
    amounts = parse_formula(formula)
    scale = [elements.element(symbol).electronegativity or 9.0 for symbol in amounts]
    return formula_of(amounts) if scale[0] > scale[-1] else formula


@st.cache_resource(show_spinner=False)
def references() -> References:
    """The reference tables."""
    return load_references()


@st.cache_resource(show_spinner="Loading the model …")
def predictor(name: str) -> Predictor:
    """A trained predictor on the CPU."""
    return load_predictor(name)


@st.cache_resource(show_spinner=False)
def executor() -> Executor:
    """What carries out the runs."""
    return LocalProcessExecutor()


@st.cache_data(show_spinner=False)
def turns(tc: str, formation_energy: str) -> int:
    """In how many steps every member of both models is climbed once; 1 for a run with models that are gone."""
    try:
        return math.lcm(*(registry.turns(name) for name in (tc, formation_energy)))
    except CheckpointError:
        return 1


@st.cache_data(show_spinner=False, max_entries=1000)
def predict(name: str, formula: str) -> float:
    """A predictor's value for one formula, which must be readable and known to it."""
    x = torch.from_numpy(composition_vector(parse_formula(formula))[None]).float()
    return float(predict_in_batches(predictor(name), x)[0])


@st.cache_data(show_spinner=False)
def training_counts() -> dict[str, int]:
    """In how many compositions of the Tc model's data each element occurs."""
    return {s: int(n) for s, n in zip(elements.symbols(), references().training_counts, strict=True)}


@st.cache_data(show_spinner=False)
def unseen() -> frozenset[str]:
    """Elements that occur in no known superconductor."""
    return frozenset(s for s, n in zip(elements.symbols(), references().frequencies, strict=True) if n == 0)


@st.cache_data(show_spinner=False)
def unavailable(tc: str, formation_energy: str) -> dict[str, str]:
    """Elements that a model does not know, with the reason."""
    models = {"Tc": known_elements(tc), "formation-energy": known_elements(formation_energy)}
    reasons = {}
    for symbol in elements.symbols():
        lacking = [name for name, symbols in models.items() if symbol not in symbols]
        if lacking:
            plural = "models do" if len(lacking) > 1 else "model does"
            reasons[symbol] = f"the {' and '.join(lacking)} {plural} not know it"
    return reasons


@st.cache_data(show_spinner=False)
def devices() -> tuple[str, ...]:
    """Devices that can be chosen here."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ("auto", "cpu", *(name for name, present in there.items() if present))


@st.cache_data(show_spinner=False)
def labels() -> dict[str, str]:
    """Formula -> "LaFeAsO · 15.6 K"."""
    return {formula: f"{formula} · {tc:.3g} K" for formula, (tc, _) in known().materials.items()}


@st.cache_data(show_spinner=False, max_entries=1000)
def reported(formula: str) -> tuple[float, int] | None:
    """Measured Tc in K and the number of reports, if the composition is a known superconductor."""
    materials = known().materials
    same = formula if formula in materials else known().same_as(composition_vector(parse_formula(formula)))
    return materials[same] if same else None
