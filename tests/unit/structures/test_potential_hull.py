"""Energy above hull by one potential: closed forms, missing elements, energies that are computed once."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.potential_hull import ReferenceEnergies, Stopped, formation_energy, hull_of
from core.structures.relaxation import FELL_APART, RELAXED, Relaxation
from tests import crystals

K, CL, KCL = frozenset({("K", 1)}), frozenset({("Cl", 1)}), frozenset({("K", 1), ("Cl", 1)})
ENERGIES = {K: -1.0, CL: -2.0, KCL: -3.5}


def atom(symbol):
    return Structure(np.eye(3) * 4, (symbol,), np.zeros((1, 3)))


def test_a_formation_energy_is_relative_to_the_elements():
    assert formation_energy({"K": 1, "Cl": 3}, -2.0, {"K": -1.0, "Cl": -2.0}) == pytest.approx(-0.25)


def test_the_distance_is_to_the_stable_mixture():
    hull = hull_of(ENERGIES)
    same = hull.distance(crystals.caesium_chloride("K", "Cl", 3.8), -3.3)
    assert same.energy_above_hull_eV_per_atom == pytest.approx(0.2) and same.decomposition == (("KCl", 1.0),)
    counts = crystals.diboride("Mg", 3.1, 3.5).with_symbols(["K", "Cl", "Cl"])
    mixed = hull.distance(counts, -3.0)  # KCl2: two thirds of the atoms in KCl, one third in Cl
    assert mixed.energy_above_hull_eV_per_atom == pytest.approx(-3.0 - (-3.5 * 2 - 2.0) / 3)
    assert dict(mixed.decomposition) == pytest.approx({"KCl": 2 / 3, "Cl": 1 / 3})


class Relaxes:
    def __init__(self, verdict=RELAXED):
        self.asked, self._verdict = [], verdict

    def __call__(self, structure):
        self.asked.append(structure.formula)
        energy = ENERGIES[frozenset(structure.counts.items())]
        return Relaxation(structure, energy, energy, 3, self._verdict, "", 0.0, 0.0, 0.0)


def references(folder, relax, formulas=(K, CL, KCL)):
    made = {K: [atom("K")], CL: [atom("Cl")], KCL: [crystals.rock_salt("K", "Cl", 6.3)]}
    return ReferenceEnergies(folder, formulas, lambda key: made[key], relax)


def test_energies_are_computed_once(tmp_path):
    first, second, progress = Relaxes(), Relaxes(), []
    references(tmp_path, first).hull({"K", "Cl"}, lambda done, total: progress.append((done, total)))
    hull = references(tmp_path, second).hull({"K", "Cl"})
    assert sorted(first.asked) == ["Cl", "K", "KCl"] and second.asked == [] and progress[-1] == (3, 3)
    assert hull is not None
    found = hull.distance(crystals.rock_salt("K", "Cl", 6.3), -3.5)
    assert found.energy_above_hull_eV_per_atom == pytest.approx(0.0)


def test_stored_energies_are_those_of_known_formulas(tmp_path):
    energies = references(tmp_path, Relaxes())
    assert energies.stored_eV_per_atom() == {}
    energies.energies_eV_per_atom([K, KCL])
    assert energies.stored_eV_per_atom() == {"K": -1.0, "KCl": -3.5}
    assert references(tmp_path, Relaxes(), (K,)).stored_eV_per_atom() == {"K": -1.0}


def test_only_the_phases_of_the_system_are_computed(tmp_path):
    relax = Relaxes()
    references(tmp_path, relax).hull({"K"})
    assert relax.asked == ["K"]


def test_a_system_without_the_energy_of_an_element_has_no_hull(tmp_path):
    assert references(tmp_path / "a", Relaxes(), (K, KCL)).hull({"K", "Cl"}) is None
    assert references(tmp_path / "b", Relaxes(FELL_APART)).hull({"K", "Cl"}) is None


def test_given_energies_are_not_computed(tmp_path):
    relax, made = Relaxes(), {K: [atom("K")], CL: [atom("Cl")], KCL: [crystals.rock_salt("K", "Cl", 6.3)]}
    given = {"K": -1.0, "KCl": None}
    hull = ReferenceEnergies(tmp_path, (K, CL, KCL), lambda key: made[key], relax, given).hull({"K", "Cl"})
    assert relax.asked == ["Cl"] and hull is not None and len(hull.elements_eV_per_atom) == 2


def test_a_stopped_energy_is_not_kept(tmp_path):
    def stops(structure):
        raise Stopped

    with pytest.raises(Stopped):
        references(tmp_path, stops).hull({"K"})
    assert references(tmp_path, Relaxes()).energy_eV_per_atom(K) == -1.0
