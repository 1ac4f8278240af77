"""What a search for structures needs: library, potential, hull and models, as its settings say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.chemistry.structure import Structure
from core.errors import InputError
from core.predictors import checkpoint
from core.reference_data.large_cells import NAME as LARGE_CELLS
from core.reference_data.prototypes import NAME as LIBRARY
from core.screening.convex_hull import HullDistance
from core.structures import superhydrides
from core.structures.diffusion.funnel import FunnelWork
from core.structures.diffusion.names import BASE
from core.structures.folder import Finder, FolderSettings, Placer, Relaxer, Work
from core.structures.generated_proposals import VERSION as SAMPLES_VERSION
from core.structures.interatomic import CHGNET
from core.structures.packed_structure import checksum
from core.structures.potential_hull import PotentialHull, ReferenceEnergies, Stopped, formation_energy
from core.structures.potential_references import load_potential_references
from core.structures.prototypes import StructureFinder
from core.structures.ranking import NAME as RANKING
from core.structures.reference_structures import reference_structures
from core.structures.relaxation import STOPPED, Relaxation, RelaxationSettings
from core.structures.relaxing_processes import RelaxingProcesses, relaxed_here
from core.structures.structure_models import METAL_NAME, TC_NAME, load_structure_models

MOST_STRUCTURES = 20  # candidates that are ranked for a formula
MOST_SAMPLES = 200  # drawn by diffusion for a formula
LARGE_ATOMS = 20  # atoms above which a cell is large
LARGE_REFERENCES = RelaxationSettings(most_steps=15)
GENERATED = RelaxationSettings(most_steps=300)  # some without symmetry, all farther from a minimum than a prototype
Told = Callable[[str], None]  # is told what is being done, in words


@dataclass(frozen=True)
class SearchSettings:
    """What is done for each formula.

    top : structures, 1 to MOST_STRUCTURES
    relax : by the potential; pressure_GPa : under this pressure
    hull : energy above hull by the potential, for structures relaxed without pressure
    samples : structures of a formula of whole atoms that are drawn by diffusion, 0 to MOST_SAMPLES; they are relaxed
    from_file : whether the structure is one from a file, which may be as far from a minimum as a generated one

    Raises InputError for values that do not fit together.
    """

    top: int = 5
    relax: bool = True
    pressure_GPa: float = 0.0
    hull: bool = False
    samples: int = 0
    from_file: bool = False

    def __post_init__(self):
        """Raises InputError, see above."""
        if not 1 <= self.top <= MOST_STRUCTURES:
            rule = f"a formula can have 1 to {MOST_STRUCTURES} structures"
            raise InputError("top", self.top, rule, "Choose another number")
        RelaxationSettings(pressure_GPa=self.pressure_GPa)
        if self.pressure_GPa and not self.relax:
            raise InputError("pressure", self.pressure_GPa, "a pressure is for relaxed structures", "Relax them")
        if not 0 <= self.samples <= MOST_SAMPLES:
            rule = f"a formula can have 0 to {MOST_SAMPLES} samples"
            raise InputError("samples", self.samples, rule, "Choose another number")
        if self.samples and not self.relax:
            raise InputError("samples", self.samples, "generated structures are relaxed", "Relax them")
        if self.hull and (self.pressure_GPa or not self.relax):
            rule = "the hull is for structures relaxed without pressure"
            raise InputError("hull", self.hull, rule, "Leave the hull or the pressure out")

    @property
    def relaxation(self) -> RelaxationSettings:
        """When a relaxation ends."""
        steps = GENERATED.most_steps if self.samples or self.from_file else RelaxationSettings.most_steps
        return RelaxationSettings(pressure_GPa=self.pressure_GPa, most_steps=steps)


def folder_settings(settings: SearchSettings, given: Structure | None = None) -> FolderSettings:
    """What the structures in a folder depend on. Raises CheckpointError.

    given : a structure from a file, in place of proposals
    """
    names = (LIBRARY, LARGE_CELLS, RANKING, METAL_NAME, TC_NAME)
    library, large, ranking, metal, tc = (checkpoint.read_card(name)["sha256"] for name in names)
    return FolderSettings(
        top=settings.top,
        library=f"{library} {large} {superhydrides.VERSION}",
        ranking=ranking,
        potential=CHGNET if settings.relax else "",
        hull=settings.hull,
        property_models=f"{metal} {tc}",
        samples=settings.samples,
        network=f"{checkpoint.read_card(BASE)['sha256']} {SAMPLES_VERSION}" if settings.samples else "",
        relaxation=settings.relaxation,
        given=checksum(given) if given is not None else "",
    )


def finder_of(
    settings: SearchSettings, finder: StructureFinder, should_stop: Callable[[], bool] = lambda: False
) -> Finder:
    """Proposes structures from prototypes and, if the settings ask for samples, by diffusion. Raises CheckpointError.

    should_stop : asked before each step of the sampler
    """
    if not settings.samples:
        return finder
    from core.structures.diffusion.weights import load_crystal_network
    from core.structures.generated_proposals import FinderWithDiffusion
    from core.structures.interatomic import load_chgnet

    model = load_crystal_network(BASE)
    return FinderWithDiffusion(finder, model, load_chgnet(), settings.samples, should_stop=should_stop)


def work_of(
    settings: SearchSettings,
    finder: StructureFinder,
    references: Path,
    should_stop: Callable[[], bool] = lambda: False,
    told: Told = lambda text: None,
    processes: RelaxingProcesses | None = None,
) -> Work:
    """What is done with the proposals of a formula.

    references : folder of the energies of known compounds by the potential
    processes : that relax; None: this process does
    """
    models = load_structure_models()
    if not settings.relax:
        return Work(describer=models.properties)
    relaxer = relaxed_by_chgnet(settings.relaxation, processes)
    placer = hull_placer(finder, references, should_stop, told, processes) if settings.hull else None
    return Work(relaxer, placer, models.properties, at_once_by(processes))


def funnel_work(
    finder: StructureFinder,
    references: Path,
    should_stop: Callable[[], bool] = lambda: False,
    told: Told = lambda text: None,
    processes: RelaxingProcesses | None = None,
) -> FunnelWork:
    """What the screening of generated crystals needs; all energies are by CHGNet, without pressure.

    references : folder of the energies of known compounds by the potential
    processes : that relax; None: this process does
    """
    energies = reference_energies(finder, references, should_stop, processes)

    def formation(structure: Structure, energy_eV_per_atom: float) -> float | None:
        elements = {symbol: energies.energy_eV_per_atom(frozenset({(symbol, 1)})) for symbol in structure.counts}
        known = {symbol: energy for symbol, energy in elements.items() if energy is not None}
        if len(known) < len(elements):
            return None
        return formation_energy(structure.counts, energy_eV_per_atom, known)

    placer = hull_placer(finder, references, should_stop, told, processes)
    properties = load_structure_models().properties
    relaxer = relaxed_by_chgnet(GENERATED, processes)
    return FunnelWork(finder.known, relaxer, formation, properties, placer, GENERATED.most_steps, at_once_by(processes))


def at_once_by(processes: RelaxingProcesses | None) -> int:
    """Structures that are relaxed at the same time."""
    return processes.count if processes is not None else 1


def relaxed_by_chgnet(settings: RelaxationSettings, processes: RelaxingProcesses | None = None) -> Relaxer:
    """Relaxation by CHGNet, which is loaded at the first structure. processes : that relax; None: this process does"""
    relaxing = processes.relax if processes is not None else relaxed_here
    return lambda structure, should_stop: relaxing(structure, settings, should_stop)


def relaxed_reference(
    structure: Structure,
    should_stop: Callable[[], bool] = lambda: False,
    processes: RelaxingProcesses | None = None,
) -> Relaxation:
    """A known compound relaxed by CHGNet; in a large cell in fewer steps, as calculations have relaxed it before."""
    settings = LARGE_REFERENCES if len(structure.symbols) > LARGE_ATOMS else RelaxationSettings()
    return relaxed_by_chgnet(settings, processes)(structure, should_stop)


def hull_placer(
    finder: StructureFinder,
    references: Path,
    should_stop: Callable[[], bool] = lambda: False,
    told: Told = lambda text: None,
    processes: RelaxingProcesses | None = None,
) -> Placer:
    """The hulls of chemical systems, each made once. Energies that are not in the checkpoint are kept in a folder."""
    energies = reference_energies(finder, references, should_stop, processes)

    @cache
    def hull(system: frozenset[str]) -> PotentialHull | None:
        name = "-".join(sorted(system))
        return energies.hull(system, lambda done, every: told(f"hull of {name}: {done} of {every} known compounds"))

    def placed(structure: Structure, energy_eV_per_atom: float) -> HullDistance | None:
        found = hull(frozenset(structure.symbols))
        return found.distance(structure, energy_eV_per_atom) if found else None

    return placed


def reference_energies(
    finder: StructureFinder,
    references: Path,
    should_stop: Callable[[], bool] = lambda: False,
    processes: RelaxingProcesses | None = None,
    given: Mapping[str, float | None] | None = None,
) -> ReferenceEnergies:
    """Energies of the known compounds by the potential.

    given : energies that are not computed; None: those of the checkpoint
    """

    def relaxed(structure: Structure) -> Relaxation:
        found = relaxed_reference(structure, should_stop, processes)
        if found.verdict == STOPPED or should_stop():
            raise Stopped
        return found

    given = load_potential_references() if given is None else given
    return ReferenceEnergies(references, *reference_structures(finder), relaxed, given, at_once_by(processes))
