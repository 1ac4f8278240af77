"""Proposed structures after relaxation: their order, those that became the same, and relaxations that can be stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from core.chemistry.composition import composition_vector
from core.chemistry.families import hydrogen_rich
from core.chemistry.structure import Structure
from core.structures.match import Reduced
from core.structures.prototypes import Proposal
from core.structures.relaxation import Relaxation
from core.structures.symmetry import symmetric

ENERGY_SCALE_EV_PER_ATOM = 0.05  # of the enthalpy that takes as much from a score as a factor e of the odds
PLACE_EV_PER_ATOM = 0.002  # by which the enthalpy of a known structure must be lower to move up one place
_HYDRIDE = "hydrogen-rich compounds are made under pressure and none was given: their energies decide nothing"


@dataclass(frozen=True)
class RelaxedProposal:
    """A proposal with its relaxation, None if it was not relaxed.

    space_group : of the relaxed structure
    note : the proposal's, with what the relaxation adds
    undecided : whether its energy decides nothing: hydrogen-rich compounds without pressure
    """

    proposal: Proposal
    relaxation: Relaxation | None
    space_group: int
    note: str
    undecided: bool = False

    @property
    def structure(self) -> Structure:
        """The relaxed structure, or the proposed one."""
        return self.relaxation.structure if self.relaxation else self.proposal.structure


def unrelaxed(proposals: Sequence[Proposal]) -> list[RelaxedProposal]:
    """Proposals as they are."""
    return [RelaxedProposal(each, None, each.space_group, each.note) for each in proposals]


def ordered(
    proposals: Sequence[Proposal], relaxations: Sequence[Relaxation], pressure_GPa: float
) -> list[RelaxedProposal]:
    """The proposals, each with its relaxation, the likeliest first.

    Known structures come first, by enthalpy + PLACE times their place, as the potential errs by a few meV/atom; then
    the others by score - enthalpy / ENERGY_SCALE. Behind all others are structures that became the same as one before
    them, and those without a minimum. Where the proposals are of several compositions, and for hydrogen-rich ones
    without pressure, enthalpies are not compared, and the order of the proposals stays.
    """
    hydride = pressure_GPa == 0 and _hydrogen_rich(proposals)
    comparable = len({each.structure.formula for each in proposals}) <= 1 and not hydride
    order = sorted(range(len(proposals)), key=lambda i: _place(proposals[i], relaxations[i], i, comparable))
    first: list[RelaxedProposal] = []
    cells: list[Reduced] = []
    last: list[RelaxedProposal] = []
    for i in order:
        made = _with(proposals[i], relaxations[i], hydride)
        cell = Reduced(made.structure) if relaxations[i].has_minimum else None
        same = next((k for k, other in enumerate(cells) if cell is not None and cell.matches(other)), None)
        if cell is None:
            last.append(made)
        elif same is not None:
            note = "; ".join(text for text in (made.note, f"relaxes to the structure of rank {same + 1}") if text)
            last.append(replace(made, note=note))
        else:
            first.append(made)
            cells.append(cell)
    return first + sorted(last, key=lambda each: each.relaxation is None or not each.relaxation.has_minimum)


def _place(proposal: Proposal, relaxation: Relaxation, given: int, comparable: bool) -> tuple[bool, bool, float, int]:
    enthalpy = relaxation.enthalpy_eV_per_atom
    if not comparable or not math.isfinite(enthalpy):
        return not relaxation.has_minimum, not proposal.known, 0.0, given
    value = (
        enthalpy + PLACE_EV_PER_ATOM * given if proposal.known else enthalpy / ENERGY_SCALE_EV_PER_ATOM - proposal.score
    )
    return not relaxation.has_minimum, not proposal.known, value, given


def _hydrogen_rich(proposals: Sequence[Proposal]) -> bool:
    amounts = [{s: float(n) for s, n in each.structure.counts.items()} for each in proposals]
    return bool(amounts) and bool(hydrogen_rich(np.stack([composition_vector(each) for each in amounts])).any())


def _with(proposal: Proposal, relaxation: Relaxation, undecided: bool) -> RelaxedProposal:
    found = symmetric(relaxation.structure) if relaxation.has_minimum else None
    note = "; ".join(text for text in (proposal.note, _HYDRIDE if undecided else "") if text)
    space_group = found.space_group if found else proposal.space_group
    return RelaxedProposal(proposal, relaxation, space_group, note, undecided)


def packed(relaxation: Relaxation) -> dict[str, Any]:
    """A relaxation as JSON; the inverse of `unpacked`."""
    values = asdict(relaxation) | {"structure": None}
    made = relaxation.structure
    lattice, positions = made.lattice.tolist(), made.positions.tolist()
    plain = {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in values.items()}
    return plain | {"structure": {"lattice": lattice, "symbols": list(made.symbols), "positions": positions}}


def unpacked(stored: Mapping[str, Any]) -> Relaxation:
    """The relaxation that `packed` made."""
    made = stored["structure"]
    structure = Structure(np.array(made["lattice"]), tuple(made["symbols"]), np.array(made["positions"]))
    values: dict[str, Any] = {name: math.nan if value is None else value for name, value in stored.items()}
    values["structure"] = structure
    return Relaxation(**values)
