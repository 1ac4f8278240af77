"""Structures of many formulas in a folder: CIF, POSCAR and a table; interrupted work resumes after each structure.

structures.csv       one row per structure; a formula without structures has one row with the error
cif/LaFeAsO-1.cif    the first structure of LaFeAsO; poscar/LaFeAsO-1.vasp, the same as POSCAR
relaxed/             one file per relaxed structure, in the order of the proposals
finished/            one file per finished formula: its rows; before they are on the hull, marked so
settings.json        the settings; other settings need another folder
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.chemistry.composition import whole_counts
from core.chemistry.structure import Structure
from core.errors import InputError
from core.files import read_json, remove_partial_files, write_atomically, write_json
from core.screening.convex_hull import HullDistance
from core.spreadsheet import safe_cell
from core.structures.at_once import mapped
from core.structures.environments import coordination_text, density_g_per_cm3
from core.structures.files import to_cif, to_poscar
from core.structures.match import Reduced
from core.structures.packed_structure import checksum
from core.structures.potential_hull import Stopped
from core.structures.prototypes import Proposal
from core.structures.relaxation import STOPPED, Relaxation, RelaxationSettings
from core.structures.relaxed_proposals import RelaxedProposal, ordered, packed, unpacked, unrelaxed

if TYPE_CHECKING:
    from core.structures.structure_models import StructureProperties

TABLE, SETTINGS, FINISHED, RELAXATIONS = "structures.csv", "settings.json", "finished", "relaxed"
COLUMNS = (
    "formula", "rank", "prototype", "example", "space_group", "n_atoms", "energy_eV_per_atom",
    "energy_above_hull_eV_per_atom", "relaxed", "band_gap_class", "tc_structure_K", "matches_known", "cif", "poscar",
    "volume_A3_per_atom", "shortest_distance_A", "score", "known_compounds", "known_superconductors", "relaxation",
    "relaxation_steps", "relaxation_volume_change", "pressure_GPa", "competing_phases", "note", "error",
    "density_g_per_cm3", "coordination", "metal_probability", "cell_formula",
)  # fmt: skip
NOT_PLACED = "not placed on the hull: its relaxation has not converged"
_WRITTEN_EVERY = 20  # formulas between two tables


class Relaxer(Protocol):
    """Relaxes a structure: `core.structures.relaxation.relax` with a potential and settings."""

    def __call__(self, structure: Structure, should_stop: Callable[[], bool]) -> Relaxation:
        """The relaxation, with the verdict STOPPED if `should_stop` said so."""
        ...


class Placer(Protocol):
    """Places relaxed structures on the hull of their elements, by the energies of the same potential."""

    def __call__(self, structure: Structure, energy_eV_per_atom: float) -> HullDistance | None:
        """The distance to the hull; None if there is none for the elements."""
        ...


class Describer(Protocol):
    """Says what models tell of structures: `core.structures.structure_models.StructureModels.properties`."""

    def __call__(self, structures: Sequence[Structure], space_groups: Sequence[int]) -> list[StructureProperties]:
        """The properties of structures with these space groups."""
        ...


class Finder(Protocol):
    """Proposes structures: `core.structures.prototypes.StructureFinder`."""

    def find(self, amounts: Mapping[str, float], top: int) -> list[Proposal]:
        """At most `top` structures of each source, the likeliest first. Raises InputError, and Stopped if stopped."""
        ...

    def known(self, counts: Mapping[str, int]) -> list[Structure]:
        """All known structures of a formula in lowest terms."""
        ...


@dataclass(frozen=True)
class FolderSettings:
    """What the structures of a folder depend on.

    top : most structures of a formula
    library, ranking : checksums of the two checkpoints
    potential : name of the interatomic potential; empty: the structures are not relaxed
    hull : whether the structures are placed on the hull
    property_models : checksums of the models of their properties; empty: none
    samples : structures of each formula that are drawn by diffusion; network : checksum of the network; empty: none
    relaxation : when a relaxation ends
    given : checksum of a structure from a file, in place of proposals; empty: none
    """

    top: int
    library: str
    ranking: str
    potential: str = ""
    hull: bool = False
    property_models: str = ""
    samples: int = 0
    network: str = ""
    relaxation: RelaxationSettings = field(default_factory=RelaxationSettings)
    given: str = ""


@dataclass(frozen=True)
class Work:
    """What is done with the proposals of a formula. None: left out

    relaxer : relaxes each; at_once : at the same time, each in a thread of its own
    placer : places relaxed ones on the hull
    describer : says whether they are metals, and their Tc
    """

    relaxer: Relaxer | None = None
    placer: Placer | None = None
    describer: Describer | None = None
    at_once: int = 1


@dataclass(frozen=True)
class Request:
    """A formula as given: amounts, or the reason why it cannot be read."""

    text: str
    amounts: Mapping[str, float] | None
    error: str = ""


def find_all(
    folder: Path,
    requests: Sequence[Request],
    finder: Finder,
    settings: FolderSettings,
    progress: Callable[[int], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
    work: Work | None = None,
) -> int:
    """Find the structures of all formulas, relax them, and write them; returns the number of formulas with an error.

    A formula or a relaxed structure that the folder has already is not done again. If `should_stop` says so, which is
    asked before each formula and each evaluation of the potential, or at an exception, the table holds what is
    finished.

    work : None leaves the structures as proposed, and the columns of energies and properties empty
    progress : called with the number of finished formulas

    Raises InputError (field "out") for a folder with other settings or one that cannot be written.
    """
    _prepare(folder, settings)
    rows: list[dict[str, str]] = []
    bad = 0
    try:
        for done, request in enumerate(requests, start=1):
            if should_stop():
                break
            own = _rows_of(folder, request, finder, settings, work or Work(), should_stop)
            if own is None:
                break
            rows += own
            bad += any(row["error"] for row in own)
            if done % _WRITTEN_EVERY == 0:
                write_atomically(folder / TABLE, _csv(rows))
            progress(done)
    finally:
        write_atomically(folder / TABLE, _csv(rows))
    return bad


def _prepare(folder: Path, settings: FolderSettings) -> None:
    try:
        for name in ("cif", "poscar", FINISHED, RELAXATIONS):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"this folder cannot be written ({error.strerror})"
        raise InputError("out", folder, reason, "Choose another") from None
    stored = read_json(folder / SETTINGS)
    if stored is not None and stored != asdict(settings):
        rule = "this folder has structures found with other settings or another library"
        raise InputError("out", folder, rule, "Choose a new folder")
    remove_partial_files(folder / FINISHED)
    remove_partial_files(folder / RELAXATIONS)
    write_json(folder / SETTINGS, asdict(settings))


def _rows_of(
    folder: Path,
    request: Request,
    finder: Finder,
    settings: FolderSettings,
    work: Work,
    should_stop: Callable[[], bool],
) -> list[dict[str, str]] | None:
    """The rows of a formula, from the folder if it is finished there; None if the work was stopped."""
    path = folder / FINISHED / f"{file_name(request.text)}.json"
    stored = read_json(path)
    if stored is not None and stored.get("formula") == request.text and stored.get("placed", True):
        return stored["rows"]
    error, proposals = request.error, []
    if request.amounts is not None:
        try:
            proposals = finder.find(request.amounts, settings.top)
        except InputError as refused:
            error = refused.message
        except Stopped:
            return None
    if not proposals:
        rows = [_error_row(request.text, error)]
        write_json(path, {"formula": request.text, "rows": rows})
        return rows
    found = unrelaxed(proposals)
    if work.relaxer is not None:
        try:
            relaxations = _relaxations(folder, request.text, proposals, work.relaxer, work.at_once, should_stop)
        except Stopped:
            return None
        found = ordered(proposals, relaxations, settings.relaxation.pressure_GPa)
    described, known = _described(found, work.describer), _known(request, found, finder)
    rows = [
        _write(folder, request.text, rank, each, settings) | {"matches_known": str(is_known).lower()} | own
        for rank, (each, is_known, own) in enumerate(zip(found, known, described, strict=True), start=1)
    ]
    if work.placer is not None:  # the hull may take minutes; what is there by then can be read
        write_json(path, {"formula": request.text, "rows": rows, "placed": False})
        try:
            rows = [_placed(row, each, work.placer) for row, each in zip(rows, found, strict=True)]
        except Stopped:
            return None
    write_json(path, {"formula": request.text, "rows": rows})
    return rows


def _relaxations(
    folder: Path,
    formula: str,
    proposals: Sequence[Proposal],
    relaxer: Relaxer,
    at_once: int,
    should_stop: Callable[[], bool],
) -> list[Relaxation]:
    """The relaxation of each proposal, from the folder where it is there. Raises Stopped."""

    def relaxed(numbered: tuple[int, Proposal]) -> Relaxation:
        place, proposal = numbered
        path = folder / RELAXATIONS / f"{file_name(formula)}-{place}-{checksum(proposal.structure)}.json"
        stored = read_json(path)
        if stored is not None:
            return unpacked(stored)
        found = relaxer(proposal.structure, should_stop)
        if found.verdict == STOPPED:
            raise Stopped
        write_json(path, packed(found))
        return found

    return mapped(relaxed, list(enumerate(proposals, start=1)), at_once)


def _write(folder: Path, formula: str, rank: int, found: RelaxedProposal, settings: FolderSettings) -> dict[str, str]:
    """Write the files of a structure; returns its row."""
    made, proposal = found.structure, found.proposal
    name = f"{file_name(formula)}-{rank}"
    cif, poscar = f"cif/{name}.cif", f"poscar/{name}.vasp"
    about = f"{formula}, rank {rank}, {proposal.origin}"
    about += f", {found.note}" if found.note else ""
    about += f", {_relaxed_by(found.relaxation, settings)}"
    write_atomically(folder / cif, f"# {about}\n{to_cif(made)}")
    write_atomically(folder / poscar, to_poscar(made, about))
    values = {
        "formula": formula, "rank": rank, "prototype": proposal.prototype, "example": proposal.example,
        "space_group": found.space_group, "n_atoms": len(made.symbols),
        "cell_formula": made.formula, "cif": cif, "poscar": poscar,
        "volume_A3_per_atom": f"{made.volume_A3_per_atom:.3f}",
        "shortest_distance_A": f"{made.shortest_distance_A():.3f}",
        "density_g_per_cm3": f"{density_g_per_cm3(made):.3f}", "coordination": coordination_text(made),
        "score": _number(proposal.score, 3), "known_compounds": proposal.compounds,
        "known_superconductors": proposal.superconductors, "note": found.note,
    } | _of_relaxation(found.relaxation, settings)  # fmt: skip
    return {column: str(values.get(column, "")) for column in COLUMNS}


def _known(request: Request, found: Sequence[RelaxedProposal], finder: Finder) -> list[bool]:
    """Whether each structure, relaxed where it was, is a known one of the formula; never one of another composition."""
    references: dict[str, list[Reduced]] = {}
    asked, known = whole_counts(request.amounts or {}), []
    for each in found:
        structure = each.structure
        if each.relaxation is None or structure.lowest_terms != asked:
            known.append(each.relaxation is None and each.proposal.known)
            continue
        if structure.formula not in references:
            references[structure.formula] = [Reduced(own) for own in finder.known(structure.lowest_terms)]
        cell = Reduced(structure)
        known.append(any(cell.matches(own) for own in references[structure.formula]))
    return known


def _of_relaxation(relaxation: Relaxation | None, settings: FolderSettings) -> dict[str, str]:
    """The columns of a relaxation."""
    if relaxation is None:
        return {"relaxed": "false"}
    return {
        "relaxed": str(relaxation.converged).lower(),
        "energy_eV_per_atom": _number(relaxation.energy_eV_per_atom, 5),
        "relaxation": f"{relaxation.verdict}: {relaxation.reason}" if relaxation.reason else relaxation.verdict,
        "relaxation_steps": str(relaxation.steps),
        "relaxation_volume_change": _number(relaxation.volume_change, 4),
        "pressure_GPa": f"{settings.relaxation.pressure_GPa:g}",
    }


def _described(found: Sequence[RelaxedProposal], describer: Describer | None) -> list[dict[str, str]]:
    """The columns of the models of properties; none for a structure without a minimum."""
    described: list[dict[str, str]] = [{} for _ in found]
    chosen = [i for i, each in enumerate(found) if each.relaxation is None or each.relaxation.has_minimum]
    if describer is None or not chosen:
        return described
    said = describer([found[i].structure for i in chosen], [found[i].space_group for i in chosen])
    for i, each in zip(chosen, said, strict=True):
        described[i] = {
            "band_gap_class": each.band_gap_class,
            "metal_probability": _number(each.metal_probability, 3),
            "tc_structure_K": _number(each.tc_K, 2),
        }
    return described


def _placed(row: dict[str, str], found: RelaxedProposal, placer: Placer) -> dict[str, str]:
    """The row with the columns of the hull, or with the note why they are empty."""
    if found.relaxation is not None and found.relaxation.has_minimum and not found.relaxation.converged:
        return row | {"note": "; ".join(text for text in (row["note"], NOT_PLACED) if text)}
    return row | _on_hull(found, placer)


def _on_hull(found: RelaxedProposal, placer: Placer) -> dict[str, str]:
    """The columns of the hull; none for a structure without a minimum, and where energies decide nothing."""
    if found.relaxation is None or not found.relaxation.converged or found.undecided:
        return {}
    distance = placer(found.structure, found.relaxation.energy_eV_per_atom)
    if distance is None:
        return {}
    phases = " + ".join(f"{fraction:.3g} {formula}" for formula, fraction in distance.decomposition)
    return {
        "energy_above_hull_eV_per_atom": _number(distance.energy_above_hull_eV_per_atom, 4),
        "competing_phases": phases,
    }


def _relaxed_by(relaxation: Relaxation | None, settings: FolderSettings) -> str:
    if relaxation is None:
        return "not relaxed"
    pressure_GPa = settings.relaxation.pressure_GPa
    under = f" under {pressure_GPa:g} GPa" if pressure_GPa else ""
    return f"{relaxation.verdict} by {settings.potential}{under}"


def _number(value: float, digits: int) -> str:
    """A number as text; empty if it is not finite."""
    return f"{round(value, digits) + 0.0:.{digits}f}" if math.isfinite(value) else ""  # + 0.0: no negative zero


def _error_row(formula: str, message: str) -> dict[str, str]:
    return {column: {"formula": formula, "error": message}.get(column, "") for column in COLUMNS}


def file_name(formula: str) -> str:
    """A formula as the name of a file: other characters than letters, digits and points become underscores.

    Names that change, or that differ from another's only in the case of letters, end in a checksum: Co and CO are one
    file on some systems.
    """
    plain = re.sub(r"[^A-Za-z0-9.]", "_", formula)[:60]
    return f"{plain}-{hashlib.sha256(formula.encode()).hexdigest()[:6]}"


def _csv(rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(text: str) -> object:
    """The text of a number as it is, other text made safe for spreadsheets."""
    try:
        float(text)
    except ValueError:
        return safe_cell(text)
    return text
