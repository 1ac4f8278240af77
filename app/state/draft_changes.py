"""Every change that the design page makes to a draft. Pure functions: draft in, draft out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from app.components.periodic_table.table_state import TableState
from app.forms.element_groups import allow, forbid, lacking_state
from app.state.draft import FIRST_METHOD, Draft, elements_of, fixed_by_default, initially_forbidden, table_state
from core.chemistry import elements
from core.chemistry.composition import whole_counts
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.problem.presets import PRESETS, preset_of, with_demands_of
from core.problem.settings import RAISE_TC, SUBSTITUTE
from core.problem.substitution_sites import ANY_ELEMENT, METALS, Site
from core.screening.charge_neutrality import balancing_states
from core.screening.oxidation_states import proposed_state

FIRST_FLOOR = 0.1  # fraction of all atoms


def with_field(draft: Draft, name: str, value: object) -> Draft:
    """The draft with another value of one field."""
    return replace(draft, **{name: value})


def with_method(draft: Draft, method: str) -> Draft:
    """Another method, with the defaults of its own settings."""
    return draft if method == draft.method else replace(draft, method=method, method_settings={})


def with_method_setting(draft: Draft, name: str, value: float | int | str) -> Draft:
    """The draft with another value of one setting of its method."""
    return replace(draft, method_settings={**draft.method_settings, name: value})


# ---- base and task -----------------------------------------------------------------------------------------------


def with_base(draft: Draft, base: str) -> Draft:
    """Another base. Elements fixed at their amount in the old base follow the new one; other fixed fractions stay.

    A base that cannot be read changes nothing else but the origin, which is no longer known.
    """
    if base != draft.base:
        draft = replace(draft, origin=None)
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
    moved = replace(draft, base=base, amounts=amounts, fixed_in_other_task={})
    if draft.task == RAISE_TC:
        return replace(moved, table=table_state(draft.table.forbidden, fixed, ()))
    sites = tuple(replace(site, atoms=None) for site in draft.sites if site.element in amounts)
    return with_elements(replace(moved, sites=sites), _proposed_elements(draft.sites, amounts))


def with_task(draft: Draft, task: str) -> Draft:
    """The other task; fixed amounts are stored, and those of the other task restored."""
    if task == draft.task:
        return draft
    moved = replace(draft, task=task, fixed_in_other_task=dict(draft.table.fixed))
    if task == RAISE_TC:
        return replace(moved, table=table_state(draft.table.forbidden, draft.fixed_in_other_task, ()))
    return with_elements(moved, _proposed_elements(draft.sites, draft.amounts))


def _proposed_elements(sites: tuple[Site, ...], amounts: Mapping[str, float]) -> list[str]:
    """The elements of a base to replace: the same as before, else the most electropositive one."""
    same = [symbol for symbol in elements_of(sites) if symbol in amounts]
    first = most_electropositive(amounts)
    return same or ([first] if first else [])


def most_electropositive(amounts: Mapping[str, float]) -> str | None:
    """The element with the lowest Pauling electronegativity; None if no electronegativity is known."""
    known = [e for e in map(elements.element, amounts) if e.electronegativity is not None]
    return min(known, key=lambda e: e.electronegativity).symbol if known else None


# ---- substitution ------------------------------------------------------------------------------------------------


def with_elements(draft: Draft, replaced: Collection[str]) -> Draft:
    """Substitute these elements of the base and keep the rest.

    A new site takes other elements of the oxidation state that its element has in the base, metals for a metal cation.
    """
    before = {site.element: site for site in draft.sites}
    sites = tuple(
        before.get(symbol) or new_site(draft.amounts, symbol)
        for symbol in draft.amounts if symbol in replaced
    )  # fmt: skip
    fixed = fixed_by_default(SUBSTITUTE, draft.amounts, sites)
    return replace(draft, table=table_state(draft.table.forbidden, fixed, elements_of(sites)), sites=sites)


def new_site(amounts: Mapping[str, float], symbol: str) -> Site:
    """The site of an element of the base that a chemist would mean: the element does not come back.

    Metals take the place of a metal cation: N, P and other non-metals that can be 3+ do not take that of La 3+.
    """
    state = proposed_state(amounts, symbol)
    cation = elements.element(symbol).metal and state is not None and state > 0
    return Site(symbol, state, among=METALS if cation else ANY_ELEMENT, may_return=False)


def with_site(draft: Draft, symbol: str, name: str, value: float | str | bool) -> Draft:
    """One site with another value of one field; the default (the same state, all atoms) is stored as None."""
    default = {"by": next(s.state for s in draft.sites if s.element == symbol), "atoms": draft.amounts[symbol]}
    stored = None if value == default.get(name) else value
    sites = tuple(replace(s, **{name: stored}) if s.element == symbol else s for s in draft.sites)
    return replace(draft, sites=sites)


def possible_states(amounts: Mapping[str, float], symbol: str) -> tuple[int, ...]:
    """All states of an element of the base with which the base can balance, for some (single) states of the others."""
    return _possible_states(tuple(amounts.items())).get(symbol, ())


@lru_cache(maxsize=256)
def _possible_states(amounts: tuple[tuple[str, float], ...]) -> Mapping[str, tuple[int, ...]]:
    counts = whole_counts(dict(amounts))
    return {} if counts is None else balancing_states(counts)


# ---- periodic table ----------------------------------------------------------------------------------------------


def with_table(draft: Draft, table: TableState) -> Draft:
    """The table after a click; an element that is no longer substituted loses its site."""
    if draft.task == SUBSTITUTE and table.substituted - draft.table.substituted:
        return with_elements(draft, table.substituted)
    sites = draft.sites
    if draft.task == SUBSTITUTE:
        sites = tuple(site for site in sites if site.element in table.substituted)
    return replace(draft, table=replace(table, fixed=_amounts_of_base(draft, table.fixed)), sites=sites)


def _amounts_of_base(draft: Draft, fixed: Mapping[str, float]) -> dict[str, float]:
    """An element of the base that was just fixed (at 1 atom) gets its number of atoms in the base."""
    return {
        symbol: draft.amounts.get(symbol, amount) if amount == 1 and symbol not in draft.table.fixed else amount
        for symbol, amount in fixed.items()
    }


def with_groups(
    draft: Draft, groups: Mapping[str, Collection[str]], before: Collection[str], after: Collection[str]
) -> Draft:
    """Forbid the groups that were switched on, allow those that were switched off.

    groups : label -> symbols; before, after : labels of the groups that are forbidden
    """
    table = draft.table
    for name in set(after) - set(before):
        table = forbid(table, groups[name])
    for name in set(before) - set(after):
        table = allow(table, groups[name], [groups[other] for other in after])
    return replace(draft, table=table, chosen_groups=frozenset(after))


def with_only_state(draft: Draft, other_groups: Sequence[Collection[str]], state: int | None) -> Draft:
    """Allow what the state before excluded, then forbid the elements that cannot take the new state (None: any).

    other_groups : groups of elements that stay forbidden
    """
    table = allow(draft.table, lacking_state(draft.only_state), other_groups)
    return replace(draft, table=forbid(table, lacking_state(state)), only_state=state)


def with_initial_table(draft: Draft) -> Draft:
    """The table of a first visit, with the elements fixed that the task fixes."""
    fixed = fixed_by_default(draft.task, draft.amounts, draft.sites)
    table = table_state(initially_forbidden(), fixed, draft.table.substituted)
    return replace(draft, table=table, only_state=None, chosen_groups=frozenset())


# ---- floors and presets ------------------------------------------------------------------------------------------


def with_floors(draft: Draft, symbols: Collection[str]) -> Draft:
    """Floors for exactly these elements; a new floor starts at FIRST_FLOOR."""
    return replace(draft, floors={symbol: draft.floors.get(symbol, FIRST_FLOOR) for symbol in symbols})


def with_floor(draft: Draft, symbol: str, fraction: float) -> Draft:
    """Another floor for this element, as a fraction of all atoms."""
    return replace(draft, floors={**draft.floors, symbol: fraction})


def with_preset(draft: Draft, name: str) -> Draft:
    """The settings, floors and charge rule of a preset; floors of the preset before are removed.

    The method is that of the preset; one that another preset brought gives way to that of a first visit. What is
    demanded of the results stays. An element with a floor of the preset is neither forbidden nor fixed any longer.
    """
    preset = PRESETS[name]
    before = preset_of(draft.settings, draft.floors, draft.charge_rule)
    method = preset.method or (FIRST_METHOD if before and PRESETS[before].method == draft.method else draft.method)
    removed = PRESETS[before].floors if before else {}
    floors = {s: x for s, x in draft.floors.items() if removed.get(s) != x} | dict(preset.floors)
    table = draft.table
    if draft.task == RAISE_TC:
        fixed = {s: x for s, x in table.fixed.items() if s not in preset.floors}
        table = replace(table, fixed=fixed, forbidden=table.forbidden - set(preset.floors))
    settings = with_demands_of(preset.settings, draft.settings)
    chosen = replace(draft, settings=settings, charge_rule=preset.charge_rule, floors=floors, table=table)
    return with_method(chosen, method)
