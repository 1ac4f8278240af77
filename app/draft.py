"""What the design page shows while somebody works on it, and every change that can be made to it.

A draft is a `DesignProblem` in the making. It differs in two ways: amounts are atoms per formula unit of the base, as
a chemist writes them and as the tiles show them, and it may be wrong or unfinished (a formula half typed). All
functions here are pure: draft in, draft out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from app import rules
from app.components.periodic_table import TableState
from app.rules import Rule
from core.chemistry import elements
from core.chemistry.composition import whole_counts
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.problem.presets import PRESETS, preset_of
from core.problem.problem import BEST, DesignProblem, Models
from core.problem.settings import GRADIENT, ONE_STATE, RAISE_TC, SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site, atoms_after, kept
from core.screening.charge_neutrality import balancing_states
from core.screening.oxidation_states import proposed_state

FIRST_BASE = "LaFeAsO"  # the paper's own first example
FIRST_FLOOR = 0.1


@cache
def forbidden_at_first() -> frozenset[str]:
    """What a first visit finds forbidden: noble gases and radioactive elements."""
    return frozenset(e.symbol for e in elements.all_elements() if e.noble_gas or e.radioactive)


@dataclass(frozen=True)
class Draft:
    """State of the design page.

    amounts : of the last base that could be read, so that a typing error does not empty the table
    sites : what the task "substitute" replaces; those elements are the substituted ones of the table
    floors : symbol -> least fraction of all atoms; of the task "raise Tc", and set aside by the other
    rules : bounds, groups and ratios, as typed
    set_aside : what was fixed in the other task, given back when the user returns to it
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
    method: str = GRADIENT
    floors: Mapping[str, float] = field(default_factory=dict)
    charge_rule: str = ONE_STATE
    rules: tuple[Rule, ...] = ()
    set_aside: Mapping[str, float] = field(default_factory=dict)

    @property
    def atoms(self) -> float:
        """Atoms per formula unit of the base."""
        return sum(self.amounts.values())

    @property
    def atoms_after(self) -> float:
        """The same when the sites are replaced: one that is left empty loses its atoms. Those of the base where none
        would be left, so that the draft can be shown with what is wrong with it."""
        return atoms_after(self.amounts, self.sites if self.task == SUBSTITUTE else ()) or self.atoms

    def problem(self) -> DesignProblem:
        """What is asked for, with amounts as fractions of all atoms."""
        substitute = self.task == SUBSTITUTE
        fixed = dict(self.table.fixed)
        if substitute:  # what a site gives up in part stays in part
            fixed |= {s: x for s, x in kept(self.amounts, self.sites).items() if s in _elements(self.sites)}
        fixed = {symbol: amount / self.atoms_after for symbol, amount in fixed.items()}
        if dict(self.table.fixed) == _fixed_by_default(self.task, self.amounts, self.sites):
            fixed = None  # the task's own default, which follows the base
        asked = rules.read(self.rules)
        return DesignProblem(
            base=self.base,
            task=self.task,
            fixed=fixed,
            forbidden=tuple(s for s in elements.symbols() if s in self.table.forbidden),
            sites=self.sites if substitute else (),
            settings=self.settings,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
            tc_predictor=self.models.tc,
            formation_energy_predictor=self.models.formation_energy,
            method=self.method,
            floors={} if substitute else dict(self.floors),
            charge_rule=self.charge_rule,
            bounds=asked.bounds,
            groups=asked.groups,
            ratios=asked.ratios,
        )


def first_draft() -> Draft:
    """What a first visit shows."""
    return draft_of(DesignProblem(base=FIRST_BASE, forbidden=tuple(sorted(forbidden_at_first()))))


