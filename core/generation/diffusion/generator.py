"""SuperDiff as a generator: the sampler's task for a problem, and candidates from its last state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector, element_mask, fraction_vector
from core.chemistry.families import CUPRATE, IRON_BASED, OTHER, families
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import ROUNDING_ERROR
from core.errors import InputError
from core.generation.diffusion import formulas, sampler, validation
from core.generation.diffusion.amounts import amount_vector
from core.generation.diffusion.formulas import Written
from core.generation.diffusion.guidance import Guidance, normalised
from core.generation.diffusion.noise_schedule import cosine_schedule, respaced
from core.generation.diffusion.sampler import Reference, State, Task
from core.generation.diffusion.settings import (
    BY_BASE,
    DIFFUSION_SETTINGS,
    MOST_ELEMENTS,
    SHARED,
    SUPERDIFF,
    UNCONDITIONED,
    checkpoint_name,
    scale_factors,
)
from core.generation.diffusion.settings import NEUTRAL as TO_NEUTRAL
from core.generation.diffusion.weights import load_noise_predictor
from core.generation.gradient import losses
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.integer_formulas import IntegerFormulas, integer_formulas
from core.generation.interface import Candidates, PropertyPredictors, Report
from core.generation.method_settings import with_defaults
from core.generation.schedule import Schedule, Stage
from core.predictors.interface import predict_in_batches
from core.problem.problem import DesignProblem
from core.problem.settings import BASE, NEAREST, NEUTRAL, OptimiserSettings

STEP_BATCH = 256  # candidates per core evaluated together; larger batches do not fit the cache
UNKNOWN = "it contains an element that a model does not know"  # why a sample has no formula
TOO_LARGE = "more atoms than the charge screens can treat"
UNSTABLE_K = 1e6  # penalty in K for a formation energy that fails the screen


class SuperDiffGenerator:
    """SuperDiff (Yuan and Dordevic 2024) with ILVR on the base, and with classifier guidance (KIAGO 3.1)."""

    state_type = State

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """Errors for substitutions, fixed elements, and a base beyond curium."""
        own = _own_settings(problem)
        return validation.check(problem, conditioned=own["scale_factors"] != UNCONDITIONED)

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """A single stage from the base, and no fractional elements beside those of the rule for formulas."""
        own = _own_settings(problem)
        rounding = NEUTRAL if own["formulas"] == TO_NEUTRAL else NEAREST
        return replace(
            problem.settings, steps=(own["denoising_steps"], 0), rounding=rounding, fractional_elements=0, start=BASE
        )

    def schedule(self, problem: DesignProblem) -> Schedule:
        """A single stage."""
        steps = _own_settings(problem)["denoising_steps"]
        return Schedule((Stage("From noise to compositions", steps),), problem.settings.candidates)

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """See `DesignProblem.atom_counts`; of the integer loss and of the rule "neutral"."""
        return problem.atom_counts()

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> Task:
        """The sampler's task, with the network of the class. Raises CheckpointError if its weights are missing."""
        own, settings, device = _own_settings(problem), problem.settings, predictors.device
        (name,) = checkpoints_of(problem)
        network = load_noise_predictor(name)
        known = torch.from_numpy(element_mask(predictors.known_symbols())).to(device)
        factors = scale_factors(own["scale_factors"])
        amounts = amount_vector(parse_formula(problem.base)) if factors else None
        return Task(
            network=network.to(device),
            schedule=respaced(cosine_schedule(), own["denoising_steps"]),
            candidates=settings.candidates,
            seed=problem.seed,
            device=device,
            tc=predictors.tc,
            formation_energy=predictors.formation_energy,
            guidance=Guidance(known, settings.formation_energy_weight),
            atom_counts=torch.tensor(problem.atom_counts(), dtype=torch.float32, device=device),
            most_elements=MOST_ELEMENTS[class_of(problem)],
            guidance_weight=float(own["guidance_weight"]),
            reference=None if amounts is None else Reference(amounts, factors, own["reference_noise"] == SHARED),
            cores=BatchParallel(torch.get_num_threads(), STEP_BATCH) if device.type == "cpu" else BatchParallel(),
        )

    def init(self, task: Task) -> State:
        """See `sampler.init`."""
        return sampler.init(task)

    def step(self, task: Task, state: State) -> tuple[State, Report]:
        """See `sampler.step`."""
        return sampler.step(task, state)

    def candidates(self, problem: DesignProblem, task: Task, state: State) -> Candidates:
        """Formulas of the samples by the rule of the problem; samples that break a constraint have none."""
        predictors = PropertyPredictors(task.tc, task.formation_energy, task.device)
        written, lost = written_samples(problem, task, state)
        found = self._formulas(problem, written, lost, predictors)
        broken = ~_satisfied(problem, found.rounded.counts)
        lost[found.rows[broken]] = "a minimum amount, bound, group or ratio is not met"
        rows, rounded = found.rows[~broken], found.rounded.selected(~broken)
        composition = normalised(state.amounts[torch.from_numpy(rows).to(task.device)], task.guidance.known)
        fractions = composition.cpu().numpy().astype(np.float64)
        tc, energy = predictors.predict(fractions)
        integer = losses.integer_loss(composition, task.atom_counts).cpu().numpy().astype(np.float64)
        reasons = Counter(str(reason) for reason in lost if reason)
        return Candidates(
            len(lost), rounded, rows, fractions, tc, energy, integer, reasons, found.exchanged, restarts=0
        )

    def _formulas(
        self, problem: DesignProblem, written: Written, lost: np.ndarray, predictors: PropertyPredictors
    ) -> IntegerFormulas:
        """Formulas of the samples that are not lost; adds the reasons (n,) of those without one to `lost`."""
        rule, rows = _own_settings(problem)["formulas"], np.flatnonzero(lost == "")
        if rule == TO_NEUTRAL:
            found = _nearest_neutral(problem, self.effective_settings(problem), written, rows, predictors)
            lost[np.setdiff1d(rows, found.rows)] = "no nearby formula satisfies the constraints"
            return found
        rounded, small = formulas.whole_cells(written.amounts[rows], rule)
        lost[rows[~small]] = TOO_LARGE
        return IntegerFormulas(rounded.selected(small), rows[small], exchanged=0)


