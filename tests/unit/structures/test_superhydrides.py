"""Metal hydrides of high pressure: symmetry, cages, which formulas have one, their place among other structures."""

from itertools import combinations

import numpy as np
import pytest

from core.chemistry.formula_reader import parse_formula
from core.structures.interatomic import load_chgnet
from core.structures.match import Reduced, to_pymatgen
from core.structures.prototypes import load_finder
from core.structures.relaxation import RelaxationSettings, relax
from core.structures.superhydrides import SUPERHYDRIDES, superhydrides
from core.structures.symmetry import space_group_of

RADII_A = np.full(118, 1.5)


@pytest.mark.parametrize("kind", SUPERHYDRIDES, ids=lambda kind: kind.example)
def test_the_structures_are_as_published(kind):
    made = kind.structure(kind.metals)
    assert space_group_of(made) == kind.space_group[1] and made.lowest_terms == parse_formula(kind.example)
    cell = to_pymatgen(made)
    hydrogen = [i for i, symbol in enumerate(made.symbols) if symbol == "H"]
    nearest = min(cell.get_distance(i, j) for i, j in combinations(hydrogen, 2))
    assert 1.05 < nearest < 1.7  # Å: atoms of a cage, neither molecules nor apart
    first = made.symbols.index(kind.metals[0])
    cage = [site for site in cell.get_neighbors(cell[first], 2.6) if site.specie.symbol == "H"]
    assert len(cage) >= 12


def test_a_structure_relaxes_under_the_pressure_of_its_cell():
    kind = SUPERHYDRIDES[1]
    found = relax(kind.structure(kind.metals), load_chgnet(), RelaxationSettings(pressure_GPa=kind.pressure_GPa))
    assert found.converged and space_group_of(found.structure) == 229 and abs(found.volume_change) < 0.1


def test_other_formulas_have_none():
    for formula in ("MgB2", "SH10", "H10", "La2H20O", "YH7", "H2"):
        counts = {symbol: int(n) for symbol, n in parse_formula(formula).items()}
        assert superhydrides(counts, RADII_A) == []


def test_the_larger_metal_has_the_cage():
    radii = RADII_A.copy()
    radii[[19, 3]] = 1.8, 1.05  # Ca, Be
    (found,) = superhydrides({"Be": 1, "Ca": 1, "H": 8}, radii)
    assert found.metals == ("Ca", "Be") and not found.known and found.formula == "CaBeH8"


def test_known_ones_come_first_and_others_before_the_prototypes():
    finder = load_finder()
    known, unknown = finder.find({"La": 1.0, "H": 10.0}, 3), finder.find({"Mg": 1.0, "H": 6.0}, 3)
    assert (known[0].known, known[0].space_group, known[0].example) == (True, 225, "LaH10")
    assert "150 GPa" in known[0].note and not any(each.known for each in known[1:])
    assert unknown[0].space_group == 229 and unknown[0].example == "CaH6" and not unknown[0].known
    assert unknown[0].score >= unknown[1].score
    (stored,) = finder.known({"La": 1, "H": 10})
    assert Reduced(stored).matches(Reduced(known[0].structure))
    assert frozenset({("La", 1), ("H", 10)}) not in finder.formulas  # it is no phase of a hull without pressure
