"""Compositions of reference phases are found, within the tolerance in every fraction."""

import numpy as np
import pytest

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.chemistry.tolerances import KNOWN_COMPOSITION
from core.reference_data.references import load_references
from core.screening.known_phases import KnownPhases

PHASES = ("LaFeAsO", "La2O3", "FeAs", "Fe2As")


def same_as(*formulas: str, phases: tuple[str, ...] = PHASES) -> list[str]:
    return KnownPhases(compositions(phases), phases).same_as(compositions(formulas))


def test_a_composition_is_found_however_it_is_written():
    assert same_as("La2Fe2As2O2", "AsFe", "FeAs2", "MgB2", "La0.5Fe0.5As0.5O0.5") == [
        "LaFeAsO", "FeAs", "", "", "LaFeAsO",
    ]  # fmt: skip


def test_a_small_dopant_does_not_make_a_composition_new():
    # FeAs with w of the atoms replaced by Co: Fe 0.5 - w, Co w
    assert same_as("Fe0.992Co0.008As", "Fe0.98Co0.02As") == ["FeAs", ""]


def test_an_element_that_the_phase_has_in_traces_may_be_missing():
    phase = "Fe0.992Co0.008As"
    assert same_as("FeAs", phases=(phase,)) == [phase]


def test_the_closest_of_several_phases_is_given():
    assert same_as("FeAs", phases=("Fe1.01As", "FeAs", "Fe0.99As")) == ["FeAs"]


def test_agrees_with_a_comparison_with_every_phase():
    random = np.random.default_rng(0)
    phases = random.dirichlet(np.full(4, 0.3), 400)
    x = np.zeros((400, elements.N_ELEMENTS))
    x[:, [1, 7, 25, 32]] = phases
    near = x[:100] + random.uniform(-0.006, 0.006, x[:100].shape) * (x[:100] > 0)
    near = np.clip(near, 0, None)
    near /= near.sum(1, keepdims=True)
    found = KnownPhases(x, [str(i) for i in range(400)]).same_as(near)
    largest = np.abs(near[:, None] - x[None]).max(2)
    assert [bool(name) for name in found] == list(largest.min(1) <= KNOWN_COMPOSITION)
    assert 10 < sum(map(bool, found)) < 100


def test_what_is_no_composition_is_refused():
    with pytest.raises(ValueError, match="formulas"):
        KnownPhases(compositions(PHASES), ["LaFeAsO"])
    with pytest.raises(ValueError, match="not a composition"):
        KnownPhases(compositions(PHASES), PHASES).same_as(np.zeros((1, elements.N_ELEMENTS)))


def test_the_committed_references_hold_known_compounds():
    phases = load_references().known_phases
    assert phases.same_as(compositions(["NdFeAsO", "MgB2", "La2CuO4", "LaFeAsO0.9F0.1"])) == [
        "AsFeNdO", "B2Mg", "CuLa2O4", "",
    ]  # fmt: skip
