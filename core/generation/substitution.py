"""Conventional element substitution (C-ES), the baseline of KIAGO 3.1 and 3.4: nothing is optimised.

"The C-ES method randomly replaces some elements with others of identical oxidation states." What that leaves open is
settled as the paper's samples (its table 3) show it: the base is written for one or more formula units, a random subset
of its elements is chosen, and the atoms of each are shared out among one or more elements that can have the oxidation
state which this element has in the base (see `core.screening.oxidation_states`). So LaPt2B2C, twice, becomes
La2Hf2Ir2B4C2. Amounts stay those of the base, every element stands for one site only, and where these states balance
the base, the candidates are neutral too.
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

CHOSEN = 0.5  # chance of each element of the base to be replaced: every subset is as likely as any other
REDRAWS = 1  # of a candidate in which a forbidden element had to stay


@dataclass(frozen=True)
class Substituter:
    """Draws candidates: formulas of the base in which elements are replaced at random.

    counts : (118,) whole atoms of the base in its smallest cell
    multiples : how many of these cells a candidate may be written for
    states : symbol -> oxidation state, of the elements that may be replaced
    forced : symbols among them that must be replaced, because they are forbidden
    allowed : (118,) bool, elements that may take their place
    elements_per_site : fewest and most elements among which the atoms of one are shared out
    max_elements : in a candidate
    seed : of the problem
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
        """Whole atoms (118,) of a candidate; None if a forbidden element had to stay."""
        random = np.random.default_rng([self.seed, candidate, redraw])
        counts = self.counts * random.choice(self.multiples)
        for symbol in self._chosen(random):
            self._replace(counts, symbol, random)
        stays = any(counts[elements.element(symbol).index] for symbol in self.forced)
        return None if stays else counts

    def _chosen(self, random: np.random.Generator) -> list[str]:
        """The elements to replace, one at least, in random order; those that must go have the first choice."""
        names = list(self.states)
        chosen = [s for s in names if random.random() < CHOSEN and s not in self.forced]
        if not chosen and not self.forced:
            chosen = [names[random.integers(len(names))]]
        return sorted(self.forced) + [chosen[i] for i in random.permutation(len(chosen))]

    def _replace(self, counts: np.ndarray, symbol: str, random: np.random.Generator) -> None:
        """Share the atoms of an element out among elements of its state that the candidate does not have yet.

        The element itself may keep some of them, as in doping. If no other element can take them, it stays.
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
    """All that stays the same during a run: what draws the candidates, how many, and what predicts their properties."""

    substituter: Substituter
    candidates: int
    predictors: PropertyPredictors


@dataclass(frozen=True)
class State:
    """Candidates before (step 0) and after (step 1) they are drawn.

    step : () int64
    counts : (batch, 118) int64 whole atoms; zeros for a candidate without a formula
    redraws : (batch,) int64
    """

    step: torch.Tensor
    counts: torch.Tensor
    redraws: torch.Tensor


class SubstitutionGenerator:
    """C-ES: all candidates are drawn in a single step, and predicted."""

    state_type = State

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """What C-ES cannot do: constrained amounts, sites that change their state, a base of fractional atoms."""
        wrong = _check_base(problem) or _check_amounts(problem)
        return wrong or _check_fixed(problem) + _check_size(problem) + _check_replaceable(problem, known)

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """One step; no rounding is needed, and no start but the base."""
        return replace(problem.settings, steps=(1, 0), rounding=NEAREST, exempt_elements=0, start=BASE)

    def schedule(self, problem: DesignProblem) -> Schedule:
        """A single step."""
        return Schedule((Stage("Draw", 1),), problem.settings.candidates)

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """Multiples of the atoms of the base within `n_unit`; the next one if none is in the range."""
        low, high = problem.settings.n_unit
        base = problem.base_atoms()
        if not base:
            return ()
        first = math.ceil(low / base) * base
        return tuple(range(first, max(first, high) + 1, base))

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> Task:
        """What draws the candidates, from the elements that both predictors know."""
        allowed = _mask(problem.allowed_symbols(predictors.known_symbols()))
        drawing = substituter(problem, allowed, self.atom_counts(problem))
        return Task(drawing, problem.settings.candidates, predictors)

    def init(self, task: Task) -> State:
        """No candidate is drawn yet."""
        return State(
            step=torch.zeros((), dtype=torch.int64),
            counts=torch.zeros(task.candidates, elements.N_ELEMENTS, dtype=torch.int64),
            redraws=torch.zeros(task.candidates, dtype=torch.int64),
        )

    def step(self, task: Task, state: State) -> tuple[State, Report]:
        """Draw every candidate, and predict those that have a formula."""
        drawn = [_draw(task.substituter, candidate) for candidate in range(task.candidates)]
        after = State(
            step=state.step + 1,
            counts=torch.from_numpy(np.stack([counts for counts, _ in drawn])),
            redraws=torch.tensor([redraws for _, redraws in drawn]),
        )
        return after, _report(task, state, after)

    def candidates(self, problem: DesignProblem, task: Task, state: State) -> Candidates:
        """The formulas as they were drawn: they are integer formulas already."""
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


def _draw(drawing: Substituter, candidate: int) -> tuple[np.ndarray, int]:
    """Whole atoms (118,) of a candidate, zeros if it has no formula, and how often it was drawn again."""
    for redraw in range(REDRAWS + 1):
        counts = drawing.draw(candidate, redraw)
        if counts is not None:
            return counts, redraw
    return np.zeros(elements.N_ELEMENTS, dtype=np.int64), REDRAWS


def _report(task: Task, before: State, after: State) -> Report:
    """The drawn candidates; NaN for those without a formula."""
    counts = after.counts.numpy()
    number = np.flatnonzero(counts.sum(1))
    composition = np.zeros(counts.shape)
    composition[number] = counts[number] / counts[number].sum(1, keepdims=True)
    values = np.full((3, len(counts)), np.nan)
    values[0, number], values[1, number] = task.predictors.predict(composition[number])
    values[2, number] = 0.0  # they are integer formulas
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


def substituter(problem: DesignProblem, allowed: np.ndarray, atom_counts: Collection[int]) -> Substituter:
    """What draws the candidates of a valid problem. allowed : (118,) bool, M_elem."""
    atoms = problem.base_atoms()
    if atoms is None:
        raise ValueError(f"the base {problem.base} is no formula of whole atoms")
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
        InputError("base", problem.base, f"a substitution needs a base of whole atoms, {MAX_ATOMS} at most",
                   "Round its amounts")
    ]  # fmt: skip


def _check_amounts(problem: DesignProblem) -> list[InputError]:
    """A random substitution keeps the amounts of the base: floors, bounds, groups and ratios have no place in it."""
    if problem.floors:
        return [
            InputError("floors", ", ".join(problem.floors), "a substitution keeps the rest of the base as it is",
                       "Remove the floors, or raise Tc")
        ]  # fmt: skip
    named = next((name for name in ("bounds", "groups", "ratios") if getattr(problem, name)), None)
    if named is None:
        return []
    return [
        InputError(named, problem.base, "a substitution at several sites, or at random, keeps the base's amounts",
                   "Remove bounds, groups and ratios, or replace one element by gradient")
    ]  # fmt: skip


def _check_size(problem: DesignProblem) -> list[InputError]:
    n_base, most = len(problem.base_fractions()), problem.settings.max_elements
    if n_base <= most:
        return []
    return [
        InputError("max_elements", most, f"the base has {n_base} elements, and a substitution keeps as many",
                   f"Allow {n_base} or more")
    ]  # fmt: skip


def _check_replaceable(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """Whether some element can be replaced, and every forbidden one."""
    allowed = _mask(problem.allowed_symbols(known))
    states = site_states(problem)
    pools = {s: bool((_takers(q) & allowed & ~_mask([s])).any()) for s, q in states.items()}
    stuck = [s for s in problem.base_fractions() if s in problem.forbidden and not pools.get(s, False)]
    if stuck:
        return [
            InputError("forbidden", s, "it is in the base, and no element that is allowed has its oxidation state",
                       "Allow it, or choose another base")
            for s in stuck
        ]  # fmt: skip
    if any(pools.values()):
        return []
    return [
        InputError("forbidden", problem.base, "no element of the base can be replaced by an allowed one of the "
                   "same oxidation state", "Allow more elements, or fix fewer")
    ]  # fmt: skip


def _check_fixed(problem: DesignProblem) -> list[InputError]:
    base, fixed, base_atoms = problem.base_fractions(), problem.fixed_fractions(), parse_formula(problem.base)
    wrong = [
        InputError("fixed", f"{s} {x:.4g}", "a substitution keeps the amounts of the base",
                   f"Fix {s} at {base[s]:.4g} of the atoms" if s in base else f"Free {s}, it is not in the base")
        for s, x in fixed.items()
        if abs(base.get(s, 0) - x) > SAME_COMPOSITION
    ]  # fmt: skip
    if problem.task == SUBSTITUTE and not wrong:
        replaced = [site.element for site in problem.sites]
        loose = [s for s in base if s not in replaced and s not in fixed]
        names = " and ".join(replaced)
        wrong = [InputError("fixed", s, f"only {names} is replaced", f"Fix {s} as in the base") for s in loose]
        wrong += [
            InputError("sites", site.element, "a random substitution replaces all atoms of an element by others of its "
                       "own oxidation state", "Take all atoms and the same state, or the gradient")
            for site in problem.sites
            if site.replacement != site.state or site.atoms_in(base_atoms) < base_atoms[site.element]
        ]  # fmt: skip
    return wrong


def site_states(problem: DesignProblem) -> dict[str, int]:
    """Oxidation state of each element of the base that is not fixed and has one: symbol -> state.

    In a substitution at sites, the states asked for. Else those that the design page would propose for one.
    """
    if problem.task == SUBSTITUTE:
        return {site.element: site.state for site in problem.sites if site.state is not None}
    amounts, fixed = parse_formula(problem.base), problem.fixed_fractions()
    found = {s: proposed_state(amounts, s) for s in amounts if s not in fixed}
    return {s: q for s, q in found.items() if q}


def _takers(state: int) -> np.ndarray:
    """(118,) bool: the elements that can come in at a site of this oxidation state."""
    return _mask(takers(state))


def _mask(symbols: Collection[str]) -> np.ndarray:
    mask = np.zeros(elements.N_ELEMENTS, dtype=bool)
    mask[[elements.element(s).index for s in symbols]] = True
    return mask
