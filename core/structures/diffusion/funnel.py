"""The screening of generated crystals, step by step, with the reason why each one is lost.

The steps follow "Inverse Design of Novel Superconductors via Guided Diffusion", without its calculations by density
functional theory: a valid structure, unique among the samples, no known compound, relaxed by an interatomic potential,
still unique and no known compound, bound (formation energy below 0), a metal, Tc by structure above a limit, near the
hull. The test of validity, and the second look at what is unique and known after the relaxation, are our own; known
compounds are those of a library of structures, not only those of the tuning. A crystal that is lost is in no later
step. Relaxations are kept, so that a screening that was stopped
goes on after the last of them.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core.chemistry.structure import Structure
from core.errors import InputError
from core.files import read_json, write_atomically, write_json
from core.spreadsheet import safe_cell
from core.structures.at_once import mapped
from core.structures.diffusion.folder import TABLE as SAMPLES
from core.structures.diffusion.request import GenerationRequest
from core.structures.files import read_cif, to_cif
from core.structures.folder import Describer, Placer, Relaxer
from core.structures.match import Reduced
from core.structures.potential_hull import Stopped
from core.structures.relaxation import STEP_LIMIT, STOPPED, Relaxation, RelaxationSettings
from core.structures.relaxed_proposals import packed, unpacked
from core.structures.symmetry import space_group_of

TABLE, RELAXATIONS, CIF = "funnel.csv", "relaxations", "relaxed"
VALID, UNIQUE, NEW, RELAXED, UNIQUE_RELAXED, NEW_RELAXED, BOUND, METALLIC, HOT, NEAR_HULL = STEPS = (
    "valid structure", "unique", "new", "relaxed", "unique when relaxed", "new when relaxed",
    "formation energy below 0", "metal", "Tc by structure", "near the hull",
)  # fmt: skip
COLUMNS = (
    "number", "formula", "n_elements", "n_atoms", "lost_at", "reason", "known", "space_group", "relaxation",
    "relaxation_steps", "relaxation_volume_change", "volume_A3_per_atom",
    "energy_eV_per_atom", "formation_energy_eV_per_atom", "metal_probability", "tc_structure_K",
    "energy_above_hull_eV_per_atom", "competing_phases", "cif",
)  # fmt: skip
Row = dict[str, str]
PAPER_SHARES = {2: 0.17, 3: 0.59, 4: 0.23, 5: 0.01}  # of its 773 candidates, by number of elements
_WRITTEN_EVERY_S = 2.0
_TOGETHER = 4  # samples for each process, between two of which all wait for the slowest


@dataclass(frozen=True)
class FunnelSettings:
    """Limits of the last two steps, those of the paper.

    known_are_kept : whether known compounds are marked instead of lost, as of a given formula
    """

    least_tc_K: float = 5.0
    most_above_hull_eV_per_atom: float = 0.2
    known_are_kept: bool = False

    @classmethod
    def of_request(cls, request: GenerationRequest) -> FunnelSettings:
        """The settings for what was asked: whoever names a formula wants its known structures too."""
        return cls(known_are_kept=request.composition is not None)


@dataclass(frozen=True)
class FunnelWork:
    """What the steps need.

    known : counts in lowest terms -> all known structures of this formula
    relaxer : relaxes a structure; its energies are those of one potential
    formation_energy : relaxed structure and its energy (eV/atom) -> formation energy from the elements by the same
        potential in eV/atom; None if an element has no energy
    describer : says whether structures are metals, and their Tc
    placer : places relaxed structures on the hull
    most_steps : of a relaxation; one that ended at another limit is made again
    at_once : structures that are relaxed at the same time, each in a thread of its own
    """

    known: Callable[[Mapping[str, int]], Sequence[Structure]]
    relaxer: Relaxer
    formation_energy: Callable[[Structure, float], float | None]
    describer: Describer
    placer: Placer
    most_steps: int = RelaxationSettings.most_steps
    at_once: int = 1


def screen(
    folder: Path,
    settings: FunnelSettings,
    work: FunnelWork,
    should_stop: Callable[[], bool] = lambda: False,
    told: Callable[[int, int], None] = lambda done, all_: None,
) -> list[Row] | None:
    """Screen the samples of a folder; writes `funnel.csv`, also meanwhile, and the relaxed structures.

    None if it was stopped.

    folder : with `samples.csv` and cif/, see `core.structures.diffusion.folder`
    told : called with the screened and all samples

    Raises InputError (field "folder") without samples, and for a sample whose CIF cannot be read.
    """
    samples = _samples(folder)
    for name in (RELAXATIONS, CIF):
        (folder / name).mkdir(exist_ok=True)
    screening, rows = _Screening(folder, settings, work, should_stop), []
    written = time.monotonic()
    together = 1 if work.at_once == 1 else _TOGETHER * work.at_once
    for first in range(0, len(samples), together):
        begun = [screening.begun(sample) for sample in samples[first : first + together]]
        try:
            relaxations = mapped(screening.relaxation, begun, work.at_once, _after(first, len(samples), told))
            rows += [
                screening.ended(each.row, relaxation) if relaxation is not None else each.row
                for each, relaxation in zip(begun, relaxations, strict=True)
            ]
        except Stopped:
            return None
        if len(rows) == len(samples) or time.monotonic() - written > _WRITTEN_EVERY_S:
            write_atomically(folder / TABLE, _csv(rows))
            written = time.monotonic()
    return rows


def _after(first: int, every: int, told: Callable[[int, int], None]) -> Callable[[int], None]:
    """Tells how many of a part are done as how many of all."""
    return lambda done: told(first + done, every)


def read(folder: Path) -> list[Row]:
    """The rows of the screened crystals so far; empty if there are none."""
    return _rows(folder / TABLE) if (folder / TABLE).exists() else []


def counts(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """(step, crystals left after it), the samples themselves first."""
    lost, left = Counter(row["lost_at"] for row in rows), len(rows)
    found = [("samples", left)]
    for step in STEPS:
        left -= lost[step]
        found.append((step, left))
    return found


def above_hull_eV_per_atom(
    folder: Path, work: FunnelWork, count: int, told: Callable[[str], None] = lambda text: None
) -> list[float | None]:
    """The distance to the hull of the first samples of a folder, whatever the steps say of them.

    None for one that has no valid structure, does not relax, or has an element without energy. Relaxations are shared
    with those of `screen`.

    Raises InputError (field "folder") without samples.
    """
    screening, found = _Screening(folder, FunnelSettings(), work, lambda: False), []
    (folder / RELAXATIONS).mkdir(exist_ok=True)
    for place, sample in enumerate(_samples(folder)[:count], start=1):
        told(f"hull of sample {place} of {count}: {sample['formula']}")
        found.append(screening.above_hull(sample))
    return found


def label_of(step: str, settings: FunnelSettings = FunnelSettings()) -> str:
    """A step with its limit, or with what it keeps."""
    kept = {NEW: "new, or known and kept", NEW_RELAXED: "new when relaxed, or known and kept"}
    return {
        **(kept if settings.known_are_kept else {}),
        HOT: f"Tc by structure above {settings.least_tc_K:g} K",
        NEAR_HULL: f"within {settings.most_above_hull_eV_per_atom:g} eV/atom of the hull",
    }.get(step, step)


def kind_of_reason(row: Row, settings: FunnelSettings = FunnelSettings()) -> str:
    """The reason of a row without the figures of its crystal, so that equal ones are counted together."""
    if not any(letter.isdigit() for letter in row["reason"]):
        return row["reason"]
    return {
        UNIQUE: "the same as another crystal",
        UNIQUE_RELAXED: "the same as another crystal",
        BOUND: "formation energy not below 0",
        METALLIC: "no metal",
        HOT: f"Tc at most {settings.least_tc_K:g} K",
        NEAR_HULL: f"more than {settings.most_above_hull_eV_per_atom:g} eV/atom above the hull",
    }.get(row["lost_at"], row["reason"])


def by_number_of_elements(rows: Sequence[Row]) -> dict[int, float]:
    """Number of elements -> share of the crystals that pass every step; empty if none does."""
    passing = Counter(int(row["n_elements"]) for row in rows if not row["lost_at"])
    return {number: passing[number] / passing.total() for number in sorted(passing)}


def elements_text(rows: Sequence[Row]) -> str:
    """The numbers of elements in the crystals that pass, beside those of the paper; empty if none passes."""
    here = by_number_of_elements(rows)
    if not here:
        return ""
    passing = sum(not row["lost_at"] for row in rows)
    counts_here = ", ".join(f"{round(n * passing)} {_kind(size)} ({n:.0%})" for size, n in here.items())
    in_paper = ", ".join(f"{share:.0%} {_kind(size)}" for size, share in PAPER_SHARES.items())
    return f"Of those that pass: {counts_here}; of the 773 of the paper: {in_paper}"


def _kind(n_elements: int) -> str:
    """What a compound of so many elements is called."""
    names = {1: "of one element", 2: "binary", 3: "ternary", 4: "quaternary", 5: "quinary"}
    return names.get(n_elements, f"of {n_elements} elements")


class _Distinct:
    """Crystals that are distinct from those before, and from known structures."""

    def __init__(self, known: Callable[[Structure], Sequence[Reduced]], known_are_kept: bool):
        self.known, self.known_are_kept = known, known_are_kept
        self.kept: dict[str, list[tuple[str, Reduced]]] = {}  # formula -> number and structure

    def found(self, number: str, structure: Structure, unique: str, new: str) -> Row:
        """Whether the crystal is known, and the step that loses it, `unique` or `new`, with the reason, if one does."""
        reduced, same = Reduced(structure), self.kept.setdefault(structure.formula, [])
        for other_number, other in same:
            if reduced.matches(other):
                return {"lost_at": unique, "reason": f"the same as number {other_number}"}
        same.append((number, reduced))
        if not any(reduced.matches(other) for other in self.known(structure)):
            return {"known": "false"}
        return {"known": "true"} | ({} if self.known_are_kept else {"lost_at": new, "reason": "a known compound"})


class _Begun(NamedTuple):
    """A sample before its relaxation: its row, and its structure if it is not lost."""

    row: Row
    structure: Structure | None


class _Screening:
    """The state of a screening: the distinct crystals so far, as generated and relaxed."""

    def __init__(self, folder: Path, settings: FunnelSettings, work: FunnelWork, should_stop: Callable[[], bool]):
        self.folder, self.settings, self.work, self.should_stop = folder, settings, work, should_stop
        self.references: dict[str, list[Reduced]] = {}  # formula -> known structures
        self.generated, self.relaxed = (_Distinct(self._known, settings.known_are_kept) for _ in range(2))

    def begun(self, sample: Row) -> _Begun:
        """A sample up to its relaxation."""
        row = dict.fromkeys(COLUMNS, "") | {"number": sample["number"], "formula": sample["formula"]}
        if sample["valid_structure"] != "true":
            return _Begun(row | {"lost_at": VALID, "reason": "atoms overlap, or there is no cell"}, None)
        structure = self._structure(sample)
        row |= {"n_elements": str(len(structure.counts)), "n_atoms": str(len(structure.symbols))}
        row |= self.generated.found(row["number"], structure, UNIQUE, NEW)
        return _Begun(row, None if row["lost_at"] else structure)

    def relaxation(self, begun: _Begun) -> Relaxation | None:
        """The relaxation of a sample that is not lost before. Raises Stopped."""
        return self._relaxation(begun.row["number"], begun.structure) if begun.structure is not None else None

    def ended(self, row: Row, relaxation: Relaxation) -> Row:
        """The row of a sample after its relaxation: all that was found before it was lost."""
        if not relaxation.converged:
            return row | {"lost_at": RELAXED, "reason": relaxation.reason or relaxation.verdict}
        row |= self._written(row["number"], relaxation)
        row |= self.relaxed.found(row["number"], relaxation.structure, UNIQUE_RELAXED, NEW_RELAXED)
        return row if row["lost_at"] else row | self._judged(relaxation)

    def above_hull(self, sample: Row) -> float | None:
        """The distance to the hull, see `above_hull_eV_per_atom`."""
        if sample["valid_structure"] != "true":
            return None
        relaxation = self._relaxation(sample["number"], self._structure(sample))
        if not relaxation.converged:
            return None
        distance = self.work.placer(relaxation.structure, relaxation.energy_eV_per_atom)
        return None if distance is None else distance.energy_above_hull_eV_per_atom

    def _structure(self, sample: Row) -> Structure:
        return read_cif((self.folder / sample["cif"]).read_text(encoding="utf-8"), sample["cif"])

    def _known(self, structure: Structure) -> list[Reduced]:
        """The known structures of its formula."""
        formula = structure.formula
        if formula not in self.references:
            self.references[formula] = [Reduced(each) for each in self.work.known(structure.lowest_terms)]
        return self.references[formula]

    def _relaxation(self, number: str, structure: Structure) -> Relaxation:
        """From the folder where it is there. Raises Stopped."""
        path = self.folder / RELAXATIONS / f"{number}.json"
        stored = read_json(path)
        if stored is not None:
            limit = stored.pop("most_steps", None)
            if stored["verdict"] != STEP_LIMIT or limit == self.work.most_steps:
                return unpacked(stored)
        relaxation = self.work.relaxer(structure, self.should_stop)
        if relaxation.verdict == STOPPED:
            raise Stopped
        write_json(path, packed(relaxation) | {"most_steps": self.work.most_steps})
        return relaxation

    def _written(self, number: str, relaxation: Relaxation) -> Row:
        """The columns of a relaxed crystal, whose file is written."""
        structure, energy = relaxation.structure, relaxation.energy_eV_per_atom
        name = f"{CIF}/{int(number):07d}-{structure.formula}.cif"
        write_atomically(self.folder / name, to_cif(structure))
        return {
            "space_group": str(space_group_of(structure)), "volume_A3_per_atom": f"{structure.volume_A3_per_atom:.3f}",
            "energy_eV_per_atom": _number(energy), "cif": name, "relaxation": relaxation.verdict,
            "relaxation_steps": str(relaxation.steps), "relaxation_volume_change": _number(relaxation.volume_change),
        }  # fmt: skip

    def _judged(self, relaxation: Relaxation) -> Row:
        """The properties of a distinct, relaxed crystal, and the step at which it is lost, if any."""
        structure, energy = relaxation.structure, relaxation.energy_eV_per_atom
        (said,) = self.work.describer([structure], [space_group_of(structure)])
        formation = self.work.formation_energy(structure, energy)
        row = {
            "metal_probability": _number(said.metal_probability), "tc_structure_K": _number(said.tc_K),
            "formation_energy_eV_per_atom": "" if formation is None else _number(formation),
        }  # fmt: skip
        if formation is None:
            return row | {"lost_at": BOUND, "reason": "an element has no energy by the potential"}
        if not formation < 0:
            return row | {"lost_at": BOUND, "reason": f"formation energy {formation:.3f} eV/atom"}
        if said.metal_probability < 0.5:
            return row | {"lost_at": METALLIC, "reason": f"metal with probability {said.metal_probability:.2f}"}
        if not said.tc_K > self.settings.least_tc_K:
            return row | {"lost_at": HOT, "reason": f"Tc {said.tc_K:.1f} K"}
        return row | self._on_hull(structure, energy)

    def _on_hull(self, structure: Structure, energy_eV_per_atom: float) -> Row:
        distance = self.work.placer(structure, energy_eV_per_atom)
        if distance is None:
            return {"lost_at": NEAR_HULL, "reason": "an element has no energy by the potential"}
        above = distance.energy_above_hull_eV_per_atom
        found = {
            "energy_above_hull_eV_per_atom": _number(above),
            "competing_phases": " + ".join(f"{share:.3g} {formula}" for formula, share in distance.decomposition),
        }
        if above <= self.settings.most_above_hull_eV_per_atom:
            return found
        return found | {"lost_at": NEAR_HULL, "reason": f"{above:.3f} eV/atom above the hull"}


def _samples(folder: Path) -> list[Row]:
    if not (folder / SAMPLES).exists():
        raise InputError("folder", folder, "there are no generated crystals", "Generate some first")
    return _rows(folder / SAMPLES)


def _rows(path: Path) -> list[Row]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def _number(value: float) -> str:
    """Four decimals; empty if it is not finite."""
    return f"{round(value, 4) + 0.0:.4f}" if math.isfinite(value) else ""  # + 0.0: no negative zero


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows({name: safe_cell(value) if name in ("formula", "reason") else value for name, value in row.items()}
                    for row in rows)  # fmt: skip
    return text.getvalue()