GENERATOR = SuperDiffGenerator()


def _own_settings(problem: DesignProblem) -> dict[str, Any]:
    """The value of each of DIFFUSION_SETTINGS."""
    return with_defaults(problem.method_settings, DIFFUSION_SETTINGS)


def checkpoints_of(problem: DesignProblem) -> tuple[str, ...]:
    """The checkpoint of the class whose network is used."""
    return (checkpoint_name(class_of(problem)),)


def class_of(problem: DesignProblem) -> str:
    """The class whose network is used: as chosen, or that of the base; a base of another family counts as "other"."""
    chosen = _own_settings(problem)["of_class"]
    if chosen != BY_BASE:
        return chosen
    family = str(families(composition_vector(problem.base_fractions())[None])[0])
    return family if family in (CUPRATE, IRON_BASED) else OTHER


def written_samples(problem: DesignProblem, task: Task, state: State) -> tuple[Written, np.ndarray]:
    """The samples after the rule of the problem, and the reason (n,) why one has no formula; empty if it has one.

    Before the rounding to whole atoms. UNKNOWN is the reason of a sample that has no other; with the rule "neutral",
    which changes the amounts anyway, those of such elements are dropped instead.
    """
    rule = _own_settings(problem)["formulas"]
    known = PropertyPredictors(task.tc, task.formation_energy, task.device).known_symbols()

    def tc_of(fractions: np.ndarray) -> np.ndarray:
        return predict_in_batches(task.tc, torch.from_numpy(fractions).float().to(task.device))

    unknown = element_mask([symbol for symbol in elements.symbols() if symbol not in known])
    samples = state.amounts.cpu().numpy()
    if rule == TO_NEUTRAL:
        samples = np.where(unknown[: samples.shape[1]], 0.0, samples)
    written = formulas.written(samples, rule, tc_of)
    return written, _excluded(problem, written, unknown, rule)


def _excluded(problem: DesignProblem, written: Written, unknown: np.ndarray, rule: str) -> np.ndarray:
    """See `written_samples`. unknown : (118,) bool"""
    present, lost = written.amounts > 0, written.lost.copy()
    size, most = present.sum(1), problem.settings.max_elements
    for rows, reason in (
        (np.any(present[:, element_mask(problem.forbidden)], axis=1), "it contains a forbidden element"),
        (size > most, f"it has more than {most} elements"),
        ((size < 2) & (rule == SUPERDIFF), "it is a single element"),
        (np.any(present[:, unknown], axis=1), UNKNOWN),
    ):
        lost[(lost == "") & rows] = reason
    return lost


def _nearest_neutral(
    problem: DesignProblem, settings: OptimiserSettings, written: Written, rows: np.ndarray,
    predictors: PropertyPredictors,
) -> IntegerFormulas:  # fmt: skip
    """Charge-neutral formulas of whole atoms near these samples; `rows` of the result are samples."""
    amounts = written.amounts[rows]
    fractions = amounts / amounts.sum(1, keepdims=True)

    def loss(compositions: np.ndarray) -> np.ndarray:
        tc, energy = predictors.predict(compositions)
        return settings.formation_energy_weight * energy - tc + np.where(energy < 0, 0.0, UNSTABLE_K)

    x_const = np.zeros(fractions.shape[1]), fraction_vector(problem.floors)
    found = integer_formulas(problem, settings, fractions, fractions[:, None], x_const, loss)
    return replace(found, rows=rows[found.rows])


def _satisfied(problem: DesignProblem, counts: np.ndarray) -> np.ndarray:
    """Whether formulas (n, 118) meet the floors, bounds, groups and ratios of a problem: (n,) bool."""
    fractions = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    met = (fractions >= fraction_vector(problem.floors) - ROUNDING_ERROR).all(1)
    constraints = problem.composition_constraints(elements.symbols())
    return met if constraints is None else met & constraints.satisfied(counts)
