"""Structures of formulas: known types for their chemical relatives, doped formulas, formulas without structure."""

import numpy as np
import pytest

from core.chemistry import elements
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.structures.match import Reduced
from core.structures.prototypes import StructureFinder, load_finder
from core.structures.symmetry import space_group_of, symmetric
from tests import crystals


def finder(*without: str) -> StructureFinder:
    return StructureFinder(crystals.prototype_library(without), crystals.NearestFirst())


FINDER = finder()


@pytest.mark.parametrize(
    "formula, expected",
    [
        ("KCl", crystals.rock_salt("K", "Cl", 6.29)),
        ("LaFeAsO", crystals.pnictide_oxide("La", 4.035, 8.741)),
        ("Nb3Sn", crystals.a15("Nb", "Sn", 5.29)),
        ("TiB2", crystals.diboride("Ti", 3.03, 3.23)),
    ],
)
def test_a_chemical_relative_of_known_compounds_takes_their_type(formula, expected):
    first = FINDER.find(parse_formula(formula))[0]
    assert Reduced(first.structure).matches(Reduced(expected))
    assert first.structure.formula == formula and not first.known and first.note == ""
    assert first.structure.volume_A3_per_atom == pytest.approx(expected.volume_A3_per_atom, rel=0.2)
    found = symmetric(first.structure)
    assert found is not None and found.space_group == first.space_group


def test_lanthanum_in_lafeaso_can_be_replaced():
    first = finder("CeFeAsO").find(parse_formula("PrFeAsO"))[0]
    assert first.example == "NdFeAsO" and first.prototype.startswith("ABCD 129")


def test_known_structures_come_first_and_are_marked():
    first = FINDER.find(parse_formula("MgB2"))[0]
    assert first.known and first.example == "MgB2" and first.score == np.inf and first.superconductors == 1


def test_a_hidden_compound_is_found_from_its_relatives():
    hidden = finder("MgB2").find(parse_formula("MgB2"))[0]
    assert not hidden.known and Reduced(hidden.structure).matches(Reduced(crystals.diboride("Mg", 3.09, 3.52)))


def test_proposals_are_all_different():
    found = FINDER.find(parse_formula("KCl"), top=5)
    cells = [Reduced(each.structure) for each in found]
    assert len(found) == 2 and not cells[0].matches(cells[1])
    assert [each.prototype for each in FINDER.find(parse_formula("KCl"), top=1)] == [found[0].prototype]


def test_a_doped_formula_takes_an_ordered_supercell_of_its_parent():
    first = FINDER.find(parse_formula("CeFeAsO0.75F0.25"))[0]
    assert first.note == "ordered supercell Ce4Fe4As4O3F of CeFeAsO" and not first.known
    assert first.structure.counts["F"] * 3 == first.structure.counts["O"]


def test_a_formula_with_few_dopants_takes_its_parent():
    first = FINDER.find(parse_formula("CeFeAsO0.99F0.01"))[0]
    assert first.note == "ordered parent CeFeAsO" and first.structure.formula == "CeFeAsO"


def test_vacancies_are_said():
    assert "rounded to whole atoms" in FINDER.find(parse_formula("La2CuO3.9"))[0].note


def test_a_formula_without_known_stoichiometry_is_refused_with_a_remedy():
    with pytest.raises(InputError, match="stoichiometry") as caught:
        FINDER.find({"Mg": 7.3, "B": 1.1, "C": 3.7, "N": 5.9, "O": 2.2, "F": 4.1})
    assert caught.value.field == "formula" and caught.value.remedy


def test_at_least_one_structure_must_be_asked_for():
    with pytest.raises(ValueError, match="at least one"):
        FINDER.find({"K": 1.0}, top=0)


def test_random_formulas_are_answered_or_refused():
    generator = np.random.default_rng(0)
    names = elements.symbols()
    answered = 0
    for _ in range(300):
        chosen = generator.choice(len(names), generator.integers(1, 6), replace=False)
        amounts = {names[i]: float(generator.choice([1, 1, 2, 3, 4, 0.9, 0.15, 1.85])) for i in chosen}
        try:
            found = FINDER.find(amounts, top=1)
        except InputError as error:
            assert error.field == "formula"
            continue
        answered += 1
        for each in found:
            assert np.isfinite(each.structure.lattice).all() and each.structure.volume_A3_per_atom > 1
            assert set(each.structure.symbols) <= set(amounts)
    assert answered > 30


