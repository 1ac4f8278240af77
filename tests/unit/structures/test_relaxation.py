"""Relaxation: minima of a simple potential, pressure, symmetry, limits, structures that cannot be evaluated."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures import relaxation
from core.structures.interatomic import PotentialError
from core.structures.relaxation import GPA_PER_EV_PER_A3, RelaxationSettings, relax
from core.structures.symmetry import symmetric
from tests import crystals
from tests.pair_potential import PairPotential

EXACT = RelaxationSettings(force_eV_per_A=1e-6, stress_GPa=1e-4, most_steps=200)


def caesium_chloride(a=3.2):
    return Structure(np.eye(3) * a, ("Cs", "Cl"), np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]))


def distorted():
    start = crystals.a15("Nb", "Sn", 5.3)
    noise = np.random.default_rng(0).normal(0, 0.02, start.positions.shape)
    strain = np.eye(3) + np.random.default_rng(1).normal(0, 0.03, (3, 3))
    return Structure(start.lattice @ strain, start.symbols, start.positions + noise)


def test_the_potential_of_these_tests_has_the_forces_and_stress_of_its_energy():
    made, potential, step = distorted(), PairPotential(), 1e-5
    found = potential.evaluate(made)

    def energy(strain, moved):
        positions = made.positions + moved @ np.linalg.inv(made.lattice)
        return potential.evaluate(Structure(made.lattice @ (np.eye(3) + strain), made.symbols, positions)).energy_eV

    moved, none = np.zeros((8, 3)), np.zeros((3, 3))
    moved[2, 1] = step
    slope = (energy(none, moved) - energy(none, -moved)) / (2 * step)
    assert found.forces_eV_per_A[2, 1] == pytest.approx(-slope, rel=1e-4, abs=1e-6)
    strain = none.copy()
    strain[0, 1] = strain[1, 0] = step / 2
    slope = (energy(strain, moved * 0) - energy(-strain, moved * 0)) / (2 * step)
    assert found.stress_GPa[0, 1] * made.volume_A3 / GPA_PER_EV_PER_A3 == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_the_volume_of_a_cubic_crystal_is_that_of_the_lowest_energy():
    found = relax(caesium_chloride(), PairPotential(), EXACT)
    sizes = np.linspace(2.5, 4.0, 3001)
    energies = [PairPotential().evaluate(caesium_chloride(a)).energy_eV for a in sizes[::10]]
    assert found.converged and found.verdict == relaxation.RELAXED
    assert found.structure.volume_A3 ** (1 / 3) == pytest.approx(sizes[::10][np.argmin(energies)], abs=0.01)
    assert found.energy_eV_per_atom <= min(energies) / 2 + 1e-9
    assert found.volume_change == pytest.approx(found.structure.volume_A3 / 3.2**3 - 1)


def test_forces_vanish_in_a_distorted_crystal_and_its_neighbours_agree():
    potential = PairPotential(r0=3.0)
    found = relax(distorted(), potential, EXACT)
    assert found.converged and found.steps == potential.asked
    end = PairPotential(r0=3.0).evaluate(found.structure)
    assert np.abs(end.forces_eV_per_A).max() < 1e-5 and np.abs(end.stress_GPa).max() < 1e-3
    assert end.energy_eV < PairPotential(r0=3.0).evaluate(distorted()).energy_eV


def test_pressure_is_that_of_the_relaxed_crystal():
    settings = RelaxationSettings(pressure_GPa=20, force_eV_per_A=1e-5, stress_GPa=1e-3, stress_share=0)
    free, pressed = (relax(caesium_chloride(), PairPotential(), each) for each in (EXACT, settings))
    stress = PairPotential().evaluate(pressed.structure).stress_GPa
    assert np.allclose(stress, -20 * np.eye(3), atol=2e-3)
    assert pressed.structure.volume_A3 < free.structure.volume_A3
    work = 20 / GPA_PER_EV_PER_A3 * pressed.structure.volume_A3_per_atom
    assert pressed.enthalpy_eV_per_atom == pytest.approx(pressed.energy_eV_per_atom + work)


@pytest.mark.parametrize(
    "start",
    [crystals.a15("Nb", "Sn", 5.0), crystals.diboride("Mg", 3.1, 3.6), crystals.rock_salt("K", "Cl", 5.6)],
)
def test_the_symmetry_of_the_start_is_kept(start):
    found = relax(start, PairPotential(), RelaxationSettings(force_eV_per_A=1e-4, stress_GPa=1e-2, most_steps=60))
    before, after = symmetric(start, 1e-3), symmetric(found.structure, 1e-3)
    assert before is not None and after is not None and after.space_group == before.space_group
    assert found.steps > 1


def test_a_crystal_that_its_atoms_leave_fell_apart():
    found = relax(caesium_chloride(4.0), PairPotential(r0=6.0), EXACT)
    assert found.verdict == relaxation.FELL_APART and not found.converged and found.volume_change > 0.5


def test_a_crystal_that_shrinks_too_far_collapsed():
    assert relax(caesium_chloride(4.5), PairPotential(), EXACT).verdict == relaxation.COLLAPSED


def test_the_number_of_steps_is_limited():
    found = relax(distorted(), PairPotential(), RelaxationSettings(force_eV_per_A=1e-9, most_steps=3))
    assert found.verdict == relaxation.STEP_LIMIT and found.steps == 3 and np.isfinite(found.energy_eV_per_atom)


@pytest.mark.parametrize("after", [0, 2])
def test_it_stops_when_asked(after):
    potential = PairPotential()
    found = relax(distorted(), potential, EXACT, should_stop=lambda: potential.asked >= after)
    assert found.verdict == relaxation.STOPPED and potential.asked == after


def test_a_structure_that_the_potential_cannot_evaluate_says_why():
    class Refuses(PairPotential):
        def evaluate(self, structure):
            raise PotentialError("unknown element")

    found = relax(caesium_chloride(), Refuses(), EXACT)
    assert found.verdict == relaxation.NOT_EVALUATED and found.reason == "unknown element"
    assert np.isnan(found.energy_eV_per_atom) and found.structure.symbols == ("Cs", "Cl")


def test_a_step_that_the_potential_cannot_evaluate_is_taken_back():
    class RefusesOnce(PairPotential):
        def evaluate(self, structure):
            found = super().evaluate(structure)
            if self.asked == 2:
                raise PotentialError("an atom without neighbours")
            return found

    assert relax(caesium_chloride(), RefusesOnce(), EXACT).converged


@pytest.mark.parametrize("pressure", [-1.0, 501.0, float("nan")])
def test_a_pressure_out_of_range_is_refused(pressure):
    with pytest.raises(InputError, match="GPa") as caught:
        RelaxationSettings(pressure_GPa=pressure)
    assert caught.value.field == "pressure"
