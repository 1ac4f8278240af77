"""Structures as rows of a list, proposed or from a file, and their files. No Streamlit here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from app.text.formatting import SUBSCRIPTS, formula_text, signed_number, with_minus
from core.chemistry.composition import composition_vector
from core.chemistry.families import hydrogen_rich
from core.chemistry.structure import Structure, lattice_parameters
from core.structures.environments import coordination_text, density_g_per_cm3
from core.structures.files import to_cif, to_poscar
from core.structures.folder import file_name
from core.structures.given_structure import FROM_FILE, structure_of_file
from core.structures.interatomic import CHGNET
from core.structures.match import Reduced
from core.structures.prototypes import Proposal
from core.structures.quantum_espresso import input_files, zipped
from core.structures.structure_models import METAL, StructureProperties
from core.structures.symmetry import conventional_cell, space_group_of, space_group_symbol

NO_HYDRIDES = "; the model has learnt no hydride of high pressure"
TC_LABEL = "by the model of electron-phonon calculations; conventional superconductors only"


@dataclass(frozen=True)
class Listed:
    """A structure of the list.

    structure : primitive cell, or a supercell
    formula : as asked, or of the file
    rank : from 1
    proposal : where it comes from; None for a file
    origin : where a structure without a proposal comes from, in words
    same_as : for a file: what it was compared with, in words
    properties : what models say of it; None: not asked
    relaxed : the row of structures.csv of a relaxed structure; None: not relaxed
    """

    structure: Structure
    formula: str
    space_group: int
    rank: int = 1
    proposal: Proposal | None = None
    origin: str = FROM_FILE
    same_as: str = ""
    properties: StructureProperties | None = None
    relaxed: Mapping[str, str] | None = None

    @property
    def drawn(self) -> Structure:
        """The cell that shows the symmetry."""
        return conventional_cell(self.structure)

    @property
    def name(self) -> str:
        """The beginning of the names of its files."""
        return f"{file_name(self.formula)}-{'as-given' if self.as_given else self.rank}"

    @property
    def as_given(self) -> bool:
        """Whether it is the structure of a file as it is."""
        return self.proposal is None and self.origin == FROM_FILE

    @property
    def about(self) -> str:
        """One line for the head of its files."""
        if self.proposal is None:
            return f"{self.formula}, {self.origin}"
        text = f"{self.formula}, rank {self.rank}, {self.proposal.origin}"
        return f"{text}{', ' if self.proposal.note else ''}{self.proposal.note}, {self._state}"

    @property
    def _state(self) -> str:
        if self.relaxed is None:
            return "not relaxed"
        pressure = f" under {self.relaxed['pressure_GPa']} GPa" if self.relaxed["pressure_GPa"] != "0" else ""
        return f"{self.relaxed['relaxation']} by {CHGNET}{pressure}"

    def cif(self) -> str:
        """As CIF."""
        return f"# {self.about}\n{to_cif(self.structure)}"

    def poscar(self) -> str:
        """As POSCAR."""
        return to_poscar(self.structure, self.about)

    def espresso(self) -> bytes:
        """Input files for Quantum ESPRESSO, as a ZIP file."""
        pressure_GPa = float(self.relaxed["pressure_GPa"] or 0) if self.relaxed else 0.0
        return zipped(input_files(self.structure, self.about, pressure_GPa), self.name)


def listed(
    formula: str, proposals: Sequence[Proposal], properties: Sequence[StructureProperties] | None = None
) -> list[Listed]:
    """The proposals of a formula in their order. properties : of each"""
    said = properties or [None] * len(proposals)
    pairs = enumerate(zip(proposals, said, strict=True), start=1)
    return [Listed(p.structure, formula, p.space_group, rank, p, properties=own) for rank, (p, own) in pairs]


def from_file(name: str, content: bytes) -> Listed:
    """The structure of an uploaded CIF. Raises InputError (field "cif"), see `structure_of_file`."""
    structure = structure_of_file(name, content)
    return Listed(structure, structure.formula, space_group_of(structure))


def compared(mine: Listed, proposals: Sequence[Proposal], known_structures: Sequence[Structure] = ()) -> Listed:
    """A structure of a file with the proposal of its formula that is the same by `core.structures.match`, if any.

    known_structures : all known ones of the formula
    """
    cell = Reduced(mine.structure)
    for rank, proposal in enumerate(proposals, start=1):
        if cell.matches(Reduced(proposal.structure)):
            known = "a known structure" if proposal.known else "not a known structure"
            text = f"proposal {rank} of {mine.formula}, like {proposal.example}, {known} of this formula"
            return replace(mine, same_as=text)
    text = f"none of the {len(proposals)} structures proposed for {mine.formula}"
    if any(cell.matches(Reduced(each)) for each in known_structures):
        text = f"a known structure of {mine.formula}, {text}"
    return replace(mine, same_as=text)


def space_group_text(number: int) -> str:
    """A space group: "P4/nmm (129)", "P6₃mc (186)"."""
    symbol = re.sub(r"_(\d)", lambda match: match.group(1).translate(SUBSCRIPTS), space_group_symbol(number))
    return f"{symbol} ({number})"


def table(rows: Sequence[Listed]) -> pd.DataFrame:
    """One row per structure, as displayed."""
    return pd.DataFrame([_row(each) for each in rows])


def _row(each: Listed) -> dict[str, object]:
    geometry = {
        "n_atoms": len(each.structure.symbols),
        "volume_A3_per_atom": round(each.structure.volume_A3_per_atom, 2),
        "shortest_distance_A": round(each.structure.shortest_distance_A(), 2),
    }
    proposal = each.proposal
    said = _said(each)
    if proposal is None:
        group = space_group_text(each.space_group)
        made = {"prototype": f"{FROM_FILE}, not relaxed"} if each.as_given else {}
        return {"formula": formula_text(each.formula), "space_group": group, **said, **geometry, **made}
    return {
        "rank": each.rank,
        "space_group": space_group_text(each.space_group),
        **({"above_hull": _number(each.relaxed["energy_above_hull_eV_per_atom"])} if each.relaxed else {}),
        **said,
        "example": formula_text(proposal.example),
        "known": proposal.known,
        **geometry,
        "prototype": proposal.prototype,
        "note": proposal.note,
        "compounds": proposal.compounds,
        "superconductors": proposal.superconductors,
    }


def _said(each: Listed) -> dict[str, object]:
    """What the models say, as columns."""
    if each.properties is None:
        return {"class": "", "tc_structure_K": None} if each.relaxed else {}
    tc_K = each.properties.tc_K
    return {"class": each.properties.band_gap_class, "tc_structure_K": None if math.isnan(tc_K) else round(tc_K, 1)}


def _number(text: str) -> float | None:
    return float(text) if text else None


def property_facts(each: Listed) -> dict[str, str]:
    """What the models say of a structure: term -> plain text."""
    said = each.properties
    if said is None:
        return {}
    p = said.metal_probability
    chance = f"probability {p:.0%}" if said.band_gap_class == METAL else f"probability of a metal {p:.0%}"
    tc = "none: the model has learnt metals only" if math.isnan(said.tc_K) else f"{said.tc_K:.1f} K"
    amounts = {symbol: float(n) for symbol, n in each.structure.counts.items()}
    unseen = NO_HYDRIDES if hydrogen_rich(composition_vector(amounts)[None])[0] else ""
    return {
        "Metal or not": f"{said.band_gap_class}, {chance}, as PBE calculations have it{unseen}",
        "Tc by structure": f"{tc}, {TC_LABEL}{unseen}",
    }


def relaxation_facts(each: Listed) -> dict[str, str]:
    """What the relaxation and the hull say: term -> plain text."""
    row = each.relaxed
    if row is None:
        return {}
    change = row["relaxation_volume_change"]
    volume = f"; its volume changed by {with_minus(f'{100 * float(change):+.1f}')}%" if change else ""
    under = f" under {row['pressure_GPa']} GPa" if row["pressure_GPa"] not in ("", "0") else ""
    found = {
        "Relaxation": f"{row['relaxation']} after {row['relaxation_steps']} evaluations of {CHGNET}{under}{volume}"
    }
    if row["energy_eV_per_atom"]:
        found["Energy"] = f"{signed_number(float(row['energy_eV_per_atom']), 3)} eV/atom by {CHGNET}"
    if row["energy_above_hull_eV_per_atom"]:
        above = signed_number(float(row["energy_above_hull_eV_per_atom"]), 3)
        beside = (
            row["competing_phases"].replace("1 ", "")
            if " + " not in row["competing_phases"]
            else row["competing_phases"]
        )
        found["Above the hull"] = f"{above} eV/atom by {CHGNET}; stable there: {beside}"
    return found


def facts(each: Listed) -> Mapping[str, str]:
    """What is said of the selected structure under the picture: term -> plain text."""
    a, b, c, alpha, beta, gamma = lattice_parameters(each.drawn.lattice)
    found = {
        "Space group": space_group_text(each.space_group),
        "Cell drawn": f"a, b, c = {a:.3f}, {b:.3f}, {c:.3f} Å; α, β, γ = {alpha:.1f}, {beta:.1f}, {gamma:.1f}°; "
        f"{len(each.drawn.symbols)} atoms",
        "Volume": f"{each.structure.volume_A3_per_atom:.2f} Å³ per atom; density "
        f"{density_g_per_cm3(each.structure):.2f} g/cm³",
        "Shortest distance": f"{each.structure.shortest_distance_A():.2f} Å",
        "Coordination": f"{coordination_text(each.structure)} (effective numbers after Hoppe)",
    }
    found = {**relaxation_facts(each), **property_facts(each), **found}
    proposal = each.proposal
    if proposal is None:
        return {**({"The same as": each.same_as} if each.same_as else {}), **found}
    known = "this formula is known in this structure" if proposal.known else "not known in this structure"
    if not proposal.example:
        return {"Known": known, **({"Note": proposal.note} if proposal.note else {}), **found}
    number = f" ({proposal.example_id})" if proposal.example_id else ""
    taken = "1 known compound has" if proposal.compounds == 1 else f"{proposal.compounds:,} known compounds have"
    return {
        "Prototype": f"{proposal.prototype}, as {formula_text(proposal.example)}{number}; {taken} it, "
        f"{proposal.superconductors:,} of them superconductors",
        "Known": known,
        **({"Note": proposal.note} if proposal.note else {}),
        **found,
    }
