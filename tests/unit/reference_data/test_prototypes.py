"""The library of prototypes: there and back, and its views."""

import numpy as np
import pytest

from core.reference_data import prototypes
from core.reference_data.prototypes import pack, unpack
from tests import crystals

LIBRARY = crystals.prototype_library()


def place_of(formula: str) -> tuple[int, int]:
    return next(
        (p, m) for p in range(len(LIBRARY)) for m in range(LIBRARY.members[p])
        if LIBRARY.formula_of_member(p, m) == formula
    )  # fmt: skip


def test_a_stored_library_is_read_back():
    back = unpack(pack(LIBRARY))
    assert back.wyckoff == LIBRARY.wyckoff and len(back) == len(LIBRARY)
    np.testing.assert_allclose(back.positions, LIBRARY.positions % 1.0, atol=1e-5)
    np.testing.assert_allclose(back.volumes_A3_per_atom, LIBRARY.volumes_A3_per_atom, rtol=1e-3)
    for name in ("space_group", "slots", "counts", "members", "species", "ids", "exchanges", "slot_of_site"):
        np.testing.assert_array_equal(getattr(back, name), getattr(LIBRARY, name))
    np.testing.assert_array_equal(np.isnan(back.tc_K), np.isnan(LIBRARY.tc_K))


@pytest.mark.parametrize("denominator", [2, 3, 4, 6, 8, 12])
def test_special_positions_are_stored_exactly(denominator):
    assert prototypes.POSITION_STEPS % denominator == 0


def test_every_compound_has_its_formula():
    found = {LIBRARY.formula_of_member(p, m) for p in range(len(LIBRARY)) for m in range(LIBRARY.members[p])}
    assert found == {structure.formula for _, structure, _ in crystals.CRYSTALS}


def test_the_geometry_with_its_own_elements_is_the_compound():
    from core.chemistry import elements
    from core.structures.match import Reduced

    structures = {structure.formula: structure for _, structure, _ in crystals.CRYSTALS}
    for prototype in range(len(LIBRARY)):
        species = [elements.symbols()[e] for e in LIBRARY.species_of(prototype)[0]]
        made = LIBRARY.structure(prototype, species)
        assert Reduced(made).matches(Reduced(structures[made.formula]))


def test_labels_state_stoichiometry_group_and_sites():
    assert LIBRARY.label(place_of("MgB2")[0]) == "AB2 191 1a|2d"
    assert LIBRARY.label(place_of("V3Si")[0]) == "AB3 223 2a|6c"


def test_facts_belong_to_their_compounds():
    prototype, member = place_of("MgB2")
    row = LIBRARY.rows_of(prototype).start + member
    assert LIBRARY.tc_K[row] == 39.0 and LIBRARY.id_of(row) == "mp-8"
    prototype, member = place_of("NaCl")
    row = LIBRARY.rows_of(prototype).start + member
    assert LIBRARY.above_hull_eV_per_atom[row] == 0 and np.isnan(LIBRARY.tc_K[row])


def test_formulas_are_those_of_the_compounds():
    assert (
        frozenset({("Mg", 1), ("B", 2)}) in LIBRARY.formulas
        and frozenset({("Mg", 2), ("B", 1)}) not in LIBRARY.formulas
    )
