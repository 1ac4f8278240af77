"""What it means that elements of the base are forbidden, in words. Pure functions."""

from __future__ import annotations

from app.text.html import formula_html
from core.chemistry.formula_reader import parse_formula
from core.problem.problem import DesignProblem
from core.problem.settings import NEAR, RAISE_TC


def forbidden_base_html(problem: DesignProblem) -> str:
    """A remark if elements of the base are forbidden; empty otherwise. The base must be readable."""
    if problem.task != RAISE_TC:
        return ""
    amounts = parse_formula(problem.base)
    lost = [symbol for symbol in amounts if symbol in problem.forbidden]
    if not lost:
        return ""
    share = sum(amounts[symbol] for symbol in lost) / sum(amounts.values())
    names, are = " and ".join(filter(None, (", ".join(lost[:-1]), lost[-1]))), "is" if len(lost) == 1 else "are"
    forbidden = f"{names} of {formula_html(problem.base)} {are} forbidden"
    differs = f"{forbidden}: every formula differs from the base in at least {share:.0%} of the atoms"
    if problem.settings.change == NEAR and share > problem.settings.most_changed:
        most = f"{problem.settings.most_changed:.0%}"
        return f"{differs}, but only {most} may be exchanged. <b>The run will find nothing</b>; propose “New only”."
    return f"{differs}."
