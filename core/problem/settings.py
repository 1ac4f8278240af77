"""Options of a design problem: names of tasks, methods, rules and schedules, and the settings of the optimiser."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeGuard

from core.chemistry import elements
from core.chemistry.families import FAMILIES
from core.errors import InputError

RAISE_TC, SUBSTITUTE = "raise_tc", "substitute"
TASKS = (RAISE_TC, SUBSTITUTE)
DEFAULT_METHOD = "gradient"  # `core.generation.registry` lists all methods
ONE_STATE, EVERY_ATOM = "one_state", "every_atom"
CHARGE_RULES = (ONE_STATE, EVERY_ATOM)
DEVICES = ("auto", "cpu", "cuda", "mps")
FLOAT32, TFLOAT32, BFLOAT16 = "float32", "tf32", "bfloat16"
PRECISIONS = ("auto", FLOAT32, TFLOAT32, BFLOAT16)
INTEGER_LOSSES = ("absolute", "squared")
INTEGER_SCHEDULES = ("constant", "linear")
CONSTANT, SHRINKING = "constant", "shrinking"
STEP_SCHEDULES = (CONSTANT, SHRINKING)
HIGHEST, TARGET = "highest", "target"
OBJECTIVES = (HIGHEST, TARGET)
BASE, RANDOM, KNOWN, INTERPOLATED, ENUMERATED = "base", "random", "known", "interpolated", "enumerated"
STARTS = (BASE, RANDOM, KNOWN, INTERPOLATED, ENUMERATED)
ANY_FAMILY = "any"
START_FAMILIES = (ANY_FAMILY, *FAMILIES)
FORMATION_ENERGY, HULL = "formation_energy", "hull"
STABILITIES = (FORMATION_ENERGY, HULL)
ANY_NOVELTY, NEW = "any", "new"
NOVELTIES = (ANY_NOVELTY, NEW)
ANY_CHANGE, NEAR = "any", "near"
CHANGES = (ANY_CHANGE, NEAR)
NEUTRAL, NEAREST = "neutral", "nearest"
ROUNDINGS = (NEUTRAL, NEAREST)
# Settings that demand something of the results, whatever the method.
DEMANDS = ("novelty", "least_distance", "change", "most_changed", "per_element_set")
MAX_CANDIDATES, MAX_STEPS, MAX_ATOMS = 16_384, 5_000, 200
# Default predictors; `core.predictors.registry` lists all predictors.
TC_PREDICTOR, FORMATION_ENERGY_PREDICTOR = "tc-ensemble", "formation-energy-ensemble"


@dataclass(frozen=True)
class OptimiserSettings:
    """Settings of a generator; the defaults are tuned for quality and speed on a laptop.

    candidates : number of compositions optimised in parallel
    steps : Adam steps in stage 1 (without the integer loss) and stage 2 (with the integer loss)
    learning_rate : of Adam, in units of the unnormalised ratios
    formation_energy_weight : alpha of KIAGO eq. 13, K per (eV/atom)
    risk_aversion : risk aversion kappa; the optimiser raises Tc - kappa * (predicted error of Tc). 0 in the papers
    integer_weight : beta of KIAGO eq. 16, K; with the linear schedule the value at the end of stage 2
    integer_loss : distance to the grid, "absolute" (KIAGO eq. 10) or "squared" (the authors' released code)
    integer_schedule : beta "constant", or "linear": increasing from 0 over stage 2
    step_schedule : learning rate "constant" (the papers), or "shrinking": decaying to 0 over stage 2, so that
        compositions converge to the grid
    rounding : "nearest" integer formula (the papers), or "neutral": if the nearest one fails the charge screens, its
        best neighbour on the grid that passes. Neighbours have whole atoms, so "neutral" excludes fractional elements
    n_unit : smallest and largest number of atoms per formula unit (KIAGO eq. 11)
    max_elements : n_elem_max of KIAGO eq. 7, including fixed elements
    mutate_probability : probability that an element of the base is replaced in an initial guess
    perturb_ratio : largest ratio of an element added to an initial guess
    added_elements : smallest and largest number of elements added to an initial guess; for a substitution, of all
        elements in the initial guess
    objective : "highest": maximise Tc (KIAGO eq. 13); "target": minimise max(0, target_tc_K - Tc) (GDMCD eq. 3)
    target_tc_K : y_t of GDMCD, K
    fractional_elements : number of fractional elements: those with the largest integer loss are excluded from it, as in
        doping; 2 in GDMCD eq. 7
    start : initial guesses of raise_tc: "base": the base mutated and perturbed (KIAGO 3.2); "random": random elements
        and ratios (the comparison of KIAGO 3.2); "known": known superconductors; "interpolated": known superconductors
        and interpolated pairs (GDMCD); "enumerated": each allowed element and each pair, in addition to x_const
        (GDMCD S5)
    start_family, start_above_K : family and minimum Tc of these known superconductors
    stability : energy E in the objective Tc - kappa error - alpha E: "formation_energy" (the papers), or the energy
        above "hull"
    novelty : "any" formula, or only a "new" one, which differs from every known superconductor and from the base by at
        least `least_distance`
    least_distance : share of the atoms that must be exchanged to turn a new formula into a known one, half the sum of
        the differences of the fractions
    change : "any" formula, or only one "near" the base, which differs from it by at most `most_changed`
    most_changed : largest share of the atoms that are exchanged, the same distance
    per_element_set : largest number of results with the same elements; 0: no limit
    """

    candidates: int = 256
    steps: tuple[int, int] = (75, 75)
    learning_rate: float = 0.03
    formation_energy_weight: float = 4.0
    risk_aversion: float = 1.0
    integer_weight: float = 300.0
    integer_loss: str = "absolute"
    integer_schedule: str = "linear"
    step_schedule: str = SHRINKING
    rounding: str = NEUTRAL
    n_unit: tuple[int, int] = (1, 25)
    max_elements: int = 7
    mutate_probability: float = 0.22
    perturb_ratio: float = 0.3
    added_elements: tuple[int, int] = (1, 4)
    objective: str = HIGHEST
    target_tc_K: float = 300.0
    fractional_elements: int = 0
    start: str = BASE
    start_family: str = ANY_FAMILY
    start_above_K: float = 20.0
    stability: str = FORMATION_ENERGY
    novelty: str = ANY_NOVELTY
    least_distance: float = 0.02
    change: str = ANY_CHANGE
    most_changed: float = 0.40
    per_element_set: int = 0


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether the value is a finite number and not a bool; an integer beyond the range of a float is not finite."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _range_error(name: str, value: object, low: float, high: float, unit: str, whole: bool) -> list[InputError]:
    kind = "a whole number" if whole else "a number"
    if is_number(value) and low <= value <= high and (not whole or isinstance(value, int)):
        return []
    unit = f" {unit}" if unit else ""
    return [InputError(name, value, f"{name.replace('_', ' ')} must be {kind} from {low:g} to {high:,}{unit}",
                       "Choose a value in this range")]  # fmt: skip


def check_settings(settings: OptimiserSettings) -> list[InputError]:
    """Errors of the settings, each with the name of the setting as its field; empty if there are none."""
    s = settings
    errors = _range_error("candidates", s.candidates, 1, MAX_CANDIDATES, "", True)
    for pair, low, high in (("steps", 0, MAX_STEPS), ("n_unit", 1, MAX_ATOMS), ("added_elements", 0, 20)):
        values = getattr(s, pair)
        if len(values) != 2:
            errors.append(InputError(pair, values, "two numbers are required", "Give both"))
            continue
        for value in values:
            errors += _range_error(pair, value, low, high, "", True)
        if not errors and pair != "steps" and values[0] > values[1]:
            errors.append(
                InputError(pair, values, "the first number is larger than the second", "Swap the two numbers")
            )
    if not errors and not 1 <= sum(s.steps) <= MAX_STEPS:
        errors.append(
            InputError(
                "steps", sum(s.steps), f"both stages together must have 1 to {MAX_STEPS:,} steps", "Adjust the steps"
            )
        )
    errors += _range_error("learning_rate", s.learning_rate, 1e-6, 1, "", False)
    errors += _range_error("risk_aversion", s.risk_aversion, 0, 10, "K per K", False)
    errors += _range_error("formation_energy_weight", s.formation_energy_weight, 0, 1e4, "K per eV/atom", False)
    errors += _range_error("integer_weight", s.integer_weight, 0, 1e7, "K", False)
    errors += _range_error("max_elements", s.max_elements, 1, elements.N_ELEMENTS, "", True)
    errors += _range_error("mutate_probability", s.mutate_probability, 0, 1, "", False)
    errors += _range_error("perturb_ratio", s.perturb_ratio, 0, 10, "", False)
    errors += _range_error("target_tc_K", s.target_tc_K, 1, 1000, "K", False)
    errors += _range_error("fractional_elements", s.fractional_elements, 0, 10, "", True)
    errors += _range_error("start_above_K", s.start_above_K, 0, 300, "K", False)
    errors += _range_error("least_distance", s.least_distance, 0, 1, "of the atoms", False)
    errors += _range_error("most_changed", s.most_changed, 0, 1, "of the atoms", False)
    errors += _range_error("per_element_set", s.per_element_set, 0, MAX_CANDIDATES, "", True)
    choices_of = {
        "integer_loss": INTEGER_LOSSES, "integer_schedule": INTEGER_SCHEDULES, "step_schedule": STEP_SCHEDULES,
        "rounding": ROUNDINGS, "objective": OBJECTIVES, "start": STARTS, "start_family": START_FAMILIES,
        "stability": STABILITIES, "novelty": NOVELTIES, "change": CHANGES,
    }  # fmt: skip
    for name, choices in choices_of.items():
        if getattr(s, name) not in choices:
            errors.append(InputError(name, getattr(s, name), "unknown option", f"Choose {' or '.join(choices)}"))
    return errors
