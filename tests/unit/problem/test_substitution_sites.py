"""Substitution sites: kept and replacement atoms, charge balance, error messages; expected values by hand."""

import pytest

from core.chemistry import elements
from core.problem.substitution_sites import (
    EMPTY,
    Replacement,
    Site,
    atoms_after,
    check_sites,
    excess_charge,
    incoming,
    kept,
    takers,
    without_return,
)

LAFEASO = {"La": 1.0, "Fe": 1.0, "As": 1.0, "O": 1.0}
TI2O4 = {"Ti": 2.0, "O": 4.0}
PAPER = (Site("Ti", 4, by=3), Site("O", -2, by=EMPTY, atoms=1))  # KIAGO 3.5: 2 Ti4+ and one O2- by two X3+


def test_example_of_the_paper():
    """Ti2O4 loses +8 - 2 = +6 and gains 2 x 3 = +6; X2O3 has five atoms."""
    assert kept(TI2O4, PAPER) == {"O": 3.0} and incoming(TI2O4, PAPER) == {Replacement(3): 2.0}
    assert atoms_after(TI2O4, PAPER) == 5 and excess_charge(TI2O4, PAPER) == 0
    assert check_sites(TI2O4, PAPER) == []


def test_by_default_a_site_replaces_all_atoms_by_the_same_state():
    site = Site("La", 3)
    assert site.replacement == 3 and site.atoms_in(LAFEASO) == 1
    assert Site("La", 3, by=2, atoms=0.5).replacement == 2 and Site("La", 3, atoms=0.5).atoms_in(LAFEASO) == 0.5
    assert Site("La", 3, by=EMPTY).replacement == EMPTY and Site("La").replacement is None
    assert kept(LAFEASO, (site,)) == {"Fe": 1.0, "As": 1.0, "O": 1.0}
    assert kept(LAFEASO, (Site("La", 3, atoms=0.4),))["La"] == pytest.approx(0.6)


def test_without_sites_the_base_is_unchanged():
    assert kept(LAFEASO, ()) == LAFEASO and incoming(LAFEASO, ()) == {} and atoms_after(LAFEASO, ()) == 4


def test_sites_with_the_same_replacement_state_are_merged():
    assert incoming({"La": 1.0, "Y": 2.0, "O": 4.5}, (Site("La", 3), Site("Y", 3))) == {Replacement(3): 3.0}


def test_charges_of_several_sites_add_up():
    """La3+ by X2+ changes the charge by -1, O2- by X1- by +1."""
    both = (Site("La", 3, by=2), Site("O", -2, by=-1))
    assert [excess_charge(LAFEASO, sites) for sites in (both[:1], both[1:], both)] == [-1, 1, 0]


def test_sites_with_different_groups_of_replacements_stay_apart():
    sites = (Site("La", 3), Site("Y", 3, among="metals"))
    assert incoming({"La": 1.0, "Y": 2.0, "O": 4.5}, sites) == {Replacement(3): 1.0, Replacement(3, "metals"): 2.0}


@pytest.mark.parametrize("state", [3, 2, -2, -3])
def test_metals_and_non_metals_are_together_all_elements_of_a_state(state):
    metals, others = (Replacement(state, among).symbols() for among in ("metals", "non_metals"))
    assert sorted(metals + others) == sorted(takers(state)) and not set(metals) & set(others)
    assert Replacement(state).symbols() == takers(state)


def test_non_metals_of_a_cation_state_are_no_replacement_for_a_metal():
    assert {"Y", "Ce", "Bi", "Fe"} <= set(Replacement(3, "metals").symbols())
    assert {"N", "P", "As"} <= set(Replacement(3, "non_metals").symbols())
    assert str(Replacement(3, "non_metals")) == "+3 non-metals" and str(Replacement(-2)) == "-2"


def test_by_default_an_element_may_return():
    assert without_return((Site("La", 3), Site("O", -2, may_return=False))) == {"O"}
    assert (Site("La").among, Site("La").may_return) == ("any", True)


def test_replacements_have_the_state_in_smact14_and_anions_are_no_transition_metals():
    assert takers(3) == elements.with_oxidation_state(3)
    anions = takers(-2)
    assert {"O", "S", "Se", "Te"} <= set(anions) < set(elements.with_oxidation_state(-2))
    assert all(s == "H" or elements.element(s).block == "p" for s in anions)
    assert "H" in takers(-1) and takers(-8) == ()


@pytest.mark.parametrize(
    ("sites", "value", "words"),
    [
        ((), None, "no element is chosen"),
        ((Site("Y", 3),), "Y", "the element is not in the base"),
        ((Site("La"),), "La", "no oxidation state is chosen"),
        ((Site("La", 0),), 0, "except 0"),
        ((Site("La", 9),), 9, "from -8 to 8"),
        ((Site("La", 3, by=9),), 9, "0 leaves the site vacant"),
        ((Site("La", True),), True, "a whole number"),
        ((Site("La", -8),), -8, "no element has this oxidation state"),
        ((Site("La", 3), Site("La", 3)), "La", "listed twice"),
        ((Site("La", 3, among="alloys"),), "alloys", "unknown group of replacements"),
        ((Site("La", 3, among=["metals"]),), "['metals']", "Choose any, metals or non_metals"),
        ((Site("La", 3, may_return="no"),), "no", "must be true or false"),
        ((Site("La", -8, among="metals"),), -8, "no element has this oxidation state"),
        ((Site("La", 3, atoms=2),), 2, "above 0 and at most 1"),
        ((Site("La", 3, atoms=float("nan")),), "nan", "above 0 and at most 1"),
        ((Site("La", 3, by=EMPTY), Site("O", -2, by=EMPTY)), "La, O", "all sites would be vacant"),
        ((Site("La", 3, by=2),), "-1", "Replace La by +3"),
        ((Site("La", 3, by=2), Site("O", -2)), "-1", "Replace O by -1"),
        ((Site("La", 3, by=2, atoms=0.3), Site("O", -2, by=-1, atoms=0.4)), "+0.1", "Change a state or a number"),
    ],
)
def test_messages(sites, value, words):
    (error,) = check_sites(LAFEASO, sites)
    assert error.field == "sites" and words in error.message
    assert str(error.value) == str(value)


def test_at_least_one_atom_of_the_base_must_remain():
    (error,) = check_sites({"La": 1.0}, (Site("La", 3),))
    assert error.field == "base" and "no atom of the base would remain" in error.message
