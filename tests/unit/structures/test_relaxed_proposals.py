"""Order after relaxation, structures that became the same, hydrides, and stored relaxations."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core.structures.prototypes import Proposal
from core.structures.relaxation import FELL_APART, NOT_EVALUATED, RELAXED, Relaxation
from core.structures.relaxed_proposals import ordered, packed, unpacked, unrelaxed
from tests import crystals

ROCK_SALT, CAESIUM_CHLORIDE = crystals.rock_salt("K", "Cl", 6.3), crystals.caesium_chloride("K", "Cl", 3.8)
ZINC_BLENDE = crystals.crystal("F-43m", (6.9,), {"K": [(0, 0, 0)], "Cl": [(0.25, 0.25, 0.25)]})


def proposal(structure, score=0.0, known=False):
    return Proposal(structure, "AB", 0, 1, "NaCl", "mp-1", 1.0, 5, 0, score, known)


def relaxation(structure, enthalpy, verdict=RELAXED):
    return Relaxation(structure, enthalpy, enthalpy, 9, verdict, "", 0.01, 0.01, 0.1)


def order(proposals, relaxations, pressure_GPa=0.0):
    found = ordered(proposals, relaxations, pressure_GPa)
    places = [next(i for i, one in enumerate(proposals) if one is each.proposal) for each in found]
    return places, [each.note for each in found]


def test_known_structures_are_ordered_by_enthalpy():
    proposals = [proposal(s, math.inf, True) for s in (CAESIUM_CHLORIDE, ROCK_SALT)]
    relaxations = [relaxation(CAESIUM_CHLORIDE, -3.65), relaxation(ROCK_SALT, -3.71)]
    assert order(proposals, relaxations)[0] == [1, 0]
    assert ordered(proposals, relaxations, 0.0)[0].space_group == 225


@pytest.mark.parametrize("gap, expected", [(0.04, [0, 1]), (0.06, [1, 0])])
def test_an_enthalpy_takes_from_the_score(gap, expected):
    proposals = [proposal(CAESIUM_CHLORIDE, 1.0), proposal(ROCK_SALT, 0.0)]
    assert order(proposals, [relaxation(CAESIUM_CHLORIDE, -3.0), relaxation(ROCK_SALT, -3.0 - gap)])[0] == expected


def test_a_known_structure_stays_before_a_proposed_one():
    proposals = [proposal(CAESIUM_CHLORIDE, 9.0), proposal(ROCK_SALT, math.inf, True)]
    assert order(proposals, [relaxation(CAESIUM_CHLORIDE, -9.0), relaxation(ROCK_SALT, -3.0)])[0] == [1, 0]


@pytest.mark.parametrize("verdict", [FELL_APART, NOT_EVALUATED])
def test_a_structure_without_a_minimum_comes_last(verdict):
    proposals = [proposal(CAESIUM_CHLORIDE, math.inf, True), proposal(ROCK_SALT, 0.0)]
    relaxations = [relaxation(CAESIUM_CHLORIDE, math.nan, verdict), relaxation(ROCK_SALT, -3.0)]
    assert order(proposals, relaxations)[0] == [1, 0]


def test_a_structure_that_became_another_says_so():
    proposals = [proposal(ROCK_SALT, 2.0), proposal(ZINC_BLENDE, 1.0), proposal(CAESIUM_CHLORIDE, 0.0)]
    relaxations = [relaxation(ROCK_SALT, -3.0), relaxation(ROCK_SALT, -3.0), relaxation(CAESIUM_CHLORIDE, -3.0)]
    assert order(proposals, relaxations) == ([0, 2, 1], ["", "", "relaxes to the structure of rank 1"])


def test_energies_of_hydrides_decide_nothing_without_pressure():
    cells = [crystals.rock_salt("La", "H", 5.5), crystals.caesium_chloride("La", "H", 3.4)]
    proposals = [proposal(cells[0], 1.0), proposal(cells[1], 0.0)]
    relaxations = [relaxation(cells[0], -3.0), relaxation(cells[1], -4.0)]
    indices, notes = order(proposals, relaxations)
    assert indices == [0, 1] and all("pressure" in note for note in notes)
    assert order(proposals, relaxations, 100.0) == ([1, 0], ["", ""])


def test_a_hydride_that_became_another_structure_stays_undecided():
    cell = crystals.rock_salt("La", "H", 5.5)
    proposals = [proposal(cell, 1.0), proposal(crystals.caesium_chloride("La", "H", 3.4), 0.0)]
    found = ordered(proposals, [relaxation(cell, -3.0), relaxation(cell, -3.0)], 0.0)
    assert [each.undecided for each in found] == [True, True]
    assert "pressure" in found[1].note and found[1].note.endswith("relaxes to the structure of rank 1")


def test_energies_of_different_compositions_are_not_compared():
    other = crystals.rock_salt("Rb", "Cl", 6.6)
    proposals = [proposal(ROCK_SALT, 1.0), proposal(other, 0.0)]
    assert order(proposals, [relaxation(ROCK_SALT, -3.0), relaxation(other, -9.0)])[0] == [0, 1]


def test_proposals_without_relaxation_stay_as_they_are():
    found = unrelaxed([proposal(ROCK_SALT)])[0]
    assert found.relaxation is None and found.structure is ROCK_SALT and found.space_group == 1


def test_a_stored_relaxation_is_read_as_it_was():
    given = replace(relaxation(ROCK_SALT, -3.0), force_eV_per_A=math.nan)
    read = unpacked(json.loads(json.dumps(packed(given))))
    assert np.array_equal(read.structure.positions, ROCK_SALT.positions) and read.structure.symbols == ROCK_SALT.symbols
    assert np.array_equal(read.structure.lattice, ROCK_SALT.lattice) and math.isnan(read.force_eV_per_A)
    assert (read.enthalpy_eV_per_atom, read.steps, read.verdict) == (-3.0, 9, RELAXED)
