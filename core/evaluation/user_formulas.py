"""What can be said about formulas that somebody brings along: predictions, and the screens of a design."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple

import numpy as np
import pandas as pd
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector, parse_formula
from core.errors import InputError
from core.evaluation.predictions import PREDICTED, predicted
from core.evaluation.stability_and_novelty import stability_and_novelty
from core.predictors.control_model import load_judge
from core.predictors.device import resolve_device
from core.predictors.interface import Predictor
from core.predictors.registry import load_predictor
from core.problem.problem import BEST, Models
from core.problem.settings import ONE_STATE
from core.screening.charge_neutrality import charge_balance

TYPED_TO = 1e-6  # amounts are taken to mean what they say to six decimals
MAX_TOTAL = 100_000  # atoms; a formula that needs more to be whole is no stoichiometry
# What else the models say, in the order of the table.
SAID = ("tc_std_K", "tc_judge_K", "formation_energy_std_eV_per_atom", "distance_to_training", "extrapolating")
SCREENED = (
    "charge_neutral",
    "pauling_ok",
    "reason",
    "oxidation_states",
    "energy_above_hull_eV_per_atom",
    "energy_above_hull_std_eV_per_atom",
    "decomposition",
    "nearest_known",
    "nearest_known_tc_K",
    "distance_to_known",
)
_NOT_WHOLE = f"not tested: no {MAX_TOTAL:,} atoms or fewer have these amounts as whole numbers"


def predict(
    formulas: Sequence[str],
    models: Models = BEST,
    device: str = "auto",
) -> pd.DataFrame:
    """Predicted properties, one row per formula, in the order given.

    Columns: formula (as given), tc_K, formation_energy_eV_per_atom, SAID (see `core.evaluation.table.COLUMNS`), error.
    Where a formula cannot be read or has an element that a predictor does not know, error says so and the numbers are
    missing; else error is empty.

    Raises InputError for a device that is not there, CheckpointError for a predictor that is not.
    """
    table, _, _ = _predicted(formulas, _loaded(models, device))
    return table


def screen(
    formulas: Sequence[str],
    models: Models = BEST,
    device: str = "auto",
    charge_rule: str = ONE_STATE,
) -> pd.DataFrame:
    """`predict`, and the screens: charge balance, hull distance, nearest known superconductor (before `error`).

    The columns mean what `core.evaluation.table.COLUMNS` says. charge_neutral and pauling_ok are missing, with the
    reason given, where the amounts cannot be made whole numbers. charge_rule : see `core.screening.charge_neutrality`.
    """
    predictors = _loaded(models, device)
    table, rows, compositions = _predicted(formulas, predictors)
    energies = table["formation_energy_eV_per_atom"].to_numpy()[rows]
    found = {
        **_charges([parse_formula(table["formula"].iloc[row]) for row in rows], charge_rule),
        **stability_and_novelty(predictors["formation_energy_eV_per_atom"], compositions, energies),
    }
    for name in SCREENED:
        table[name] = _spread(found[name], rows, len(table))
    return table[["formula", *PREDICTED, *SAID, *SCREENED, "error"]]


def _loaded(models: Models, device: str) -> dict[str, Predictor]:
    """The predictors on this device, by what they predict."""
    on = resolve_device(device)
    return {name: load_predictor(p).to(on) for name, p in zip(PREDICTED, astuple(models), strict=True)}


def _predicted(
    formulas: Sequence[str], predictors: Mapping[str, Predictor]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The table of `predict`, the numbers of its good rows, and their compositions (n_good, 118)."""
    read = [_read(formula, predictors) for formula in formulas]
    rows = np.array([i for i, (vector, _) in enumerate(read) if vector is not None], dtype=np.int64)
    compositions = np.array([read[i][0] for i in rows]).reshape(len(rows), elements.N_ELEMENTS)
    x = torch.from_numpy(compositions).float().to(predictors[PREDICTED[0]].known_elements.device)
    table = pd.DataFrame({"formula": pd.Series([str(f) for f in formulas], dtype="str")})
    said = predicted(*predictors.values(), x) | {"tc_judge_K": load_judge().tc_K(compositions)}
    for name in (*PREDICTED, *SAID):
        values = pd.Series(said[name]).set_axis(rows)
        table[name] = values.reindex(range(len(table)))
    table["error"] = pd.Series([error for _, error in read], dtype="str")
    return table, rows, compositions


def _read(formula: str, predictors: Mapping[str, Predictor]) -> tuple[np.ndarray | None, str]:
    """The composition (118,), or None and the reason why there is none."""
    try:
        vector = composition_vector(parse_formula(formula))
    except InputError as error:
        return None, error.message
    models = dict(zip(PREDICTED, ("Tc model", "formation-energy model"), strict=True))
    for name, predictor in predictors.items():
        unknown = np.flatnonzero((vector > 0) & ~predictor.known_elements.cpu().numpy())
        if len(unknown):
            symbols = ", ".join(elements.symbols()[i] for i in unknown)
            return None, InputError(
                "formula", formula, f"the {models[name]} does not know {symbols}", "Replace it by another element"
            ).message
    return vector, ""


def _spread(values: Sequence, rows: np.ndarray, count: int) -> np.ndarray:
    """Values of some rows in a column for all rows; None elsewhere, or NaN in a column of numbers."""
    numbers = np.asarray(values).dtype.kind == "f"
    column = np.full(count, np.nan) if numbers else np.full(count, None, dtype=object)
    column[rows] = values
    return column


def _charges(amounts: Sequence[Mapping[str, float]], rule: str) -> dict[str, list]:
    """The verdicts of the charge-balance screen, one per formula."""
    counts = [whole_counts(a) for a in amounts]
    found: dict[str, list] = {name: [] for name in SCREENED[:4]}
    for typed, count in zip(amounts, counts, strict=True):
        if count is None:
            verdict = (None, None, _NOT_WHOLE, "")
        else:
            vector = np.zeros((1, elements.N_ELEMENTS), dtype=np.int64)
            vector[0, [elements.element(symbol).index for symbol in count]] = list(count.values())
            units = sum(count.values()) / sum(typed.values())  # a doped formula is spoken of as it is written
            balance = charge_balance(vector, rule, [max(units, 1.0)])[0]
            verdict = (balance.charge_neutral, balance.pauling_ok, balance.reason, balance.written)
        for name, value in zip(found, verdict, strict=True):
            found[name].append(value)
    return found


def whole_counts(amounts: Mapping[str, float]) -> dict[str, int] | None:
    """Amounts times the smallest N that makes all of them whole, reduced; None above MAX_TOTAL atoms.

    La1.85Sr0.15CuO4 -> N = 20: La37 Sr3 Cu20 O80.
    """
    given = np.array(list(amounts.values()), dtype=np.float64)
    first = 1
    while first <= MAX_TOTAL:
        n = np.arange(first, min(2 * first, MAX_TOTAL + 1))  # N, doubling: most formulas need a small one
        scaled = given[:, None] * n
        whole = np.round(scaled)
        fits = ((np.abs(scaled - whole) <= TYPED_TO * n) & (whole >= 1)).all(0)
        if fits.any():
            return _reduced(amounts, whole[:, fits.argmax()])
        first *= 2
    return None


def _reduced(amounts: Mapping[str, float], whole: np.ndarray) -> dict[str, int] | None:
    counts = [int(count) for count in whole]
    divisor = math.gcd(*counts)
    if sum(counts) // divisor > MAX_TOTAL:
        return None
    return {symbol: count // divisor for symbol, count in zip(amounts, counts, strict=True)}
