"""The vectors x_const and M_elem of a problem (KIAGO eq. 3) as text. Pure functions."""

from __future__ import annotations

from collections.abc import Collection

from app.text.formatting import replacement_text
from app.text.problem_text import amounts_text
from core.chemistry import elements
from core.problem.problem import DesignProblem


def x_const(problem: DesignProblem) -> str:
    """The fixed fractions and floors, without the zeros."""
    amounts = amounts_text(problem.least_fractions())
    return f"x_const = ({amounts}, 0 elsewhere)" if amounts else "x_const = 0"


def m_elem(problem: DesignProblem, known: Collection[str]) -> str:
    """The mask of each free part as ones and zeros, one row per period. known : the elements that all models know"""
    parts = problem.free_parts()
    texts = []
    for part, (replacement, room) in enumerate(parts):
        allowed = set(problem.allowed_symbols(known, part))
        named = len(parts) > 1 and replacement is not None
        of_part = f" for {room:.4g} of the atoms, {replacement_text(replacement)}" if named else ""
        rows = [f"M_elem{of_part}, period by period ="]
        for period in range(1, 8):
            members = [e for e in elements.all_elements() if e.period == period]
            rows.append(f"{period} " + "".join("1" if e.symbol in allowed else "0" for e in members))
        texts.append("\n".join(rows))
    return "\n".join(texts)
