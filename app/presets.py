"""Groups of elements that one click forbids or allows again. Pure functions on the table's state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from app.components.periodic_table import TableState
from core.chemistry import elements


@dataclass(frozen=True)
class Preset:
    """A group of elements that can be kept out.

    label : on its button, after “Leave out”; symbols : what it keeps out
    """

    label: str
    symbols: frozenset[str]


def presets(unseen: Collection[str]) -> tuple[Preset, ...]:
    """All groups, in the order of the page. `unseen`: elements that occur in no known superconductor."""
    return (
        _flagged("noble gases", "noble_gas"),
        _flagged("radioactive", "radioactive"),
        _flagged("rare earths", "rare_earth"),
        _flagged("toxic", "toxic"),
        _flagged("precious", "precious"),
        Preset("never seen in superconductors", frozenset(unseen)),
    )


def only_with_state(state: int | None) -> frozenset[str]:
    """What to forbid so that only elements with this oxidation state are left; nothing for None."""
    if state is None:
        return frozenset()
    return frozenset(elements.symbols()) - set(elements.with_oxidation_state(state))


def active(table: TableState, group: Collection[str], available: Collection[str]) -> bool:
    """Whether the group is kept out: nothing of it that could be used is allowed, and something is forbidden."""
    at_stake = (set(group) & set(available)) - set(table.fixed) - table.substituted
    return bool(at_stake) and at_stake <= table.forbidden


def lit(
    table: TableState, groups: Mapping[str, Collection[str]], available: Collection[str], wanted: Collection[str]
) -> list[str]:
    """Names of the groups to show as left out: those in effect, but not one that others in effect cover anyway,
    unless it was asked for by name."""
    found = [name for name, group in groups.items() if active(table, group, available)]
    for name in [n for n in reversed(found) if n not in wanted]:
        others = set().union(*(groups[other] for other in found if other != name))
        if set(groups[name]) & set(available) <= others:
            found.remove(name)
    return found


def keep_out(table: TableState, group: Collection[str]) -> TableState:
    """Forbid a group; what is fixed or substituted stays so, because it was chosen by name."""
    return replace(table, forbidden=table.forbidden | (set(group) - set(table.fixed) - table.substituted))


def let_in(table: TableState, group: Collection[str], others: Sequence[Collection[str]] = ()) -> TableState:
    """Allow a group again, except for what another active group keeps out."""
    return replace(table, forbidden=table.forbidden - set(group).difference(*others))


def _flagged(label: str, flag: str) -> Preset:
    return Preset(label, frozenset(e.symbol for e in elements.all_elements() if getattr(e, flag)))
