"""Where a candidate comes from: its base, the run that found this base from another one, and so on."""

from __future__ import annotations

from core.campaigns.query import CandidateQueries
from core.chemistry.composition import formula_of, whole_counts
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError

MOST_STEPS = 20


def lineage(queries: CandidateQueries, formula: str) -> tuple[str, ...]:
    """The bases that lead to a composition, the first base first and the composition last.

    Of several runs that found a composition, the one with the highest Tc minus its error counts. The line ends at a
    base that no run has found, or that is in the line already, and after MOST_STEPS. Without a run that found the
    formula it is alone.
    """
    line = [formula]
    while len(line) <= MOST_STEPS:
        found = next(filter(None, (_base_of(queries, name) for name in _spellings(line[0]))), None)
        if found is None or {found, *_spellings(found)} & set(line):
            break
        line.insert(0, found)
    return tuple(line)


def formula_condition(formula: str) -> str:
    """The condition on candidates that they have this formula."""
    return "formula = '" + formula.replace("'", "''") + "'"


def _base_of(queries: CandidateQueries, formula: str) -> str | None:
    rows = queries.select(formula_condition(formula), most=1, columns=["base"]).to_pylist()
    return rows[0]["base"] if rows else None


def _spellings(formula: str) -> tuple[str, ...]:
    """The formula of a base as tables of candidates may have it: as given, ordered, with whole numbers."""
    try:
        amounts = parse_formula(formula)
    except InputError:
        return (formula,)
    whole = whole_counts(amounts)
    return tuple(dict.fromkeys((formula, formula_of(amounts), *((formula_of(whole),) if whole else ()))))
