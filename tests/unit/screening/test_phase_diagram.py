"""Phase diagrams: closed cases, and agreement with the distance to the hull."""

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.reference_data.references import load_references
from core.screening.convex_hull import Hull
from core.screening.phase_diagram import PhaseDiagramData, can_be_drawn, phase_diagram


def diagram(formula: str, energy: float, **phases: float) -> PhaseDiagramData:
    hull = Hull(compositions(phases), np.array(list(phases.values())), list(phases))
    return phase_diagram(hull, compositions([formula])[0], energy)


def tie_lines(found: PhaseDiagramData) -> set[frozenset[str]]:
    return {frozenset(found.formulas[i] for i in pair) for pair in found.tie_lines}


def test_lithium_and_oxygen_by_hand():
    """Li2O and LiO are stable; LiO3 at -0.5 is 0.3 above the line from LiO (-1.6) to oxygen: halfway, -0.8."""
    found = diagram("Li3O2", -1.8, Li2O=-2.0, LiO=-1.6, LiO3=-0.5)
    assert found.symbols == ("Li", "O")
    assert dict(zip(found.formulas, found.above_hull, strict=True)) == pytest.approx(
        {"Li": 0.0, "O": 0.0, "Li2O": 0.0, "LiO": 0.0, "LiO3": 0.3}
    )
    assert set(np.array(found.formulas)[found.stable]) == {"Li", "O", "Li2O", "LiO"}
    assert tie_lines(found) == {frozenset(pair) for pair in (("Li", "Li2O"), ("Li2O", "LiO"), ("LiO", "O"))}
    assert found.composition == pytest.approx([0.6, 0.4])
    assert found.above == pytest.approx(0.04) and {found.formulas[i] for i in found.competing} == {"Li2O", "LiO"}


def test_a_compound_of_three_elements_is_joined_to_its_neighbours():
    found = diagram("YCuO", -0.5, O3Y2=-3.0, CuO=-0.8, CuO2Y=-2.6)
    assert found.symbols == ("Y", "Cu", "O") and set(found.formulas[3:]) == {"Y2O3", "CuO", "YCuO2"}
    assert {frozenset(("YCuO2", other)) for other in ("Y2O3", "CuO", "Cu")} <= tie_lines(found)
    assert all(found.stable)


def test_without_compounds_the_elements_are_joined():
    found = diagram("FeCoNiCr", 0.1)
    assert len(found.tie_lines) == 6 and found.above == pytest.approx(0.1)
    assert sorted(found.formulas[i] for i in found.competing) == ["Co", "Cr", "Fe", "Ni"]


def test_other_numbers_of_elements_are_refused():
    assert not can_be_drawn(compositions(["Fe"])[0]) and not can_be_drawn(compositions(["LaFeAsOF"])[0])
    for formula in ("Fe", "LaFeAsOF"):
        with pytest.raises(ValueError, match="2 to 4"):
            diagram(formula, 0.0)


@pytest.mark.parametrize("formula", ["FeSe", "La2CuO4", "NdFeAsO"])
def test_agrees_with_the_hull_of_the_committed_references(formula):
    """The ends of the tie lines, from pymatgen, are the phases at distance 0, from the linear programme."""
    hull = load_references().hull("formation-energy-ensemble")
    x = compositions([formula])[0]
    found = phase_diagram(hull, x, -1.0)
    assert {i for pair in found.tie_lines for i in pair} == set(np.flatnonzero(found.stable))
    assert found.above == pytest.approx(hull.distance(x, -1.0).energy_above_hull_eV_per_atom)
    assert (found.above_hull > -1e-9).all() and found.fractions.sum(1) == pytest.approx(1.0)
