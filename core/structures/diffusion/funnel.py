"""The screening of generated crystals, step by step, with the reason why each one is lost.

The steps are those of "Inverse Design of Novel Superconductors via Guided Diffusion", without its calculations by
density functional theory: a valid structure, unique among the samples, no known compound, relaxed by an interatomic
potential, bound (formation energy below 0), a metal, Tc by structure above a limit, near the hull. A crystal that is
lost is in no later step. Relaxations are kept, so that a screening that was stopped goes on after the last of them.
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

from core.chemistry.structure import Structure
from core.errors import InputError
from core.files import read_json, write_atomically, write_json
from core.spreadsheet import safe_cell
from core.structures.diffusion.folder import TABLE as SAMPLES
from core.structures.files import read_cif, to_cif
from core.structures.folder import Describer, Placer, Relaxer
from core.structures.match import Reduced
from core.structures.potential_hull import Stopped
from core.structures.relaxation import STOPPED, Relaxation
from core.structures.relaxed_proposals import packed, unpacked
from core.structures.symmetry import space_group_of

TABLE, RELAXATIONS, CIF = "funnel.csv", "relaxations", "relaxed"
VALID, UNIQUE, NEW, RELAXED, BOUND, METALLIC, HOT, NEAR_HULL = STEPS = (
    "valid structure", "unique", "new", "relaxed", "formation energy below 0", "metal", "Tc by structure",
    "near the hull",
)  # fmt: skip
COLUMNS = (
    "number", "formula", "n_elements", "n_atoms", "lost_at", "reason", "space_group", "volume_A3_per_atom",
    "energy_eV_per_atom", "formation_energy_eV_per_atom", "metal_probability", "tc_structure_K",
    "energy_above_hull_eV_per_atom", "competing_phases", "cif",
)  # fmt: skip
Row = dict[str, str]
PAPER_SHARES = {2: 0.17, 3: 0.59, 4: 0.23, 5: 0.01}  # of its 773 candidates, by number of elements
_WRITTEN_EVERY_S = 2.0


@dataclass(frozen=True)
class FunnelSettings:
    """Limits of the last two steps, those of the paper."""

    least_tc_K: float = 5.0
    most_above_hull_eV_per_atom: float = 0.2


@dataclass(frozen=True)
class FunnelWork:
    """What the steps need.

    known : counts in lowest terms -> known structures of this formula
    relaxer : relaxes a structure; its energies are those of one potential
    formation_energy : relaxed structure and its energy (eV/atom) -> formation energy from the elements by the same
        potential in eV/atom; None if an element has no energy
    describer : says whether structures are metals, and their Tc
    placer : places relaxed structures on the hull
    """

    known: Callable[[Mapping[str, int]], Sequence[Structure]]
    relaxer: Relaxer
    formation_energy: Callable[[Structure, float], float | None]
    describer: Describer
    placer: Placer


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
    for done, sample in enumerate(samples, start=1):
        try:
            rows.append(screening.row(sample))
        except Stopped:
            return None
        told(done, len(samples))
        if done == len(samples) or time.monotonic() - written > _WRITTEN_EVERY_S:
            write_atomically(folder / TABLE, _csv(rows))
            written = time.monotonic()
    return rows


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


def by_number_of_elements(rows: Sequence[Row]) -> dict[int, float]:
    """Number of elements -> share of the crystals that pass every step; empty if none does."""
    passing = Counter(int(row["n_elements"]) for row in rows if not row["lost_at"])
    return {number: passing[number] / passing.total() for number in sorted(passing)}


def elements_text(rows: Sequence[Row]) -> str:
    """The numbers of elements in the crystals that pass, beside those of the paper; empty if none passes."""
    here = by_number_of_elements(rows)
    if not here:
        return ""
    texts = (", ".join(f"{number}: {share:.0%}" for number, share in shares.items()) for shares in (here, PAPER_SHARES))
    return "Elements in those that pass: {}; in the 773 of the paper: {}".format(*texts)


class _Screening:
    """The state of a screening: the distinct crystals so far."""

    def __init__(self, folder: Path, settings: FunnelSettings, work: FunnelWork, should_stop: Callable[[], bool]):
        self.folder, self.settings, self.work, self.should_stop = folder, settings, work, should_stop
        self.kept: dict[str, list[tuple[str, Reduced]]] = {}  # formula -> number and structure
        self.references: dict[str, list[Reduced]] = {}  # formula -> known structures

    def row(self, sample: Row) -> Row:
        """The row of a sample: all that was found before it was lost."""
        row = dict.fromkeys(COLUMNS, "") | {"number": sample["number"], "formula": sample["formula"]}
        if sample["valid_structure"] != "true":
            return row | {"lost_at": VALID, "reason": "atoms overlap, or there is no cell"}
        structure = read_cif((self.folder / sample["cif"]).read_text(encoding="utf-8"), sample["cif"])
        row |= {"n_elements": str(len(structure.counts)), "n_atoms": str(len(structure.symbols))}
        for step in (self._unique, self._new, self._relaxed):
            lost = step(row, structure)
            if lost:
                return row | lost
        relaxation = self._relaxation(row["number"], structure)
        return row | (self._judged(row, relaxation) or {})

    def _unique(self, row: Row, structure: Structure) -> Row:
        reduced = Reduced(structure)
        same = self.kept.setdefault(structure.formula, [])
        for number, other in same:
            if reduced.matches(other):
                return {"lost_at": UNIQUE, "reason": f"the same as number {number}"}
        same.append((row["number"], reduced))
        return {}

    def _new(self, row: Row, structure: Structure) -> Row:
        formula = structure.formula
        if formula not in self.references:
            self.references[formula] = [Reduced(each) for each in self.work.known(_lowest_terms(structure))]
        mine = self.kept[formula][-1][1]
        if any(mine.matches(other) for other in self.references[formula]):
            return {"lost_at": NEW, "reason": "a known compound"}
        return {}

    def _relaxed(self, row: Row, structure: Structure) -> Row:
        relaxation = self._relaxation(row["number"], structure)
        if relaxation.converged:
            return {}
        return {"lost_at": RELAXED, "reason": relaxation.reason or relaxation.verdict}

    def _relaxation(self, number: str, structure: Structure) -> Relaxation:
        """From the folder where it is there. Raises Stopped."""
        path = self.folder / RELAXATIONS / f"{number}.json"
        stored = read_json(path)
        if stored is not None:
            return unpacked(stored)
        relaxation = self.work.relaxer(structure, self.should_stop)
        if relaxation.verdict == STOPPED:
            raise Stopped
        write_json(path, packed(relaxation))
        return relaxation

    def _judged(self, row: Row, relaxation: Relaxation) -> Row:
        """The columns of a relaxed crystal, and the step at which it is lost, if any."""
        structure, energy = relaxation.structure, relaxation.energy_eV_per_atom
        name, group = f"{CIF}/{int(row['number']):07d}-{structure.formula}.cif", space_group_of(structure)
        write_atomically(self.folder / name, to_cif(structure))
        (said,) = self.work.describer([structure], [group])
        formation = self.work.formation_energy(structure, energy)
        row |= {
            "space_group": str(group), "volume_A3_per_atom": f"{structure.volume_A3_per_atom:.3f}", "cif": name,
            "energy_eV_per_atom": _number(energy), "metal_probability": _number(said.metal_probability),
            "formation_energy_eV_per_atom": "" if formation is None else _number(formation),
            "tc_structure_K": _number(said.tc_K),
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


def _lowest_terms(structure: Structure) -> dict[str, int]:
    divisor = math.gcd(*structure.counts.values())
    return {symbol: number // divisor for symbol, number in structure.counts.items()}


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
