"""Which formulas have structures by diffusion. No Streamlit here."""

from __future__ import annotations

from core.chemistry.formula_reader import parse_formula
from core.errors import InputError


def can_be_generated(formula: str) -> bool:
    """Whether a formula has whole atoms that fit into the largest cell."""
    from core.structures.diffusion.request import cell_of  # loads torch, for a link that few formulas have

    try:
        return bool(cell_of(parse_formula(formula), 1))
    except InputError:
        return False
