"""How many formula units the cells of a formula have, by the structures that are proposed for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from core.chemistry.composition import whole_counts
from core.errors import InputError

if TYPE_CHECKING:
    from core.structures.prototypes import Proposal, StructureFinder

_PROPOSALS = 10  # that are looked at


def units_of(proposals: Iterable[Proposal], counts: Mapping[str, int], most_atoms: int) -> list[int]:
    """The formula units in the cells of proposals with exactly this formula, each once, in their order.

    counts : atoms in lowest terms; most_atoms : in a cell, larger ones are left out
    """
    size = sum(counts.values())
    cells = [each.structure for each in proposals if each.structure.lowest_terms == dict(counts)]
    fitting = [len(cell.symbols) // size for cell in cells if len(cell.symbols) <= most_atoms]
    return list(dict.fromkeys(fitting))


def likeliest_units(finder: StructureFinder, amounts: Mapping[str, float], most_atoms: int) -> int:
    """The formula units in the cell of the likeliest proposal that fits; 1 if none does.

    amounts : atoms per formula unit, which need not be in lowest terms: with twice the atoms half the units, at least
        1; 1 also for amounts that are not whole
    """
    counts = whole_counts(amounts)
    multiple = round(sum(amounts.values()) / sum(counts.values())) if counts is not None else 0
    if counts is None or multiple == 0:
        return 1
    try:
        found = units_of(finder.find(counts, _PROPOSALS), counts, most_atoms)
    except InputError:  # no known structure
        return 1
    return next((units // multiple for units in found if units % multiple == 0), 1)
