"""Groups of elements on the state of the table."""

from __future__ import annotations

from app.components.periodic_table.table_state import TableState
from app.forms.element_groups import allow, element_groups, forbid, highlighted, is_forbidden, lacking_state
from app.state.draft import initially_forbidden
from tests.app.problems import KNOWN


def table(forbidden="", fixed=()) -> TableState:
    return TableState(frozenset(forbidden.split()), dict.fromkeys(fixed, 1.0), frozenset())


def test_a_fixed_element_is_not_forbidden_with_its_group():
    toxic = {"As", "Hg", "Tl"}
    after = forbid(table("He", fixed=["As"]), toxic)
    assert after.forbidden == {"He", "Hg", "Tl"}
    assert is_forbidden(after, toxic, KNOWN)
    assert allow(after, toxic, [{"Tl", "Pb"}]).forbidden == {"He", "Tl"}


def test_a_group_that_others_cover_is_highlighted_only_if_it_was_chosen():
    groups = {"noble": {"Ne", "Kr"}, "radioactive": {"Tc", "U"}, "unseen": {"Kr", "Tc"}}
    known = KNOWN | {"U"}
    after = table("Ne Kr Tc U")
    assert highlighted(after, groups, known, ()) == ["noble", "radioactive"]
    assert highlighted(after, groups, known, {"unseen"}) == ["noble", "radioactive", "unseen"]
    assert highlighted(table("Ne Kr"), groups, known, {"unseen"}) == ["noble"]


def test_groups_contain_the_elements_that_their_names_promise():
    groups = element_groups({"Kr"})
    assert list(groups)[:3] == ["noble gases", "radioactive", "rare earths"]
    assert {"As", "Cd", "Hg", "Tl", "Pb", "Be"} <= groups["toxic"]
    assert {"Sc", "Y", "La", "Lu"} <= groups["rare earths"]
    assert groups["never seen in superconductors"] == {"Kr"}
    assert initially_forbidden() == groups["noble gases"] | groups["radioactive"]


def test_elements_without_an_oxidation_state():
    assert "La" not in lacking_state(3) and "Ba" in lacking_state(3)
    assert lacking_state(None) == frozenset()
