"""The error of a network in finding noise in structures."""

import numpy as np
import torch

from core.chemistry.structure import Structure, lattice_matrix
from core.structures.diffusion.denoising_error import MOST_ATOMS, denoising_errors
from core.structures.diffusion.names import BASE
from core.structures.diffusion.weights import load_crystal_network

CPU = torch.device("cpu")


def cubic(a: float, *symbols: str) -> Structure:
    angle = 60.0
    positions = np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]])
    return Structure(lattice_matrix((a, a, a, angle, angle, angle)), symbols, positions)


def test_errors_do_not_depend_on_the_other_structures(network):
    structures = [cubic(3.9, "Na", "Cl"), cubic(3.0, "Mg", "O")]
    together = denoising_errors(network, structures, CPU)
    alone = [denoising_errors(network, [each], CPU) for each in structures]
    np.testing.assert_allclose(together.positions, [each.positions[0] for each in alone], rtol=1e-4)
    np.testing.assert_allclose(together.total, together.positions + together.lattice)


def test_an_unreadable_structure_has_no_error(network):
    n = MOST_ATOMS + 1
    large = Structure(10 * np.eye(3), ("C",) * n, np.linspace(0, 0.99, 3 * n).reshape(n, 3))
    errors = denoising_errors(network, [large, cubic(3.9, "Na", "Cl"), cubic(3.9, "Na", "Lr")], CPU)
    assert np.isnan(errors.total).tolist() == [True, False, True]


def test_the_trained_network_tells_a_crystal_from_a_wrong_volume_and_from_a_wrong_place():
    network = load_crystal_network(BASE).network
    right, wide = cubic(3.99, "Na", "Cl"), cubic(6.0, "Na", "Cl")
    near = Structure(right.lattice, right.symbols, np.array([[0.0, 0, 0], [0.3, 0.3, 0.3]]))
    errors = denoising_errors(network, [right, wide, near], CPU)
    assert errors.total.argmin() == 0
    assert errors.lattice[1] > errors.lattice[0] and errors.positions[2] > errors.positions[0]
