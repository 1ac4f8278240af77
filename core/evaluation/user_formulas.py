"""Predictions and screens of formulas that a user enters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd
import torch

from core.chemistry import elements
from core.chemistry.composition import MOST_WHOLE_ATOMS, composition_vector, whole_counts
from core.chemistry.elements import SMACT14
from core.chemistry.exact_formula import Reading
from core.chemistry.formula_reader import read_members
from core.errors import InputError
from core.evaluation.caveat_columns import CAVEATS
from core.evaluation.charges import shown_charges
from core.evaluation.columns import BY_NAME
from core.evaluation.predictions import OF_DISTANCE, PREDICTED, estimates_of_energy, estimates_of_tc
from core.evaluation.stability_and_novelty import novelty, stability
from core.predictors.control_model import load_control_model
from core.predictors.device import resolve_device
from core.predictors.info import MP
from core.predictors.interface import Predictor
from core.predictors.registry import BEST, Models, load_predictor
from core.problem.settings import ONE_STATE
from core.screening.charge_neutrality import charge_balance, only_every_atom_balances
from core.screening.usual_charges import usual_charges

MODEL_NAMES = dict(zip(PREDICTED, ("Tc model", "formation-energy model"), strict=True))  # names in messages
READ = ("formula", "read_as")  # columns before the predictions
# Columns of the predictions beside PREDICTED, in the order of the table.
PREDICTION_DETAILS = (
    "tc_std_K",
    "tc_judge_K",
    "superconducting_probability",
    "formation_energy_std_eV_per_atom",
    *OF_DISTANCE,
    *CAVEATS,
)
CHARGES = ("charge_neutral", "pauling_ok", "usual_charges", "reason", "oxidation_states")
SCREENED = (
    *CHARGES,
    "energy_above_hull_eV_per_atom",
    "energy_above_hull_std_eV_per_atom",
    "decomposition",
    "nearest_known",
    "nearest_known_tc_K",
    "nearest_known_ranges",
    "nearest_known_caveat",
    "distance_to_known",
    "known_phase",
)
REFUSED = ("error", "suggestion")  # columns after the predictions
SEPARATOR = " | "  # between suggestions
_WITH_EVERY_ATOM = "neutral if every atom takes its own state, as in doped compounds and hydrides (--every-atom)"
_NOT_WHOLE = f"not tested: no {MOST_WHOLE_ATOMS:,} atoms or fewer have these amounts as whole numbers"


@dataclass(frozen=True)
class UserFormula:
    """A formula as typed and as read; a series gives one for each of its members.

    source : index of the text that it comes from
    text : as typed
    reading : None if it cannot be read
    error : why not
    """

    source: int
    text: str
    reading: Reading | None
    error: InputError | None = None

    @property
    def read_as(self) -> str:
        """The formula understood, where it is not the text itself."""
        return "" if self.reading is None or self.reading.read_as == self.text else self.reading.read_as


def read_texts(texts: Sequence[str | InputError], undetermined_as_zero: bool = False) -> list[UserFormula]:
    """The formulas in texts, in the order given; a series is expanded.

    texts : an InputError stands for a text of which it is already known that it cannot be read
    undetermined_as_zero : see `core.chemistry.formula_reader.read_formula`
    """
    found: list[UserFormula] = []
    for source, given in enumerate(texts):
        if isinstance(given, InputError):
            found.append(UserFormula(source, str(given.value), None, given))
            continue
        text = str(given)
        try:
            members = read_members(text, undetermined_as_zero)
        except InputError as error:
            found.append(UserFormula(source, text, None, error))
            continue
        found += [UserFormula(source, text, member.reading) for member in members]
    return found


def predict(
    formulas: Sequence[str],
    models: Models = BEST,
    device: str = "auto",
    undetermined_as_zero: bool = False,
    reference: str = MP,
) -> pd.DataFrame:
    """Predicted properties, one row per formula, in the order given; a series has one row per member.

    Columns: READ (the formula as given, and as understood where that differs), PREDICTED, PREDICTION_DETAILS (see
    `core.evaluation.columns.COLUMNS`), REFUSED. If a formula cannot be read, `error` has the message, `suggestion` what
    is probably meant, and the numbers are missing. An element that one model does not know costs only the columns of
    that model, and `error` names it.

    reference : of the formation energy, one of ENERGY_REFERENCES

    Raises InputError for an unavailable device, or references that the formation-energy model does not know;
    CheckpointError for an unavailable predictor.
    """
    return Assessor(models, device, reference=reference).predict(read_texts(formulas, undetermined_as_zero))


def screen(
    formulas: Sequence[str],
    models: Models = BEST,
    device: str = "auto",
    charge_rule: str = ONE_STATE,
    undetermined_as_zero: bool = False,
    state_set: str = SMACT14,
) -> pd.DataFrame:
    """The columns of `predict`, and before `error` those of the screens (SCREENED): charge balance, distance to the
    hull, nearest known superconductor.

    If the amounts of a formula cannot be written as whole numbers of atoms, charge_neutral and pauling_ok are missing
    and `reason` says why.

    charge_rule, state_set : see `core.screening.charge_neutrality`

    Raises InputError for an unavailable device, CheckpointError for an unavailable predictor.
    """
    return Assessor(models, device, charge_rule, state_set=state_set).screen(read_texts(formulas, undetermined_as_zero))


class Assessor:
    """The models and rules with which formulas are assessed, loaded once for many tables.

    reference : of the formation energy, one of ENERGY_REFERENCES; distances to the hull are right on those of MP only

    Raises InputError for an unavailable device, or references that the formation-energy model does not know;
    CheckpointError for an unavailable predictor.
    """

    def __init__(
        self,
        models: Models = BEST,
        device: str = "auto",
        charge_rule: str = ONE_STATE,
        reference: str = MP,
        state_set: str = SMACT14,
    ):
        on = resolve_device(device)
        self._tc, energy = (load_predictor(name).to(on) for name in astuple(models))
        self._energy = energy.on_reference(reference)
        self._charge_rule, self._state_set = charge_rule, state_set

    def predict(self, formulas: Sequence[UserFormula]) -> pd.DataFrame:
        """The table of `predict`."""
        return self._predicted(_Compositions.of(formulas))[0]

    def screen(self, formulas: Sequence[UserFormula]) -> pd.DataFrame:
        """The table of `screen`."""
        compositions = _Compositions.of(formulas)
        table, energy_rows = self._predicted(compositions)
        rows = compositions.rows
        known = novelty(compositions.vectors)
        amounts = [f.reading.amounts for f in formulas if f.reading is not None]
        charges = _charge_columns(amounts, self._charge_rule, self._state_set)
        vectors = compositions.vectors[np.isin(rows, energy_rows)]
        energies = table["formation_energy_eV_per_atom"].to_numpy()[energy_rows]
        hull = stability(self._energy, vectors, energies)
        for name in SCREENED:
            if name in hull:
                table[name] = _column(hull[name], energy_rows, len(table))
            else:
                table[name] = _column(charges[name] if name in charges else known[name], rows, len(table))
        return table[[*READ, *PREDICTED, *PREDICTION_DETAILS, *SCREENED, *REFUSED]]

    def _predicted(self, compositions: _Compositions) -> tuple[pd.DataFrame, np.ndarray]:
        """The table of `predict`, and the indices of its rows that have a formation energy."""
        formulas, rows, vectors = compositions.formulas, compositions.rows, compositions.vectors
        of_tc, of_energy = (_only_known(vectors, model) for model in (self._tc, self._energy))
        predictions: dict[str, tuple[np.ndarray, np.ndarray | pd.Series]] = {}
        for model, known, estimates in (
            (self._tc, of_tc, estimates_of_tc),
            (self._energy, of_energy, estimates_of_energy),
        ):
            x = torch.from_numpy(vectors[known]).float().to(model.known_elements.device)
            for name, values in estimates(model, x).items():
                predictions[name] = (rows[known], values)
        predictions["tc_judge_K"] = (rows[of_tc], load_control_model().tc_K(vectors[of_tc]))
        table = pd.DataFrame(
            {
                "formula": pd.Series([f.text for f in formulas], dtype="str"),
                "read_as": pd.Series([f.read_as for f in formulas], dtype="str"),
            }
        )
        for name in (*PREDICTED, *PREDICTION_DETAILS):
            places, values = predictions[name]
            column = pd.Series(values).set_axis(places).reindex(range(len(table)))
            table[name] = column.astype("boolean") if BY_NAME[name].dtype == "bool" else column
        table["caveat"] = table["caveat"].fillna("").astype("str")
        errors = [f.error.message if f.error else "" for f in formulas]
        for place, row in enumerate(rows):
            if not (of_tc[place] and of_energy[place]):
                errors[row] = self._unknown(formulas[row], vectors[place])
        table["error"] = pd.Series(errors, dtype="str")
        table["suggestion"] = pd.Series(
            [SEPARATOR.join(f.error.suggestions) if f.error else "" for f in formulas], dtype="str"
        )
        return table, rows[of_energy]

    def _unknown(self, formula: UserFormula, vector: np.ndarray) -> str:
        """The message about the elements that a model does not know."""
        rules = []
        for name, model in zip(PREDICTED, (self._tc, self._energy), strict=True):
            unknown = np.flatnonzero((vector > 0) & ~model.known_elements.cpu().numpy())
            if len(unknown):
                symbols = ", ".join(elements.symbols()[i] for i in unknown)
                rules.append(f"the {MODEL_NAMES[name]} does not know {symbols}")
        return InputError("formula", formula.text, "; ".join(rules), "Replace it by another element").message


@dataclass(frozen=True)
class _Compositions:
    """Formulas, the indices (n,) of those that can be read, and their compositions (n, 118)."""

    formulas: Sequence[UserFormula]
    rows: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, formulas: Sequence[UserFormula]) -> _Compositions:
        readings = {row: f.reading for row, f in enumerate(formulas) if f.reading is not None}
        vectors = [composition_vector(reading.amounts) for reading in readings.values()]
        shape = (len(vectors), elements.N_ELEMENTS)
        return cls(formulas, np.array(list(readings), dtype=np.int64), np.array(vectors).reshape(shape))


def _only_known(vectors: np.ndarray, model: Predictor) -> np.ndarray:
    """Which compositions (n, 118) have only elements that the model knows, (n,) bool."""
    unknown = vectors[:, ~model.known_elements.cpu().numpy()] > 0
    return np.logical_not(np.any(unknown, axis=1))


def _column(values: Iterable, rows: np.ndarray, count: int) -> np.ndarray:
    """Values (n,) of the rows (n,) as a column (count,); other rows are NaN for numbers, otherwise None."""
    values = np.asarray(values)
    numbers = values.dtype.kind == "f"
    column = np.full(count, np.nan) if numbers else np.full(count, None, dtype=object)
    column[rows] = values
    return column


def _charge_columns(amounts: Sequence[Mapping[str, float]], rule: str, state_set: str) -> dict[str, list]:
    """The columns of CHARGES, each with one value per formula (symbol -> atoms)."""
    values = [_charge_values(a, rule, state_set) for a in amounts]
    return {name: [row[i] for row in values] for i, name in enumerate(CHARGES)}


def _charge_values(
    amounts: Mapping[str, float], rule: str, state_set: str
) -> tuple[bool | None, bool | None, bool | None, str, str]:
    """The values of CHARGES for one formula."""
    counts = whole_counts(amounts)
    if counts is None:
        plausible = usual_charges(amounts)
        return None, None, plausible.usual, _NOT_WHOLE, plausible.written
    cell = np.zeros((1, elements.N_ELEMENTS), dtype=np.int64)
    cell[0, [elements.element(symbol).index for symbol in counts]] = list(counts.values())
    units = sum(counts.values()) / sum(amounts.values())
    balance = charge_balance(cell, rule, [max(units, 1.0)], state_set)[0]  # charges per formula unit as typed
    shown = shown_charges([amounts], [balance])
    if rule == ONE_STATE and not balance.charge_neutral and only_every_atom_balances(counts, state_set):
        shown["reason"][0] += f"; {_WITH_EVERY_ATOM}"
    usual, reason, states = (shown[name][0] for name in ("usual_charges", "reason", "oxidation_states"))
    return balance.charge_neutral, balance.pauling_ok, usual, reason, states
