"""Predictions and screens of formulas that a user enters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

import numpy as np
import pandas as pd
import torch

from core.chemistry import elements
from core.chemistry.composition import MOST_WHOLE_ATOMS, composition_vector, whole_counts
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.evaluation.predictions import PREDICTED, predicted
from core.evaluation.stability_and_novelty import stability_and_novelty
from core.predictors.control_model import load_control_model
from core.predictors.device import resolve_device
from core.predictors.interface import Predictor
from core.predictors.registry import BEST, Models, load_predictor
from core.problem.settings import ONE_STATE
from core.screening.charge_neutrality import charge_balance

MODEL_NAMES = dict(zip(PREDICTED, ("Tc model", "formation-energy model"), strict=True))  # names in messages
# Columns of the predictions beside PREDICTED, in the order of the table.
PREDICTION_DETAILS = (
    "tc_std_K",
    "tc_judge_K",
    "formation_energy_std_eV_per_atom",
    "distance_to_training",
    "extrapolating",
)
CHARGES = ("charge_neutral", "pauling_ok", "reason", "oxidation_states")
SCREENED = (
    *CHARGES,
    "energy_above_hull_eV_per_atom",
    "energy_above_hull_std_eV_per_atom",
    "decomposition",
    "nearest_known",
    "nearest_known_tc_K",
    "distance_to_known",
)
_NOT_WHOLE = f"not tested: no {MOST_WHOLE_ATOMS:,} atoms or fewer have these amounts as whole numbers"


def predict(
    formulas: Sequence[str],
    models: Models = BEST,
    device: str = "auto",
) -> pd.DataFrame:
    """Predicted properties, one row per formula, in the order given.

    Columns: formula (as given), PREDICTED, PREDICTION_DETAILS (see `core.evaluation.columns.COLUMNS`), error. If a
    formula cannot be parsed or has an element that a predictor does not know, `error` has the message and the numbers
    are missing; otherwise `error` is empty.

    Raises InputError for an unavailable device, CheckpointError for an unavailable predictor.
    """
    table, _, _ = _predictions(formulas, _loaded(models, device))
    return table


def screen(
    formulas: Sequence[str],
    models: Models = BEST,
    device: str = "auto",
    charge_rule: str = ONE_STATE,
) -> pd.DataFrame:
    """The columns of `predict`, and before `error` those of the screens (SCREENED): charge balance, distance to the
    hull, nearest known superconductor.

    If the amounts of a formula cannot be written as whole numbers of atoms, charge_neutral and pauling_ok are missing
    and `reason` says why.

    charge_rule : see `core.screening.charge_neutrality`

    Raises InputError for an unavailable device, CheckpointError for an unavailable predictor.
    """
    predictors = _loaded(models, device)
    table, rows, compositions = _predictions(formulas, predictors)
    energies = table["formation_energy_eV_per_atom"].to_numpy()[rows]
    found = {
        **_charge_columns([parse_formula(table["formula"].iloc[row]) for row in rows], charge_rule),
        **stability_and_novelty(predictors["formation_energy_eV_per_atom"], compositions, energies),
    }
    for name in SCREENED:
        table[name] = _column(found[name], rows, len(table))
    return table[["formula", *PREDICTED, *PREDICTION_DETAILS, *SCREENED, "error"]]


def _loaded(models: Models, device: str) -> dict[str, Predictor]:
    """Column of PREDICTED -> predictor on this device."""
    on = resolve_device(device)
    return {name: load_predictor(p).to(on) for name, p in zip(PREDICTED, astuple(models), strict=True)}


def _predictions(
    formulas: Sequence[str], predictors: Mapping[str, Predictor]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The table of `predict`, the indices (n,) of its rows without an error, and their compositions (n, 118)."""
    vectors, errors = [], []
    for formula in formulas:
        vector, error = _composition(formula, predictors)
        errors.append(error)
        if vector is not None:
            vectors.append(vector)
    rows = np.flatnonzero([not error for error in errors])
    compositions = np.array(vectors).reshape(len(rows), elements.N_ELEMENTS)
    x = torch.from_numpy(compositions).float().to(predictors[PREDICTED[0]].known_elements.device)
    predictions = predicted(*predictors.values(), x) | {"tc_judge_K": load_control_model().tc_K(compositions)}
    table = pd.DataFrame({"formula": pd.Series([str(f) for f in formulas], dtype="str")})
    for name in (*PREDICTED, *PREDICTION_DETAILS):
        values = pd.Series(predictions[name]).set_axis(rows)
        table[name] = values.reindex(range(len(table)))
    table["error"] = pd.Series(errors, dtype="str")
    return table, rows, compositions


def _composition(formula: str, predictors: Mapping[str, Predictor]) -> tuple[np.ndarray | None, str]:
    """The composition (118,) and no error, or None and the error."""
    try:
        vector = composition_vector(parse_formula(formula))
    except InputError as error:
        return None, error.message
    for name, predictor in predictors.items():
        unknown = np.flatnonzero((vector > 0) & ~predictor.known_elements.cpu().numpy())
        if len(unknown):
            symbols = ", ".join(elements.symbols()[i] for i in unknown)
            rule = f"the {MODEL_NAMES[name]} does not know {symbols}"
            return None, InputError("formula", formula, rule, "Replace it by another element").message
    return vector, ""


def _column(values: Iterable, rows: np.ndarray, count: int) -> np.ndarray:
    """Values (n,) of the rows (n,) as a column (count,); other rows are NaN for numbers, otherwise None."""
    values = np.asarray(values)
    numbers = values.dtype.kind == "f"
    column = np.full(count, np.nan) if numbers else np.full(count, None, dtype=object)
    column[rows] = values
    return column


def _charge_columns(amounts: Sequence[Mapping[str, float]], rule: str) -> dict[str, list]:
    """The columns of CHARGES, each with one value per formula (symbol -> atoms)."""
    values = [_charge_values(a, rule) for a in amounts]
    return {name: [row[i] for row in values] for i, name in enumerate(CHARGES)}


def _charge_values(amounts: Mapping[str, float], rule: str) -> tuple[bool | None, bool | None, str, str]:
    """The values of CHARGES for one formula."""
    counts = whole_counts(amounts)
    if counts is None:
        return None, None, _NOT_WHOLE, ""
    cell = np.zeros((1, elements.N_ELEMENTS), dtype=np.int64)
    cell[0, [elements.element(symbol).index for symbol in counts]] = list(counts.values())
    units = sum(counts.values()) / sum(amounts.values())
    balance = charge_balance(cell, rule, [max(units, 1.0)])[0]  # charges per formula unit as typed
    return balance.charge_neutral, balance.pauling_ok, balance.reason, balance.written
