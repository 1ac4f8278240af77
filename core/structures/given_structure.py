"""A structure from a file in place of proposals, to be relaxed and placed on the hull like them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.chemistry.structure import Structure
from core.structures.folder import Finder, Request
from core.structures.match import Reduced
from core.structures.prototypes import Proposal
from core.structures.symmetry import space_group_of

FROM_FILE = "from a file"  # in the column of the prototype


@dataclass(frozen=True)
class GivenStructure:
    """A finder that proposes one structure. library : the known structures"""

    structure: Structure
    library: Finder

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
        return self.library.known(counts)