def draft_of(problem: DesignProblem) -> Draft:
    """The draft that shows this problem. Its base must be readable: raises InputError."""
    amounts = parse_formula(problem.base)
    sites = tuple(site for site in problem.sites if site.element in amounts)
    substituted = set(_elements(sites)) if problem.task == SUBSTITUTE else set()
    if problem.fixed is None:
        fixed = _fixed_by_default(problem.task, amounts, sites)
    else:  # rounded, because 1/3 of 3 atoms is 1 atom
        atoms = problem.atoms_after()
        fixed = {symbol: round(x * atoms, 9) for symbol, x in problem.fixed.items() if symbol not in substituted}
    return Draft(
        base=problem.base,
        amounts=amounts,
        task=problem.task,
        table=_table(set(problem.forbidden), fixed, substituted),
        sites=sites,
        settings=problem.settings,
        seed=problem.seed,
        device=problem.device,
        precision=problem.precision,
        models=Models(problem.tc_predictor, problem.formation_energy_predictor),
        method=problem.method,
        floors=dict(problem.floors),
        rules=rules.rules_of(problem),
        charge_rule=problem.charge_rule,
    )


def with_base(draft: Draft, base: str) -> Draft:
    """Another base. What was fixed as an amount of the old base follows the new one; other fixed fractions stay."""
    try:
        amounts = parse_formula(base)
    except InputError:
        return replace(draft, base=base)
    scale = sum(amounts.values()) / draft.atoms
    fixed = {}
    for symbol, amount in draft.table.fixed.items():
        if amount != draft.amounts.get(symbol):
            fixed[symbol] = round(amount * scale, 9)
        elif symbol in amounts:
            fixed[symbol] = amounts[symbol]
    moved = replace(draft, base=base, amounts=amounts, set_aside={})
    if draft.task == RAISE_TC:
        return replace(moved, table=_table(draft.table.forbidden, fixed, set()))
    return with_elements(replace(moved, sites=_of_base(draft.sites, amounts)), _first_choice(draft.sites, amounts))


def with_task(draft: Draft, task: str) -> Draft:
    """The other task; what is fixed is set aside, and what was set aside comes back."""
    if task == draft.task:
        return draft
    before = dict(draft.table.fixed)
    moved = replace(draft, task=task, set_aside=before)
    if task == RAISE_TC:
        return replace(moved, table=_table(draft.table.forbidden, draft.set_aside, set()))
    return with_elements(moved, _first_choice(draft.sites, draft.amounts))


def _of_base(sites: tuple[Site, ...], amounts: Mapping[str, float]) -> tuple[Site, ...]:
    """The sites that another base has too, with all of its atoms."""
    return tuple(replace(site, atoms=None) for site in sites if site.element in amounts)


def _first_choice(sites: tuple[Site, ...], amounts: Mapping[str, float]) -> list[str]:
    """What to replace in a base: the same elements as before, or the obvious one."""
    same = [symbol for symbol in _elements(sites) if symbol in amounts]
    first = first_target(amounts)
    return same or ([first] if first else [])


def _elements(sites: tuple[Site, ...]) -> list[str]:
    return [site.element for site in sites]


def with_elements(draft: Draft, replaced: Collection[str]) -> Draft:
    """Substitute these elements of the base, new ones by others of the state that they have in it; the rest is kept."""
    before = {site.element: site for site in draft.sites}
    sites = tuple(
        before.get(symbol) or Site(symbol, proposed_state(draft.amounts, symbol))
        for symbol in draft.amounts if symbol in replaced
    )  # fmt: skip
    fixed = _fixed_by_default(SUBSTITUTE, draft.amounts, sites)
    return replace(draft, table=_table(draft.table.forbidden, fixed, set(_elements(sites))), sites=sites)


def with_site(draft: Draft, symbol: str, name: str, value: float) -> Draft:
    """One site with another value of one of its fields; what is usual (the same state, all atoms) is not stored."""
    usual = {"by": next(s.state for s in draft.sites if s.element == symbol), "atoms": draft.amounts[symbol]}
    stored = None if value == usual.get(name) else value
    sites = tuple(replace(s, **{name: stored}) if s.element == symbol else s for s in draft.sites)
    return replace(draft, sites=sites)


