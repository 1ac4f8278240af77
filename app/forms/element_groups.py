"""Groups of elements that one click forbids or allows. Pure functions on the state of the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.components.periodic_table.table_state import TableState
from core.chemistry import elements

_FLAGS = ("noble_gas", "radioactive", "rare_earth", "toxic", "precious")  # of an Element
_LABELS = {"noble_gas": "noble gases", "rare_earth": "rare earths"}


def element_groups(unseen: Collection[str]) -> dict[str, frozenset[str]]:
    """Label -> symbols of all groups, in the order of the page. unseen : elements in no known superconductor"""
    groups = {
        _LABELS.get(flag, flag): frozenset(e.symbol for e in elements.all_elements() if getattr(e, flag))
        for flag in _FLAGS
    }
    return groups | {"never seen in superconductors": frozenset(unseen)}


def lacking_state(state: int | None) -> frozenset[str]:
    """The elements that cannot take this oxidation state; none for None."""
    if state is None:
        return frozenset()
    return frozenset(elements.symbols()) - set(elements.with_oxidation_state(state))


def is_forbidden(table: TableState, group: Collection[str], available: Collection[str]) -> bool:
    """Whether all available elements of the group are forbidden, except fixed and substituted ones; at least one."""
    relevant = (set(group) & set(available)) - set(table.fixed) - table.substituted
    return bool(relevant) and relevant <= table.forbidden


def highlighted(
    table: TableState, groups: Mapping[str, Collection[str]], available: Collection[str], chosen: Collection[str]
) -> list[str]:
    """Labels of the groups to show as forbidden.

    A group that other forbidden groups cover is shown only if the user chose it.
    """
    found = [name for name, group in groups.items() if is_forbidden(table, group, available)]
    for name in [n for n in reversed(found) if n not in chosen]:
        others = set().union(*(groups[other] for other in found if other != name))
        if set(groups[name]) & set(available) <= others:
            found.remove(name)
    return found


def forbid(table: TableState, group: Collection[str]) -> TableState:
    """Forbid a group, except for fixed and substituted elements, which the user chose individually."""
    return replace(table, forbidden=table.forbidden | (set(group) - set(table.fixed) - table.substituted))


def allow(table: TableState, group: Collection[str], others: Sequence[Collection[str]] = ()) -> TableState:
    """Allow a group again, except for elements of other forbidden groups."""
    return replace(table, forbidden=table.forbidden - set(group).difference(*others))
