"""Doped notation against compositions whose doping is known."""

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.evaluation.doped_notation import DopedNotation, Parents, element_order, known_parents, whole_atoms

FORMULAS = ("LaFeAsO", "YBa2Cu3O7", "La2CuO4", "Nb3Sn", "LaH10", "MgB2", "BaFe2As2", "NbN", "Nb", "La5Fe5As5O3")


@pytest.fixture(scope="module")
def parents() -> Parents:
    return Parents(FORMULAS, compositions(FORMULAS))


@pytest.mark.parametrize(
    ("formula", "parent", "doped", "defects", "changed"),
    [
        ("La10Fe10As10O9F", "LaFeAsO", "LaFeAsO0.9F0.1", "", 0.1 / 4),
        ("La8Sm2Fe10As9PO10", "LaFeAsO", "La0.8Sm0.2FeAs0.9P0.1O", "", 0.3 / 4),
        ("La1.85Sr0.15CuO4", "La2CuO4", "La1.85Sr0.15CuO4", "", 0.15 / 7),
        ("La2CuO4.1", "La2CuO4", "La2CuO4.1", "0.1 O in excess", 0.1 / 7),
        ("YBa2Cu3O6.5", "YBa2Cu3O7", "YBa2Cu3O6.5", "7% of the O sites vacant", 0.5 / 13),
        ("Ba3KFe8As8", "BaFe2As2", "Ba0.75K0.25Fe2As2", "", 0.05),
        ("Mg9AlB20", "MgB2", "Mg0.9Al0.1B2", "", 0.1 / 3),
        ("Mg10B19C", "MgB2", "MgB1.9C0.1", "", 0.1 / 3),
        ("NbN0.9", "NbN", "NbN0.9", "10% of the N sites vacant", 0.05),
        ("LaH9", "LaH10", "LaH9", "10% of the H sites vacant", 1 / 11),
        ("La4YH50", "LaH10", "La0.8Y0.2H10", "", 0.2 / 11),
        ("Nb31Sn9", "Nb3Sn", "Nb3.1Sn0.9", "Nb on Sn sites", 0.1 / 4),
        ("Nb30Sn9Ge", "Nb3Sn", "Nb3Sn0.9Ge0.1", "", 0.1 / 4),
        ("Gd2La5Fe7As6O5", "LaFeAsO", "La0.71Gd0.29FeAs0.86O0.71",
         "14% of the As sites vacant, 29% of the O sites vacant", (2 + 1 + 2) / 28),
    ],
)  # fmt: skip
def test_a_doped_compound(parents, formula, parent, doped, defects, changed):
    found = parents.notation(compositions([formula])[0])
    assert found is not None
    assert (found.parent, found.formula, found.defects) == (parent, doped, defects)
    assert found.changed == pytest.approx(changed, abs=1e-6)


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("La3Sm3Fe6As6O2F4", "F has the majority of the O sites"),
        ("Mg2LiB6", "Li and Mg are not neighbours on the scale"),
        ("NbN0.4", "more than half of the N sites would be vacant"),
        ("MgB1.4C0.6Si", "elements in excess"),
        ("LaFe0.6AsO", "too many vacant sites of a metal"),
        ("Nb3Ge", "an element of the parent is missing"),
        ("Nb9Ti", "elements are not parents"),
        ("Sm9LaFe10As10O10", "the dopant has the majority"),
        ("La14Ce2Pr2Nd2Fe20As20O19F", "more than three dopants"),
    ],
)
def test_no_doped_compound(parents, formula, why):
    assert parents.notation(compositions([formula])[0]) is None, why


def test_a_parent_is_not_doped(parents):
    assert parents.notation(compositions(["Ba2YCu3O7"])[0]) == DopedNotation("YBa2Cu3O7", "", "", 0.0)


def test_the_quick_choice_of_parents_leaves_out_none(parents, monkeypatch):
    formulas = ["Gd2La5Fe7As6O5", "La8Sm2Fe10As9PO10", "YBa2Cu3O6.5", "Nb31Sn9", "LaH9", "Nb11Ti", "La2Cu0.9Zn0.1O4.2"]
    quick = [parents.notation(x) for x in compositions(formulas)]
    monkeypatch.setattr(Parents, "_possible", lambda self, x: self.all_inside(x))
    monkeypatch.setattr(
        Parents, "all_inside", lambda self, x: [i for i, row in enumerate(self._counts) if (x[row > 0] > 0).all()],
        raising=False,
    )  # fmt: skip
    assert [parents.notation(x) for x in compositions(formulas)] == quick and any(quick)


def test_the_simpler_parent_is_preferred_to_one_that_is_doped_itself(parents):
    found = parents.notation(compositions(["La2Tm2Fe4As4O3"])[0])
    assert found is not None and (found.parent, found.formula) == ("LaFeAsO", "La0.5Tm0.5FeAsO0.75")


def test_parents_are_whole_formulas_of_several_elements_and_each_is_kept_once():
    formulas = ("Nb", "Nb3Sn", "Nb0.75Sn0.25", "La1.85Sr0.15CuO4", "MgB2")
    assert len(Parents(formulas, compositions(formulas))) == 2


def test_whole_atoms_in_lowest_terms():
    counts = whole_atoms(compositions(["Nb6Sn2", "B2Mg", "Nb0.9Sn0.1", "La1.85Sr0.15CuO4"]).astype(np.float32), most=10)
    assert [sorted(row[row > 0].tolist()) for row in counts] == [[1, 3], [1, 2], [1, 9], []]


def test_elements_stand_as_chemists_write_them():
    assert element_order("YBa2Cu3O7") == ["Y", "Ba", "Cu", "O"]  # as in the source
    assert element_order("AsFeGdO") == ["Gd", "Fe", "As", "O"]  # an alphabetical list
    assert element_order("B2Mg") == ["Mg", "B"] and element_order("O3Y2") == ["Y", "O"]


def test_the_shipped_parents_and_the_base():
    x = compositions(["Sm9Fe10As10O9F", "Sm9LaFe10As10O9F"])
    assert len(known_parents()) > 10_000
    found = known_parents().notation(x[1])
    assert found is not None and (found.parent, found.formula) == ("SmFeAsO", "Sm0.9La0.1FeAsO0.9F0.1")
    new = "Cs2KBi3Te7"  # no known compound
    assert known_parents().notation(compositions(["Cs20K10Bi30Te69Se"])[0]) is None
    doped = known_parents(new).notation(compositions(["Cs20K10Bi30Te69Se"])[0])
    assert doped is not None and doped.formula == "Cs2KBi3Te6.9Se0.1"
