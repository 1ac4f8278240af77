"""The integer formulas that a problem allows, by examples of each demand and against independent tests."""

from dataclasses import replace

import numpy as np
import pytest

from core.chemistry import elements
from core.chemistry.composition import composition_vector, whole_counts
from core.chemistry.formula_reader import parse_formula
from core.generation.search.formula_space import FormulaSpace, distinct_rows, formula_space, in_lowest_terms
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site
from core.screening.charge_neutrality import charge_balance
from core.screening.composition_distance import KnownCompositions

KNOWN = frozenset(elements.symbols()[:94])


def space(base: str = "LaFeAsO", most: int = 9, **fields) -> FormulaSpace:
    return formula_space(DesignProblem(base=base, **fields), KNOWN, most)


def cells(*formulas: str) -> np.ndarray:
    rows = np.zeros((len(formulas), elements.N_ELEMENTS), dtype=np.int64)
    for row, formula in zip(rows, formulas, strict=True):
        for symbol, count in (whole_counts(parse_formula(formula)) or {}).items():
            row[elements.element(symbol).index] = count
    return rows


@pytest.mark.parametrize(
    ("fields", "kept", "refused"),
    [
        ({}, "LaFeAsO La2Fe2As2OF", "LaFeAsOgO CmH La8Fe8As8O7"),
        ({"forbidden": ("Hg",)}, "LaFeAsO", "HgFeAsO"),
        ({"settings": OptimiserSettings(max_elements=4)}, "LaFeAsO", "LaFeAsO2F"),
        ({"settings": OptimiserSettings(n_unit=(8, 8))}, "LaFeAsO LaSrFe2As2O2 LaO", "LaO2 LaFe2As2O2"),
        ({"fixed": {"O": 0.25}}, "LaFeAsO SrBiTiO La2Fe2As2O2", "La2FeAsO LaFeAsO2"),
        ({"floors": {"H": 0.4}}, "LaH2 LaFeH2O", "LaFeAsO LaFeH"),
        ({"bounds": {"O": (0.2, 0.3)}}, "LaFeAsO LaFeAsSrO", "La2FeAsSrO LaFeO"),
        ({"groups": (Group(("O", "F"), 0.25, 0.25),)}, "LaFeAsO La2Fe2As2OF", "LaFeAsO2 LaFeAsOF"),
        ({"ratios": ({"Ba": 2, "Y": 1},)}, "Ba2YCu3O7 LaFeAsO", "BaYCu3O7 BaCuO2"),
    ],
)  # fmt: skip
def test_each_demand_by_examples(fields, kept, refused):
    tested = space(**fields)
    assert tested.keeps(cells(*kept.split())).all()
    assert not tested.keeps(cells(*refused.split())).any()


def test_fixed_elements_have_whole_atoms_within_a_percent():
    """A third, written with three digits."""
    tested = space("MgB2", fixed={"Mg": 0.333})
    assert tested.keeps(cells("MgB2", "MgBC", "Mg2B3C")).all()
    assert not tested.keeps(cells("Mg2B3", "MgB3")).any()


def test_two_sites_keep_the_atoms_of_each_oxidation_state():
    """LaFeAsO with La 3+ and O 2- replaced: S can only take the place of O, Y only that of La."""
    tested = space(task=SUBSTITUTE, sites=(Site("La", 3), Site("O", -2)))
    assert tested.keeps(cells("YFeAsO", "LaFeAsS", "LaYFe2As2OS", "NdFeAsO")).all()
    assert not tested.keeps(cells("La2FeAs", "LaFe2As", "Y2FeAs", "LaNdFe2As2S", "LaFeAsO2")).any()


def test_an_element_of_two_parts_counts_in_either():
    """Sb has the states 3+ and 3-; two parts of one atom each hold Sb2 but not three of four atoms of Y."""
    tested = space("YSb", task=SUBSTITUTE, sites=(Site("Sb", -3),), settings=OptimiserSettings(n_unit=(2, 8)))
    assert tested.keeps(cells("YSb", "YAs", "Y2AsSb")).all() and not tested.keeps(cells("YO"))[0]


def test_fractional_elements_have_hundredths_of_atoms():
    settings = OptimiserSettings(fractional_elements=2, n_unit=(5, 5))
    tested = space("BaFe2As2", settings=settings)
    counts = cells("Ba0.6K0.4Fe2As2", "Ba0.61K0.39Fe2As2", "BaFe2As2")
    assert tested.keeps(counts).all()
    assert not tested.keeps(cells("Ba0.605K0.395Fe2As2", "Ba0.6K0.4Fe1.9Co0.1As2")).any()
    rounded = tested.rounded(counts)
    assert np.allclose(rounded.amounts.sum(1), 5) and np.allclose(
        rounded.compositions[0], composition_vector(parse_formula("Ba0.6K0.4Fe2As2"))
    )


def test_the_charge_screens_are_those_of_a_design():
    formulas = ["La2CuO4", "YBa2Cu3O7", "LaFeAsO", "Nb3Sn", "NaCl", "Na2Cl", "Fe"]
    counts = cells(*formulas)
    expected = [b.pauling_ok for b in charge_balance(counts, "one_state")]
    expected[-1] = False  # a single element has no formation energy below 0
    assert space().neutral(counts).tolist() == expected


def test_near_and_new():
    plain = space("La2CuO4")
    counts = cells("La2CuO4", "LaSrCuO4", "LaSr3Cu2O8", "SrCuO2")
    near = replace(plain, most_changed=0.15)
    assert near.keeps(counts).tolist() == [True, True, False, False]
    known = KnownCompositions(np.stack([composition_vector(parse_formula("La2CuO4"))]))
    assert replace(plain, known=known, least_distance=0.2).is_new(counts).tolist() == [False, False, True, True]


def test_distinct_rows_are_sorted_as_numbers():
    random = np.random.default_rng(0)
    one, other = random.choice([0, 0, 0, 1, 2, 255, 256, 70_000], size=(2, 200, 118))
    one[:100, 3:] = 0  # equal rows too
    assert np.array_equal(distinct_rows(one, other, one), np.unique(np.concatenate([one, other]), axis=0))
    assert distinct_rows(one[:0]).shape == (0, 118)


def test_lowest_terms():
    assert in_lowest_terms(np.array([[4, 8], [0, 0], [3, 2]])).tolist() == [[1, 2], [0, 0], [3, 2]]