@pytest.mark.parametrize("formula, space_group", [("MgB2", 191), ("Nb3Sn", 223), ("LaFeAsO", 129), ("NaCl", 225)])
def test_the_stored_library_knows_common_superconductors_and_salts(formula, space_group):
    found = load_finder().find(parse_formula(formula), top=3)
    assert found[0].known and found[0].space_group == space_group and found[0].structure.formula == formula
    assert all(each.structure.shortest_distance_A() > 1.2 for each in found)


@pytest.mark.parametrize(
    "formula, space_group", [("La1.85Sr0.15CuO4", 139), ("Ba0.6K0.4Fe2As2", 139), ("Nb0.75Ti0.25N", 0)]
)
def test_the_stored_library_has_parents_of_doped_superconductors(formula, space_group):
    first = load_finder().find(parse_formula(formula), top=1)[0]
    assert set(first.structure.symbols) == set(parse_formula(formula))
    assert not space_group or first.prototype.split()[1] == str(space_group)


def test_the_stored_library_answers_or_refuses_random_formulas():
    generator = np.random.default_rng(1)
    names = elements.symbols()
    for _ in range(40):
        chosen = generator.choice(len(names), generator.integers(1, 6), replace=False)
        amounts = {names[i]: float(generator.choice([1, 1, 2, 3, 4, 0.9, 0.15, 1.85])) for i in chosen}
        try:
            found = load_finder().find(amounts, top=2)
        except InputError as error:
            assert error.field == "formula"
            continue
        assert found and all(np.isfinite(each.structure.lattice).all() for each in found)


@pytest.mark.parametrize(
    "formula, space_group",
    [
        ("KCl", 225), ("NaCl", 225), ("NaBr", 225), ("KBr", 225), ("MgO", 225), ("NiAl", 221), ("ZnS", 216),
        ("GaN", 186), ("NiAs", 194), ("Al2O3", 167), ("ZrO2", 14), ("Ti", 194), ("Fe", 229), ("Na", 229), ("Cu", 225),
    ],
)  # fmt: skip
def test_the_ground_state_of_a_textbook_solid_is_first(formula, space_group):
    assert load_finder().find(parse_formula(formula), top=1)[0].space_group == space_group


def test_a_known_structure_without_energy_comes_between_stable_and_unstable_ones():
    finder = load_finder()
    library = finder._library
    for counts in ({"Na": 1, "Cl": 1}, {"Li": 1, "F": 1}):
        known = [choice for choice in finder._choices(counts) if choice.known]
        energies = [library.above_hull_eV_per_atom[choice.found.rows[choice.pair]] for choice in known]
        assert energies[0] < 0.01 and np.isnan(energies[1]) and energies[-1] > 0.1


@pytest.mark.parametrize("formula, space_group", [("Si", 227), ("SiO2", 154), ("NbN", 225), ("C", 227)])
def test_all_known_structures_of_a_formula_are_candidates(formula, space_group):
    """Also of formulas with more known structures than are ranked of others."""
    known = load_finder().known(parse_formula(formula))
    assert space_group in [space_group_of(each) for each in known]
    assert len(load_finder().known(parse_formula(formula), 2)) == 2 < len(known)
    assert all(each.known for each in load_finder().find(parse_formula(formula), top=2))


def test_a_stable_compound_in_a_large_cell_is_its_first_known_structure():
    first, *others = load_finder().find(parse_formula("MgB7"), top=3)
    assert first.known and first.prototype == "AB7 74, 32 atoms" and first.example_id == "mp-978275"
    assert others and not any(each.known for each in others)
    assert [each.lowest_terms for each in load_finder().known({"Mg": 1, "B": 7})] == [{"Mg": 1, "B": 7}]
    assert frozenset({("Mg", 1), ("B", 7)}) in load_finder().formulas


def test_known_structures_of_a_formula_are_given_without_proposed_ones():
    assert [each.formula for each in FINDER.known({"Mg": 1, "B": 2})] == ["MgB2"] and FINDER.known(
        {"K": 1, "Cl": 1}
    ) == []
    assert frozenset({("Mg", 1), ("B", 2)}) in FINDER.formulas
