"""Conventional element substitution (C-ES), the baseline of KIAGO 3.1 and 3.4, without optimisation.

"The C-ES method randomly replaces some elements with others of identical oxidation states." The details follow the
samples in table 3 of the paper: the base is written for one or more formula units, a random subset of its elements is
selected, and the atoms of each are distributed among one or more elements that have its oxidation state in the base
(see `core.screening.oxidation_states`). For example, two formula units of LaPt2B2C become La2Hf2Ir2B4C2. The amounts at
each site are those of the base and every element occupies a single site, so that the candidates of a charge-balanced
base are charge-neutral.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import SAME_COMPOSITION
from core.errors import InputError
from core.generation.interface import Candidates, PropertyPredictors, Report
from core.generation.rounding import Rounded
from core.generation.schedule import Schedule, Stage
from core.problem.problem import DesignProblem
from core.problem.settings import BASE, MAX_ATOMS, NEAREST, SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import takers
from core.screening.oxidation_states import proposed_state

REPLACE_PROBABILITY = 0.5  # for each element of the base, so that all subsets are equally likely
MAX_REDRAWS = 1  # of a candidate in which a forbidden element could not be replaced


@dataclass(frozen=True)
class Substituter:
    """Random element substitution in a base.

    counts : (118,) int64 atoms of the base in its smallest cell of whole atoms
    multiples : allowed numbers of these cells in a candidate
    states : symbol -> oxidation state, for the replaceable elements
    forced : symbols of forbidden elements of the base, which must be replaced
    allowed : (118,) bool, allowed replacements
    elements_per_site : smallest and largest number of elements that replace one element
    max_elements : largest number of elements in a candidate
    seed : seed of the problem
    """

    counts: np.ndarray
    multiples: tuple[int, ...]
    states: Mapping[str, int]
    forced: frozenset[str]
    allowed: np.ndarray
    elements_per_site: tuple[int, int]
    max_elements: int
    seed: int

    def draw(self, candidate: int, redraw: int = 0) -> np.ndarray | None:
        """Atoms (118,) of a candidate; None if a forbidden element could not be replaced."""
        random = np.random.default_rng([self.seed, candidate, redraw])
        counts = self.counts * random.choice(self.multiples)
        for symbol in self._selected(random):
            self._replace(counts, symbol, random)
        incomplete = any(counts[elements.element(symbol).index] for symbol in self.forced)
        return None if incomplete else counts

    def _selected(self, random: np.random.Generator) -> list[str]:
        """Elements to replace, at least one: first the forced ones, then the others in random order."""
        names = list(self.states)
        chosen = [s for s in names if random.random() < REPLACE_PROBABILITY and s not in self.forced]
        if not chosen and not self.forced:
            chosen = [names[random.integers(len(names))]]
        return sorted(self.forced) + [chosen[i] for i in random.permutation(len(chosen))]

    def _replace(self, counts: np.ndarray, symbol: str, random: np.random.Generator) -> None:
        """Distribute the atoms of an element, in place, among absent elements with its oxidation state.

        The element itself may keep some of its atoms, as in doping. Nothing changes if no other element is possible.
        """
        site = elements.element(symbol).index
        pool = _takers(self.states[symbol]) & self.allowed & (counts == 0)
        others, atoms = np.flatnonzero(pool), int(counts[site])
        room = self.max_elements - int((counts > 0).sum()) + 1
        low, high = (max(1, n) for n in self.elements_per_site)
        parts = min(int(random.integers(low, high + 1)), atoms, room, len(others) + int(self.allowed[site]))
        if not len(others) or parts < 1:
            return
        if parts > 1 and self.allowed[site]:
            others = np.append(others, site)
        chosen = random.choice(others, size=parts, replace=False)
        borders = np.sort(random.choice(atoms - 1, size=parts - 1, replace=False)) + 1 if parts > 1 else []
        counts[site] = 0
        counts[chosen] += np.diff([0, *borders, atoms])


@dataclass(frozen=True)
class Task:
    """The constant data of a run: substituter, number of candidates, and predictors."""

    substituter: Substituter
    candidates: int
    predictors: PropertyPredictors


@dataclass(frozen=True)
class State:
    """Candidates, drawn in the only step.

    step : () int64, completed steps: 0 or 1
    counts : (batch, 118) int64 atoms; zeros for a candidate without a formula, and before the step
    redraws : (batch,) int64, redraws of each candidate
    """

    step: torch.Tensor
    counts: torch.Tensor
    redraws: torch.Tensor


class SubstitutionGenerator:
    """C-ES: draws and predicts all candidates in a single step."""

    state_type = State

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """Errors for constrained amounts, sites with a new oxidation state, and a base without an integer formula."""
        errors = _check_base(problem) or _check_amounts(problem)
        return errors or _check_fixed(problem) + _check_size(problem) + _check_replaceable(problem, known)

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """A single step from the base, without rounding."""
        return replace(problem.settings, steps=(1, 0), rounding=NEAREST, fractional_elements=0, start=BASE)

    def schedule(self, problem: DesignProblem) -> Schedule:
        """A single step."""
        return Schedule((Stage("Draw", 1),), problem.settings.candidates)

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """Multiples of the atoms of the base within `n_unit`, or else the smallest one above the lower end."""
        low, high = problem.settings.n_unit
        base = problem.base_atoms()
        if not base:
            return ()
        first = math.ceil(low / base) * base
        return tuple(range(first, max(first, high) + 1, base))

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> Task:
        """The task, restricted to the elements known to both predictors."""
        allowed = _mask(problem.allowed_symbols(predictors.known_symbols()))
        substituter = make_substituter(problem, allowed, self.atom_counts(problem))
        return Task(substituter, problem.settings.candidates, predictors)

    def init(self, task: Task) -> State:
        """State before the candidates are drawn."""
        return State(
            step=torch.zeros((), dtype=torch.int64),
            counts=torch.zeros(task.candidates, elements.N_ELEMENTS, dtype=torch.int64),
            redraws=torch.zeros(task.candidates, dtype=torch.int64),
        )

    def step(self, task: Task, state: State) -> tuple[State, Report]:
        """Draw all candidates and predict those with a formula."""
        drawn = [_draw(task.substituter, candidate) for candidate in range(task.candidates)]
        after = State(
            step=state.step + 1,
            counts=torch.from_numpy(np.stack([counts for counts, _ in drawn])),
            redraws=torch.tensor([redraws for _, redraws in drawn]),
        )
        return after, _report(task, state, after)

    def candidates(self, problem: DesignProblem, task: Task, state: State) -> Candidates:
        """The drawn formulas, which are integer formulas without rounding."""
        counts = state.counts.cpu().numpy()
        number = np.flatnonzero(counts.sum(1))
        reduced = counts[number] // np.gcd.reduce(counts[number], axis=1, keepdims=True)
        rounded = Rounded(reduced, reduced)
        tc, energy = task.predictors.predict(rounded.compositions)
        return Candidates(
            total=task.candidates,
            rounded=rounded,
            number=number,
            composition=rounded.compositions,
            tc_K=tc,
            formation_energy_eV_per_atom=energy,
            integer_loss=np.zeros(len(number)),
            lost={"a forbidden element could not be replaced": task.candidates - len(number)},
            exchanged=0,
            restarts=int(state.redraws.sum()),
        )


GENERATOR = SubstitutionGenerator()


def _draw(substituter: Substituter, candidate: int) -> tuple[np.ndarray, int]:
    """Atoms (118,) of a candidate, zeros without a formula, and the number of redraws."""
    for redraw in range(MAX_REDRAWS + 1):
        counts = substituter.draw(candidate, redraw)
        if counts is not None:
            return counts, redraw
    return np.zeros(elements.N_ELEMENTS, dtype=np.int64), MAX_REDRAWS


def _report(task: Task, before: State, after: State) -> Report:
    """Report of the drawn candidates; NaN for those without a formula."""
    counts = after.counts.numpy()
    number = np.flatnonzero(counts.sum(1))
    composition = np.zeros(counts.shape)
    composition[number] = counts[number] / counts[number].sum(1, keepdims=True)
    values = np.full((3, len(counts)), np.nan)
    values[0, number], values[1, number] = task.predictors.predict(composition[number])
    values[2, number] = 0.0  # integer formulas have no integer loss
    tc, energy, integer = torch.from_numpy(values).float()
    return Report(
        step=int(before.step),
        stage=1,
        composition=torch.from_numpy(composition).float(),
        tc_K=tc,
        formation_energy_eV_per_atom=energy,
        integer_loss=integer,
        restarts=int(after.redraws.sum()),
    )


def make_substituter(problem: DesignProblem, allowed: np.ndarray, atom_counts: Collection[int]) -> Substituter:
    """The substituter of a valid problem.

    allowed : (118,) bool, M_elem
    atom_counts : allowed numbers of atoms, multiples of those of the base

    Raises ValueError for a base without an integer formula.
    """
    atoms = problem.base_atoms()
    if atoms is None:
        raise ValueError(f"the base {problem.base} has no integer formula")
    states = site_states(problem)
    replaceable = {s: q for s, q in states.items() if (_takers(q) & allowed & ~_mask([s])).any()}
    return Substituter(
        counts=np.round(composition_vector(problem.base_fractions()) * atoms).astype(np.int64),
        multiples=tuple(n // atoms for n in atom_counts),
        states=replaceable,
        forced=frozenset(s for s in states if not allowed[elements.element(s).index]),
        allowed=allowed,
        elements_per_site=problem.settings.added_elements,
        max_elements=problem.settings.max_elements,
        seed=problem.seed,
    )


def _check_base(problem: DesignProblem) -> list[InputError]:
    if problem.base_atoms() is not None:
        return []
    return [
        InputError("base", problem.base, f"a substitution needs a base of at most {MAX_ATOMS} whole atoms",
                   "Round the amounts of the base")
    ]  # fmt: skip


def _check_amounts(problem: DesignProblem) -> list[InputError]:
    """Errors for floors, bounds, groups and ratios: a random substitution keeps the amounts of the base."""
    if problem.floors:
        return [
            InputError("floors", ", ".join(problem.floors), "a substitution keeps the rest of the base",
                       "Remove the floors, or choose the task of raising Tc")
        ]  # fmt: skip
    named = next((name for name in ("bounds", "groups", "ratios") if getattr(problem, name)), None)
    if named is None:
        return []
    return [
        InputError(named, problem.base, "a random substitution keeps the amounts of the base",
                   "Remove bounds, groups and ratios, or replace a single element by gradient")
    ]  # fmt: skip


def _check_size(problem: DesignProblem) -> list[InputError]:
    n_base, max_elements = len(problem.base_fractions()), problem.settings.max_elements
    if n_base <= max_elements:
        return []
    return [
        InputError("max_elements", max_elements, f"the base has {n_base} elements, and a substitution keeps at "
                   "least as many", f"Allow {n_base} or more")
    ]  # fmt: skip


def _check_replaceable(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """Errors unless every forbidden element of the base, and at least one element, can be replaced."""
    allowed = _mask(problem.allowed_symbols(known))
    states = site_states(problem)
    replaceable = {s: bool((_takers(q) & allowed & ~_mask([s])).any()) for s, q in states.items()}
    stuck = [s for s in problem.base_fractions() if s in problem.forbidden and not replaceable.get(s, False)]
    if stuck:
        return [
            InputError("forbidden", s, "the element is in the base, and no allowed element has its oxidation state",
                       "Allow it, or choose another base")
            for s in stuck
        ]  # fmt: skip
    if any(replaceable.values()):
        return []
    return [
        InputError("forbidden", problem.base, "no allowed element has the oxidation state of an element of the "
                   "base", "Allow more elements, or fix fewer")
    ]  # fmt: skip


def _check_fixed(problem: DesignProblem) -> list[InputError]:
    base, fixed, base_atoms = problem.base_fractions(), problem.fixed_fractions(), parse_formula(problem.base)
    errors = [
        InputError("fixed", f"{s} {x:.4g}", "a substitution keeps the amounts of the base",
                   f"Fix {s} at {base[s]:.4g} of the atoms" if s in base else f"Free {s}, which is not in the base")
        for s, x in fixed.items()
        if abs(base.get(s, 0) - x) > SAME_COMPOSITION
    ]  # fmt: skip
    if problem.task == SUBSTITUTE and not errors:
        replaced = [site.element for site in problem.sites]
        loose = [s for s in base if s not in replaced and s not in fixed]
        names = " and ".join(replaced)
        rule = f"the substitution replaces only {names}"
        errors = [InputError("fixed", s, rule, f"Fix {s} as in the base") for s in loose]
        errors += [
            InputError("sites", site.element, "a random substitution replaces all atoms of an element by elements of "
                       "the same oxidation state", "Replace all atoms and keep the state, or use the gradient method")
            for site in problem.sites
            if site.replacement != site.state or site.atoms_in(base_atoms) < base_atoms[site.element]
        ]  # fmt: skip
    return errors


def site_states(problem: DesignProblem) -> dict[str, int]:
    """Oxidation states of the replaceable elements of the base: symbol -> state.

    For the task "substitute" these are the states of the sites, otherwise the proposed states of all elements that are
    not fixed. Elements without an oxidation state are omitted.
    """
    if problem.task == SUBSTITUTE:
        return {site.element: site.state for site in problem.sites if site.state is not None}
    amounts, fixed = parse_formula(problem.base), problem.fixed_fractions()
    proposed = {s: proposed_state(amounts, s) for s in amounts if s not in fixed}
    return {s: q for s, q in proposed.items() if q}


def _takers(state: int) -> np.ndarray:
    """Elements that can replace an element of this oxidation state, (118,) bool."""
    return _mask(takers(state))


def _mask(symbols: Collection[str]) -> np.ndarray:
    """Whether each element is among the symbols, (118,) bool."""
    mask = np.zeros(elements.N_ELEMENTS, dtype=bool)
    mask[[elements.element(s).index for s in symbols]] = True
    return mask
