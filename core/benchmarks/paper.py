"""The published figures (assets/papers.json), and constants of the protocol (KIAGO sections 3.1 to 3.6)."""

from __future__ import annotations

import json
from functools import cache

from core.errors import InputError
from core.paths import ASSETS

KIAGO, C_ES, SUPERDIFF, GUIDED = "KIAGO", "C-ES", "SuperDiff", "SuperDiff with guidance"
OURS = (KIAGO, C_ES)
DIFFUSION = (SUPERDIFF, GUIDED)
METHODS = (*OURS, *DIFFUSION)
TOP = 30  # tables 2 and 7 report the mean of this many candidates
INTEGER_MATERIALS = 15  # table 1 does not name its materials: those of table 2 and the first of table 5 are used


@cache
def figures() -> dict:
    """Table name -> rows, as in the file."""
    return json.loads((ASSETS / "papers.json").read_text(encoding="utf-8"))


def rows(table: str, bases: tuple[str, ...] = ()) -> list[dict]:
    """The rows of a table; with `bases`, only the rows of these materials. Raises InputError for an unknown base."""
    found = figures()[table]
    if not bases:
        return found
    chosen = _chosen(tuple(row["base"] for row in found), bases)
    return [row for row in found if row["base"] in chosen]


def integer_materials(bases: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Our materials for table 1; with `bases`, only these. Raises InputError for an unknown base."""
    names = tuple(dict.fromkeys(row["base"] for table in ("table2", "substitution") for row in rows(table)))
    return _chosen(names[:INTEGER_MATERIALS], bases)


def _chosen(names: tuple[str, ...], bases: tuple[str, ...]) -> tuple[str, ...]:
    for base in bases:
        if base not in names:
            raise InputError("bases", base, "this table has no such base", f"Choose from {', '.join(names)}")
    return tuple(name for name in names if not bases or name in bases)
