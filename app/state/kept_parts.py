"""Changes of a draft that keep the base or its family. Pure functions: draft in, draft out."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from app.forms.constraint_rows import ConstraintRow
from app.state.draft import Draft
from core.chemistry.composition import composition_vector
from core.chemistry.families import DEFINING, HYDRIDE, HYDROGEN_RICH, families

LEAST_OF_FAMILY = 0.1  # of all atoms, for each part of what defines a family; less if the base has less


def family_of_base(draft: Draft) -> str:
    """The family of the last readable base, one of `core.chemistry.families.FAMILIES`."""
    return str(families(composition_vector(draft.amounts)[None])[0])


def defining_elements(draft: Draft) -> list[str]:
    """The elements of the base that make it a member of its family: Fe and As of LaFeAsO; none of other families."""
    members = {symbol for part in DEFINING[family_of_base(draft)] for symbol in part}
    return [symbol for symbol in draft.amounts if symbol in members]


def with_fixed(draft: Draft, symbols: Collection[str]) -> Draft:
    """Elements of the base fixed at their amounts; they are no longer forbidden and have no bounds of their own."""
    fixed = {**draft.table.fixed, **{symbol: draft.amounts[symbol] for symbol in symbols}}
    table = replace(draft.table, fixed=fixed, forbidden=draft.table.forbidden - set(symbols))
    floors = {symbol: x for symbol, x in draft.floors.items() if symbol not in symbols}
    rows = tuple(row for row in draft.constraint_rows if row.elements not in symbols)
    return replace(draft, table=table, floors=floors, constraint_rows=rows)


def with_nothing_fixed(draft: Draft) -> Draft:
    """No element fixed."""
    return replace(draft, table=replace(draft.table, fixed={}))


def within_family(draft: Draft) -> Draft:
    """Minimum amounts of what defines the family of the base: every formula is then of that family.

    One row of bounds for each part of the definition that no fixed element meets already. The minimum is
    LEAST_OF_FAMILY, in hydrides HYDROGEN_RICH, or the fraction in the base if that is less.
    """
    family, rows = family_of_base(draft), list(draft.constraint_rows)
    forbidden = set(draft.table.forbidden)
    for part in DEFINING[family]:
        if set(part) & set(draft.table.fixed):
            continue
        names = ", ".join(part)
        wanted = HYDROGEN_RICH if family == HYDRIDE else LEAST_OF_FAMILY
        in_base = sum(draft.amounts.get(symbol, 0) for symbol in part) / draft.atoms
        least = min(wanted, math.floor(1000 * in_base) / 1000)
        before = next((row for row in rows if row.elements == names), ConstraintRow(names))
        rows = [row for row in rows if row != before]
        rows.append(replace(before, least=max(before.least or 0.0, least)))
        forbidden -= {symbol for symbol in part if symbol in draft.amounts}
    table = replace(draft.table, forbidden=frozenset(forbidden))
    return replace(draft, table=table, constraint_rows=tuple(rows))
