"""CHGNet behind our interface: forces and stress as derivatives of its energy; what it does not know is refused."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.interatomic import PotentialError, load_chgnet
from core.structures.relaxation import GPA_PER_EV_PER_A3, relax
from core.structures.symmetry import symmetric
from tests import crystals


def moved(structure, strain, atom, displacement):
    positions = structure.positions.copy()
    positions[atom] += displacement @ np.linalg.inv(structure.lattice)
    return Structure(structure.lattice @ (np.eye(3) + strain), structure.symbols, positions)


def test_forces_and_stress_are_derivatives_of_the_energy():
    potential = load_chgnet()
    start = moved(crystals.diboride("Mg", 3.09, 3.52), np.zeros((3, 3)), 1, np.array([0.1, 0.05, 0.08]))
    found = potential.evaluate(start)
    step, none = 0.01, np.zeros((3, 3))
    for axis in range(3):
        displacement = step * np.eye(3)[axis]
        slope = sum(s * potential.evaluate(moved(start, none, 1, s * displacement)).energy_eV for s in (1, -1)) / 2
        assert found.forces_eV_per_A[1, axis] == pytest.approx(-slope / step, abs=0.05)
        strain = np.diag(0.005 * np.eye(3)[axis])
        slope = sum(s * potential.evaluate(moved(start, s * strain, 1, np.zeros(3))).energy_eV for s in (1, -1)) / 2
        stress_GPa = slope / 0.005 / start.volume_A3 * GPA_PER_EV_PER_A3
        assert found.stress_GPa[axis, axis] == pytest.approx(stress_GPa, abs=2.0)


@pytest.mark.parametrize(
    "start, volume_A3",
    [(crystals.rock_salt("K", "Cl", 6.0), 62.3), (crystals.a15("Nb", "Sn", 5.4), 148.0)],
)
def test_known_crystals_relax_to_their_volume_and_keep_their_symmetry(start, volume_A3):
    """Measured at room temperature; PBE, which the potential was trained on, is a few per cent above."""
    found = relax(start, load_chgnet())
    before, after = symmetric(start), symmetric(found.structure)
    assert found.converged and found.structure.volume_A3 == pytest.approx(volume_A3, rel=0.06)
    assert before is not None and after is not None and after.space_group == before.space_group


def test_rock_salt_is_the_ground_state_of_potassium_chloride():
    energies = [
        relax(start, load_chgnet()).energy_eV_per_atom
        for start in (crystals.rock_salt("K", "Cl", 6.3), crystals.caesium_chloride("K", "Cl", 3.8))
    ]
    assert energies[0] < energies[1] - 0.01


def test_what_the_potential_cannot_evaluate_is_refused():
    with pytest.raises(PotentialError, match="does not know Am"):
        load_chgnet().evaluate(crystals.rock_salt("Am", "O", 5.0))
    with pytest.raises(PotentialError, match="no neighbours"):
        load_chgnet().evaluate(Structure(np.eye(3) * 30, ("He",), np.zeros((1, 3))))


def test_loading_says_nothing(capfd):
    load_chgnet.cache_clear()
    load_chgnet()
    assert capfd.readouterr().out == ""
