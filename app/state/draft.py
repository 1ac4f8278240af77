"""The draft: the problem that the design page shows while a user works on it. Pure functions.

A draft differs from a `DesignProblem` in two ways: amounts are atoms per formula unit of the base, as chemists write
them and as the tiles show them, and a draft may be wrong or unfinished (a half-typed formula).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache

from app.components.periodic_table.table_state import TableState
from app.forms.constraint_rows import ConstraintRow, parse_rows, rows_of
from core.chemistry import elements
from core.chemistry.formula_reader import parse_formula
from core.generation.registry import MEMETIC
from core.predictors.registry import BEST, Models
from core.problem.origin import Origin
from core.problem.problem import DesignProblem
from core.problem.settings import DEFAULT_METHOD, NEAR, NEW, ONE_STATE, RAISE_TC, SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site, atoms_after, kept

FIRST_BASE = "LaFeAsO"  # the first example of the KIAGO paper
FIRST_METHOD = MEMETIC  # a problem file or link that names no method means the gradient, as before


@cache
def initially_forbidden() -> frozenset[str]:
    """The elements that are forbidden at a first visit: noble gases and radioactive elements."""
    return frozenset(e.symbol for e in elements.all_elements() if e.noble_gas or e.radioactive)


@dataclass(frozen=True)
class Draft:
    """State of the design page.

    amounts : atoms per formula unit of the last readable base, so that a typing error does not empty the table
    sites : what the task "substitute" replaces; these elements are the substituted ones of the table
    floors : symbol -> least fraction of all atoms; used by the task "raise_tc" only
    constraint_rows : bounds, groups and ratios, as typed
    fixed_in_other_task : what was fixed in the other task, restored when the user returns to it
    origin : the candidate of a run that became the base, see DesignProblem
    only_state : the oxidation state that was chosen as the only one, whose elements are not forbidden
    chosen_groups : labels of the groups of elements that the user forbade as groups
    """

    base: str
    amounts: Mapping[str, float]
    task: str
    table: TableState
    sites: tuple[Site, ...] = ()
    settings: OptimiserSettings = field(default_factory=OptimiserSettings)
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    models: Models = BEST
    method: str = DEFAULT_METHOD
    method_settings: Mapping[str, float | int | str] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)
    charge_rule: str = ONE_STATE
    constraint_rows: tuple[ConstraintRow, ...] = ()
    fixed_in_other_task: Mapping[str, float] = field(default_factory=dict)
    origin: Origin | None = None
    only_state: int | None = None
    chosen_groups: frozenset[str] = frozenset()

    @property
    def atoms(self) -> float:
        """Atoms per formula unit of the base."""
        return sum(self.amounts.values())

    @property
    def atoms_after(self) -> float:
        """Atoms per formula unit after the substitution: a site that is left empty loses its atoms.

        The atoms of the base if none would be left, so that such a draft can be shown with its errors.
        """
        return atoms_after(self.amounts, self.sites if self.task == SUBSTITUTE else ()) or self.atoms

    def problem(self) -> DesignProblem:
        """The problem, with amounts as fractions of all atoms."""
        substitute = self.task == SUBSTITUTE
        constraints = parse_rows(self.constraint_rows)
        return DesignProblem(
            base=self.base,
            task=self.task,
            fixed=self._fixed_fractions(),
            forbidden=tuple(s for s in elements.symbols() if s in self.table.forbidden),
            sites=self.sites if substitute else (),
            settings=self.settings,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
            tc_predictor=self.models.tc,
            formation_energy_predictor=self.models.formation_energy,
            method=self.method,
            method_settings=dict(self.method_settings),
            floors={} if substitute else dict(self.floors),
            charge_rule=self.charge_rule,
            bounds=constraints.bounds,
            groups=constraints.groups,
            ratios=constraints.ratios,
            origin=self.origin,
        )

    def _fixed_fractions(self) -> dict[str, float] | None:
        """Fixed amounts as fractions of all atoms; None for the default of the task, which follows the base."""
        if dict(self.table.fixed) == fixed_by_default(self.task, self.amounts, self.sites):
            return None
        fixed = dict(self.table.fixed)
        if self.task == SUBSTITUTE:  # what remains of a site that is replaced in part
            fixed |= {s: x for s, x in kept(self.amounts, self.sites).items() if s in elements_of(self.sites)}
        return {symbol: amount / self.atoms_after for symbol, amount in fixed.items()}


def first_draft() -> Draft:
    """The draft of a first visit."""
    return draft_of(
        DesignProblem(
            base=FIRST_BASE,
            forbidden=tuple(sorted(initially_forbidden())),
            method=FIRST_METHOD,
            # Left free, a search from any base ends at the cuprates with the highest Tc.
            settings=OptimiserSettings(novelty=NEW, change=NEAR),
        )
    )


def draft_of(problem: DesignProblem) -> Draft:
    """The draft that shows this problem. Raises InputError if its base cannot be read."""
    amounts = parse_formula(problem.base)
    sites = tuple(site for site in problem.sites if site.element in amounts)
    substituted = set(elements_of(sites)) if problem.task == SUBSTITUTE else set()
    if problem.fixed is None:
        fixed = fixed_by_default(problem.task, amounts, sites)
    else:  # rounded, because 1/3 of 3 atoms is 1 atom
        atoms = problem.atoms_after()
        fixed = {symbol: round(x * atoms, 9) for symbol, x in problem.fixed.items() if symbol not in substituted}
    return Draft(
        base=problem.base,
        amounts=amounts,
        task=problem.task,
        table=table_state(problem.forbidden, fixed, substituted),
        sites=sites,
        settings=problem.settings,
        seed=problem.seed,
        device=problem.device,
        precision=problem.precision,
        models=Models(problem.tc_predictor, problem.formation_energy_predictor),
        method=problem.method,
        method_settings=dict(problem.method_settings),
        floors=dict(problem.floors),
        constraint_rows=rows_of(problem),
        charge_rule=problem.charge_rule,
        origin=problem.origin,
    )


def elements_of(sites: tuple[Site, ...]) -> list[str]:
    """The elements that are replaced."""
    return [site.element for site in sites]


def fixed_by_default(task: str, amounts: Mapping[str, float], sites: tuple[Site, ...]) -> dict[str, float]:
    """The amounts that a task fixes by itself: none for "raise_tc"; else the elements of the base without a site."""
    if task == RAISE_TC:
        return {}
    return {symbol: amount for symbol, amount in amounts.items() if symbol not in elements_of(sites)}


def table_state(forbidden: Collection[str], fixed: Mapping[str, float], substituted: Collection[str]) -> TableState:
    """A table in which fixed and substituted elements are not forbidden."""
    return TableState(frozenset(forbidden) - set(fixed) - set(substituted), dict(fixed), frozenset(substituted))
