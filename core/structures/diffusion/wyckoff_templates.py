"""Samples with the symmetry of a template: the space group and the Wyckoff positions of a known structure.

As in DiffCSP++ (Jiao et al. 2024, arXiv:2402.03992), atoms have the sites of a template, and lattice and coordinates
keep its symmetry, while their values are generated. There the noise is symmetric as well; here each atom has its own,
as in the training of the network, and what each step expects without noise is made symmetric: the displacements u of
the atoms from the template and the metric tensor G of the lattice become

    P u,  (P u)_g(i) = mean over g of R_g u_i   and   mean over g of R_g^T G R_g

for the operations x -> R_g x + t_g of the template; g(i) is the atom to which g moves atom i. The last step adds no
noise, so that the sample is symmetric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.chemistry.structure import Structure
from core.structures.diffusion.lattice_numbers import COLUMNS, ROWS, LatticeScale, metric, niggli
from core.structures.symmetry import operations

TOLERANCE_A = 0.05  # by which the stored geometry of a prototype may miss its symmetry
LEAST_SQUARE_A2 = 1e-6  # eigenvalue of a metric tensor, before its logarithm


@dataclass(frozen=True)
class WyckoffTemplate:
    """The symmetry of n atoms in a reduced cell.

    positions : (n, 3) of a structure that has it
    displacements : (3n, 3n) the projection P
    metrics : (9, 9) the mean over the operations for a metric tensor, row by row
    label : of the prototype that it comes from; empty without one
    """

    positions: np.ndarray
    displacements: np.ndarray
    metrics: np.ndarray
    label: str = ""

    @staticmethod
    def of(structure: Structure, composition: Sequence[str], label: str = "") -> WyckoffTemplate:
        """The template with its atoms in the order of a composition.

        Raises ValueError for another composition, or if the cell cannot be reduced.
        """
        if sorted(structure.symbols) != sorted(composition):
            raise ValueError(f"a template of {structure.formula} has other atoms than {' '.join(composition)}")
        places: dict[str, list[int]] = {}
        for place, symbol in enumerate(structure.symbols):
            places.setdefault(symbol, []).append(place)
        order = [places[symbol].pop(0) for symbol in composition]
        reduced = niggli(Structure(structure.lattice, tuple(composition), structure.positions[order]))
        found, n = operations(reduced, TOLERANCE_A), len(order)
        blocks, means = np.zeros((n, n, 3, 3)), np.zeros((9, 9))
        for rotation, images in zip(found.rotations, found.images, strict=True):
            blocks[images, np.arange(n)] += rotation
            means += np.kron(rotation.T, rotation.T)
        g = len(found.rotations)
        displacements = blocks.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n) / g
        return WyckoffTemplate(reduced.positions, displacements, means / g, label)

    @staticmethod
    def none(atoms: int) -> WyckoffTemplate:
        """Without symmetry: nothing is changed."""
        return WyckoffTemplate(np.zeros((atoms, 3)), np.eye(3 * atoms), np.eye(9))


class BlockSymmetry:
    """The templates of the samples of a block, all of them with the same number of atoms."""

    def __init__(self, templates: Sequence[WyckoffTemplate], device: torch.device):
        """Raises ValueError if the numbers of atoms differ."""
        columns = zip(*((each.positions, each.displacements, each.metrics) for each in templates), strict=True)
        stacked = (torch.from_numpy(np.stack(column)).float().to(device) for column in columns)
        self._positions, self._displacements, self._metrics = stacked

    def __len__(self) -> int:
        return len(self._positions)

    def shift(self, positions: torch.Tensor) -> torch.Tensor:
        """What makes positions (b, n, 3) symmetric when it is added to them."""
        u = positions - self._positions
        u = u - u.round()
        return (self._displacements @ u.flatten(1)[..., None]).view_as(u) - u

    def symmetric_lattice(self, standard: torch.Tensor, atoms: torch.Tensor, scale: LatticeScale) -> torch.Tensor:
        """Standard numbers (b, 6) of lattices, see `lattice_numbers`, made symmetric. atoms : (b,)"""
        mean, deviation = (standard.new_tensor(each) for each in (scale.mean, scale.deviation))
        of_lengths = atoms.to(standard.dtype).log()[:, None].expand(-1, 3) / 3
        growth = torch.cat((of_lengths, torch.zeros_like(of_lengths)), 1)
        tensors = metric(standard * deviation + mean + growth)
        tensors = (self._metrics @ tensors.flatten(1)[..., None]).view_as(tensors)
        values, vectors = torch.linalg.eigh(tensors.cpu().double())  # 3 x 3; some devices have no 64 bits
        log = (vectors * values.clamp(min=LEAST_SQUARE_A2).log()[:, None, :] / 2) @ vectors.mT
        return (log[:, ROWS, COLUMNS].to(standard.dtype).to(standard.device) - growth - mean) / deviation
