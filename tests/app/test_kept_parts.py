"""Keeping the base, what defines its family, or the family."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.forms.constraint_rows import ConstraintRow
from app.state.draft import first_draft
from app.state.draft_changes import with_base
from app.state.kept_parts import defining_elements, family_of_base, with_fixed, with_nothing_fixed, within_family
from app.text.forbidden_base import forbidden_base_html
from core.generation.validation import check
from core.problem.settings import ANY_CHANGE

FIRST = first_draft()


@pytest.mark.parametrize(
    ("base", "family", "defining"),
    [
        ("LaFeAsO", "iron-based", ["Fe", "As"]),
        ("YBa2Cu3O7", "cuprate", ["Cu", "O"]),
        ("LaH10", "hydride", ["H"]),
        ("MgB2", "other", []),
    ],
)
def test_the_defining_elements_of_a_base_are_fixed_at_their_amounts(base, family, defining):
    draft = with_base(FIRST, base)
    assert (family_of_base(draft), defining_elements(draft)) == (family, defining)
    fixed = with_fixed(draft, defining)
    assert fixed.table.fixed == {symbol: draft.amounts[symbol] for symbol in defining}
    assert check(fixed.problem()) == []
    assert with_nothing_fixed(fixed) == draft


def test_a_fixed_element_is_allowed_and_has_no_bounds():
    forbidden = replace(FIRST, table=replace(FIRST.table, forbidden=FIRST.table.forbidden | {"Fe"}), floors={"Fe": 0.2})
    bound = replace(forbidden, constraint_rows=(ConstraintRow("Fe", 0.1), ConstraintRow("As, P", 0.1)))
    fixed = with_fixed(bound, ["Fe"])
    assert check(fixed.problem()) == []
    assert fixed.constraint_rows == (ConstraintRow("As, P", 0.1),) and fixed.floors == {}


@pytest.mark.parametrize("base", ["LaFeAsO", "YBa2Cu3O7", "La1.85Sr0.15CuO4", "LaH10", "Bi2Sr2Ca2Cu3O10"])
def test_the_least_amounts_of_a_family_can_be_run_and_hold_for_the_base(base):
    kept = within_family(with_base(FIRST, base))
    problem = kept.problem()
    assert check(problem) == []
    fractions = problem.base_fractions()
    for row in kept.constraint_rows:
        assert sum(fractions.get(symbol, 0) for symbol in row.elements.split(", ")) >= row.least
    assert within_family(kept) == kept


def test_a_part_of_the_family_that_is_fixed_needs_no_least_amount():
    kept = within_family(with_fixed(FIRST, ["Fe"]))
    assert [row.elements for row in kept.constraint_rows] == ["P, As, S, Se, Te"]
    assert check(kept.problem()) == []


def test_forbidden_elements_of_the_base_are_remarked_upon_with_their_share():
    assert forbidden_base_html(FIRST.problem()) == ""

    def note(symbols, **changed):
        draft = replace(FIRST, table=replace(FIRST.table, forbidden=frozenset(symbols)))
        return forbidden_base_html(replace(draft, settings=replace(draft.settings, **changed)).problem())

    assert "As of" in note({"As", "Hg"}) and "at least 25% of the atoms." in note({"As"})
    assert "La and Fe of" in note({"La", "Fe"}) and "find nothing" in note({"La", "Fe"})
    assert "find nothing" not in note({"La", "Fe"}, change=ANY_CHANGE)