def with_table(draft: Draft, table: TableState) -> Draft:
    """What was clicked on the table; an element that is substituted no more is no site any more."""
    if draft.task == SUBSTITUTE and table.substituted - draft.table.substituted:
        return with_elements(draft, table.substituted)
    sites = draft.sites
    if draft.task == SUBSTITUTE:
        sites = tuple(site for site in sites if site.element in table.substituted)
    return replace(draft, table=replace(table, fixed=_amounts_of_base(draft, table.fixed)), sites=sites)


def _amounts_of_base(draft: Draft, fixed: Mapping[str, float]) -> dict[str, float]:
    """An element of the base that was fixed just now (at 1 atom) gets as many atoms as it has in the base."""
    return {
        symbol: draft.amounts.get(symbol, amount) if amount == 1 and symbol not in draft.table.fixed else amount
        for symbol, amount in fixed.items()
    }


def with_floors(draft: Draft, symbols: Collection[str]) -> Draft:
    """Floors for these elements and no others; a new one begins at FIRST_FLOOR."""
    return replace(draft, floors={symbol: draft.floors.get(symbol, FIRST_FLOOR) for symbol in symbols})


def with_floor(draft: Draft, symbol: str, fraction: float) -> Draft:
    """Another floor for this element, as a fraction of all atoms."""
    return replace(draft, floors={**draft.floors, symbol: fraction})


def with_preset(draft: Draft, name: str) -> Draft:
    """The settings of a preset with its floors and its rule of the charges; the floors of the one before go.

    An element that gets a floor is not forbidden or fixed any more: it was chosen by name.
    """
    preset = PRESETS[name]
    before = preset_of(draft.settings, draft.floors, draft.charge_rule)
    gone = PRESETS[before].floors if before else {}
    floors = {s: x for s, x in draft.floors.items() if gone.get(s) != x} | dict(preset.floors)
    table = draft.table
    if draft.task == RAISE_TC:
        fixed = {s: x for s, x in table.fixed.items() if s not in preset.floors}
        table = replace(table, fixed=fixed, forbidden=table.forbidden - set(preset.floors))
    return replace(draft, settings=preset.settings, charge_rule=preset.charge_rule, floors=floors, table=table)


def with_fresh_table(draft: Draft) -> Draft:
    """The table of a first visit: noble gases and radioactive elements forbidden, fixed what the task fixes."""
    fixed = _fixed_by_default(draft.task, draft.amounts, draft.sites)
    return replace(draft, table=_table(forbidden_at_first(), fixed, set(draft.table.substituted)))


def first_target(amounts: Mapping[str, float]) -> str | None:
    """The element whose substitution is the obvious first try: the most electropositive one."""
    facts = [elements.element(symbol) for symbol in amounts]
    known = [e for e in facts if e.electronegativity is not None]
    return min(known, key=lambda e: e.electronegativity).symbol if known else None


def possible_states(amounts: Mapping[str, float], symbol: str) -> tuple[int, ...]:
    """All states of an element of the base with which the base can balance, whatever (one) state the others take."""
    return _possible_states(tuple(amounts.items())).get(symbol, ())


@cache
def _possible_states(amounts: tuple[tuple[str, float], ...]) -> dict[str, tuple[int, ...]]:
    counts = whole_counts(dict(amounts))
    return {} if counts is None else balancing_states(counts)


def _fixed_by_default(task: str, amounts: Mapping[str, float], sites: tuple[Site, ...]) -> dict[str, float]:
    """What a task fixes by itself: nothing, or the elements of the base that are no site."""
    if task == RAISE_TC:
        return {}
    return {symbol: amount for symbol, amount in amounts.items() if symbol not in _elements(sites)}


def _table(forbidden: set | frozenset, fixed: Mapping[str, float], substituted: set) -> TableState:
    """A table in which fixed and substituted elements are not forbidden as well."""
    return TableState(frozenset(forbidden) - set(fixed) - substituted, dict(fixed), frozenset(substituted))
