"""Conventional element substitution (C-ES), the baseline of KIAGO 3.1 and 3.4: nothing is optimised.

"The C-ES method randomly replaces some elements with others of identical oxidation states." What that leaves open is
settled as the paper's samples (its table 3) show it: the base is written for one or more formula units, a random subset
of its elements is chosen, and the atoms of each are shared out among one or more elements that can have the oxidation
state which this element has in the base (see `core.screening.oxidation_states`). So LaPt2B2C, twice, becomes
La2Hf2Ir2B4C2. Amounts stay those of the base, every element stands for one site only, and where these states balance
the base, the candidates are neutral too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import composition_vector, parse_formula
from core.errors import InputError
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE
from core.problem.substitution_sites import takers
from core.screening.oxidation_states import proposed_state

CHOSEN = 0.5  # chance of each element of the base to be replaced: every subset is as likely as any other


@dataclass(frozen=True)
class Substituter:
    """Draws candidates; used in the place of a `GuessMaker`.

    counts : (118,) whole atoms of the base in its smallest cell
    multiples : how many of these cells a candidate may be written for
    states : symbol -> oxidation state, of the elements that may be replaced
    forced : symbols among them that must be replaced, because they are forbidden
    allowed : (118,) bool, what may take their place
    fixed : (118,) bool, what stays as it is and is no part of a guess
    elements_per_site : fewest and most elements among which the atoms of one are shared out
    max_elements : in a candidate
    seed : of the problem
    """

    counts: np.ndarray
    multiples: tuple[int, ...]
    states: Mapping[str, int]
    forced: frozenset[str]
    allowed: np.ndarray
    fixed: np.ndarray
    elements_per_site: tuple[int, int]
    max_elements: int
    seed: int

    def guess(self, candidate: int, restart: int = 0) -> np.ndarray:
        """The part of a candidate that is not fixed (118,), summing to 1; zeros if a forbidden element had to stay."""
        random = np.random.default_rng([self.seed, candidate, restart])
        counts = self.counts * random.choice(self.multiples)
        for symbol in self._chosen(random):
            self._replace(counts, symbol, random)
        if any(counts[elements.element(symbol).index] for symbol in self.forced):
            return np.zeros(len(counts))
        free = np.where(self.fixed, 0, counts)
        return free / free.sum()

    def _chosen(self, random: np.random.Generator) -> list[str]:
        """The elements to replace, one at least, in random order; those that must go have the first choice."""
        names = list(self.states)
        chosen = [s for s in names if random.random() < CHOSEN and s not in self.forced]
        if not chosen and not self.forced:
            chosen = [names[random.integers(len(names))]]
        return sorted(self.forced) + [chosen[i] for i in random.permutation(len(chosen))]

    def _replace(self, counts: np.ndarray, symbol: str, random: np.random.Generator) -> None:
        """Share the atoms of an element out among elements of its state that the candidate does not have yet.

        The element itself may keep some of them, as in doping. If there is nothing to put there it stays.
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


def substituter(problem: DesignProblem, allowed: np.ndarray) -> Substituter:
    """What draws the candidates of a problem without errors. allowed : (118,) bool, M_elem."""
    atoms = problem.base_atoms()
    states = site_states(problem)
    replaceable = {s: q for s, q in states.items() if (_takers(q) & allowed & ~_mask([s])).any()}
    return Substituter(
        counts=np.round(composition_vector(problem.base_fractions()) * atoms).astype(np.int64),
        multiples=tuple(n // atoms for n in problem.atom_counts()),
        states=replaceable,
        forced=frozenset(s for s in states if not allowed[elements.element(s).index]),
        allowed=allowed,
        fixed=_mask(problem.fixed_fractions()),
        elements_per_site=problem.settings.added_elements,
        max_elements=problem.settings.max_elements,
        seed=problem.seed,
    )


def check(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """What is wrong with a problem, right by itself, for this method. known : symbols that all predictors know."""
    wrong = _check_fixed(problem)
    n_base, most = len(problem.base_fractions()), problem.settings.max_elements
    if n_base > most:
        wrong.append(
            InputError("max_elements", most, f"the base has {n_base} elements, and a substitution keeps as many",
                       f"Allow {n_base} or more")
        )  # fmt: skip
    allowed = _mask(problem.allowed_symbols(known))
    states = site_states(problem)
    pools = {s: (_takers(q) & allowed & ~_mask([s])).any() for s, q in states.items()}
    stuck = [s for s in problem.base_fractions() if s in problem.forbidden and not pools.get(s, False)]
    wrong += [
        InputError("forbidden", s, "it is in the base, and no element that is allowed has its oxidation state",
                   "Allow it, or choose another base")
        for s in stuck
    ]  # fmt: skip
    if not stuck and not any(pools.values()):
        wrong.append(
            InputError("forbidden", problem.base, "no element of the base can be replaced by an allowed one of the "
                       "same oxidation state", "Allow more elements, or fix fewer")
        )  # fmt: skip
    return wrong


def _check_fixed(problem: DesignProblem) -> list[InputError]:
    base, fixed, base_atoms = problem.base_fractions(), problem.fixed_fractions(), parse_formula(problem.base)
    wrong = [
        InputError("fixed", f"{s} {x:.4g}", "a substitution keeps the amounts of the base",
                   f"Fix {s} at {base[s]:.4g} of the atoms" if s in base else f"Free {s}, it is not in the base")
        for s, x in fixed.items()
        if abs(base.get(s, 0) - x) > 1e-6
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
        return {site.element: site.state for site in problem.sites}
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
