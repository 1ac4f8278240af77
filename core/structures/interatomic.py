"""Interatomic potentials: energy, forces and stress of a crystal.

The project uses CHGNet 0.3.0 (B. Deng et al., Nature Machine Intelligence 5, 1031 (2023),
doi:10.1038/s42256-023-00716-3), whose weights are in its package. It was trained on relaxations of the Materials
Project with PBE and PBE+U, and has the corrections of that database in its energies. Energies of two potentials are
never compared.
"""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure
from core.structures.match import to_pymatgen

if TYPE_CHECKING:
    from chgnet.model import CHGNet

CHGNET = "CHGNet 0.3.0"
LARGEST_ATOMIC_NUMBER = 94  # of the elements that CHGNet knows
_WEIGHTS = "pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar"


class PotentialError(ValueError):
    """The potential cannot evaluate a structure: an unknown element, or an atom without neighbours."""


@dataclass(frozen=True)
class Response:
    """What a potential says of a structure of n atoms.

    energy_eV : of the cell
    forces_eV_per_A : (n, 3)
    stress_GPa : (3, 3) derivative of the energy by the strain, divided by the volume; positive where the cell pulls
        itself together
    """

    energy_eV: float
    forces_eV_per_A: np.ndarray
    stress_GPa: np.ndarray


class Potential(Protocol):
    """An interatomic potential."""

    name: str

    def evaluate(self, structure: Structure) -> Response:
        """Energy, forces and stress. Raises PotentialError."""
        ...


class ChgnetPotential:
    """CHGNet on one core of the processor, in single precision."""

    name = CHGNET

    def __init__(self, model: CHGNet):
        self._model = model

    def evaluate(self, structure: Structure) -> Response:
        """Energy, forces and stress.

        Raises PotentialError for an element after plutonium, for an atom without neighbours within 6 Å, and for values
        that are not finite.
        """
        unknown = {s for s in structure.symbols if elements.element(s).atomic_number > LARGEST_ATOMIC_NUMBER}
        if unknown:
            raise PotentialError(f"{CHGNET} does not know {', '.join(sorted(unknown))}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of conversions inside the package, at every call
            try:
                graph = self._model.graph_converter(to_pymatgen(structure))
            except ValueError as error:
                raise PotentialError("an atom has no neighbours within 6 Å") from error
            found = self._model.predict_graph(graph, task="efs")
        assert isinstance(found, dict)  # a list for several graphs
        energy_eV = float(found["e"]) * len(structure.symbols)
        response = Response(energy_eV, np.asarray(found["f"], dtype=float), np.asarray(found["s"], dtype=float))
        if not (np.isfinite(energy_eV) and np.isfinite(response.forces_eV_per_A).all()):
            raise PotentialError("its energy or forces are not finite")
        if not np.isfinite(response.stress_GPa).all():
            raise PotentialError("its stress is not finite")
        return response


@cache
def load_chgnet() -> ChgnetPotential:
    """CHGNet, loaded once per process. The weights are read without running code that a file might contain."""
    import chgnet
    import torch
    from chgnet.model import CHGNet

    path = Path(str(chgnet.__file__)).parent / _WEIGHTS
    model = torch.load(path, map_location="cpu", weights_only=True)["model"]
    # These two arguments are those of CHGNet.load for this version.
    with contextlib.redirect_stdout(None):  # it prints its number of parameters
        made = CHGNet(**model["model_args"], mlp_out_bias=False, version="0.3.0")
    made.load_state_dict(model["state_dict"])
    return ChgnetPotential(made.eval())
