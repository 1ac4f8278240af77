"""A structure from a file in place of proposals, to be relaxed and placed on the hull like them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures.bonds import image_reach
from core.structures.files import read_cif
from core.structures.folder import Finder, Request
from core.structures.match import Reduced
from core.structures.prototypes import Proposal
from core.structures.symmetry import space_group_of

FROM_FILE = "from a file"  # in the column of the prototype
MOST_FILE_BYTES = 2_000_000
MOST_FILE_ATOMS = 200  # of a primitive cell; the page searches all pairs of atoms
MOST_FILE_REACH = 20  # cells in each direction that a bond can cross; thinner cells hold no atoms
_FARTHEST_BOND_A = 5.0


@dataclass(frozen=True)
class GivenStructure:
    """A finder that proposes one structure. finder : of the known structures"""

    structure: Structure
    finder: Finder

    @property
    def request(self) -> Request:
        """The formula of the structure."""
        return Request(self.structure.formula, {symbol: float(n) for symbol, n in self.structure.counts.items()})

    def find(self, amounts: Mapping[str, float], top: int) -> list[Proposal]:
        """The structure, for its own formula."""
        cell = Reduced(self.structure)
        known = any(cell.matches(Reduced(each)) for each in self.known(self.structure.lowest_terms))
        return [
            Proposal(
                structure=self.structure, prototype=FROM_FILE, index=-1, space_group=space_group_of(self.structure),
                example="", example_id="", distance=np.nan, compounds=0, superconductors=0, score=0.0, known=known,
            )
        ]  # fmt: skip

    def known(self, counts: Mapping[str, int]) -> list[Structure]:
        """All known structures of a formula in lowest terms."""
        return self.finder.known(counts)


def structure_of_file(name: str, content: bytes) -> Structure:
    """The primitive cell of the first structure in a CIF. name : of the file, for messages

    Raises InputError (field "cif") as `read_cif`, and for cells that are too large or too thin.
    """
    structure = read_cif(content.decode("utf-8", errors="replace"), name)
    if len(structure.symbols) > MOST_FILE_ATOMS:
        rule = f"its primitive cell has {len(structure.symbols):,} atoms, and {MOST_FILE_ATOMS} are the most"
        raise InputError("cif", name, rule, "Choose a smaller structure")
    if max(image_reach(structure.lattice, _FARTHEST_BOND_A, structure.positions)) > MOST_FILE_REACH:
        raise InputError("cif", name, "its cell is far too thin for atoms", "Check the unit, which must be Å")
    return structure
