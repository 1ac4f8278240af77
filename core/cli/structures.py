"""python -m core structures: crystal structures of formulas, as CIF and POSCAR files with a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import encodable, new_command
from core.errors import InputError

if TYPE_CHECKING:
    from core.chemistry.structure import Structure
    from core.cli.arguments import Commands
    from core.screening.convex_hull import HullDistance
    from core.structures.folder import Placer, Relaxer, Request
    from core.structures.prototypes import StructureFinder
    from core.structures.relaxation import Relaxation, RelaxationSettings

MOST_STRUCTURES = 20  # candidates that are ranked for a formula


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "structures", "crystal structures of formulas, as CIF and POSCAR files",
        "Propose crystal structures: the elements of a formula on the sites of known prototypes, ranked by a learned\n"
        "score. A doped formula takes an ordered supercell of its parent, or the parent itself; the column note says\n"
        "which. The structures are relaxed by CHGNet, an interatomic potential, about 1 s each, and ranked again by\n"
        "its energy; the column relaxation says how that ended. Hydrogen-rich compounds need --pressure.",
        "structures LaFeAsO La1.85Sr0.15CuO4 --out my_structures\n"
        "  python -m core structures --csv results.csv --out my_structures --top 3\n\n"
        "The folder receives structures.csv and the folders cif/ and poscar/. The same command again resumes after\n"
        "an interruption. The exit code is 1 if a formula cannot be used; its row has the column error.",
    )  # fmt: skip
    parser.add_argument("formulas", nargs="*", metavar="FORMULA", help="a chemical formula, for example LaFeAsO")
    parser.add_argument("--csv", type=Path, metavar="IN", help="read the formulas from this CSV file instead")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder for the structures")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="structures of a formula; default: 5")
    parser.add_argument("--no-relax", action="store_true", help="leave the structures as proposed")
    parser.add_argument("--pressure", type=float, default=0.0, metavar="GPA", help="relax under this pressure in GPa")
    parser.add_argument(
        "--hull", action="store_true",
        help="also the energy above hull by the potential; a new chemical system takes about a minute",
    )  # fmt: skip
    parser.set_defaults(command=structures, parser=parser)


def structures(options: argparse.Namespace) -> int:
    """Write the structures; exit code 1 if a formula cannot be used."""
    from tqdm import tqdm

    from core.predictors import checkpoint
    from core.reference_data.prototypes import NAME as LIBRARY
    from core.structures.folder import TABLE, FolderSettings, find_all
    from core.structures.interatomic import CHGNET
    from core.structures.prototypes import load_finder
    from core.structures.ranking import NAME as RANKING
    from core.structures.relaxation import RelaxationSettings

    if bool(options.formulas) == (options.csv is not None):
        options.parser.error("give formulas, or --csv with a file")
    if options.no_relax and options.pressure:
        options.parser.error("--pressure is for relaxed structures")
    if options.hull and (options.no_relax or options.pressure):
        options.parser.error("--hull is for structures relaxed without pressure")
    if not 1 <= options.top <= MOST_STRUCTURES:
        rule = f"a formula can have 1 to {MOST_STRUCTURES} structures"
        raise InputError("top", options.top, rule, "Choose another number")
    relaxation = RelaxationSettings(pressure_GPa=options.pressure)
    requests = list(_requests(options))
    checksums = (checkpoint.read_card(name)["sha256"] for name in (LIBRARY, RANKING))
    settings = FolderSettings(options.top, *checksums, "" if options.no_relax else CHGNET, options.hull, relaxation)
    finder = load_finder()
    relaxer = None if options.no_relax else _relaxer(relaxation)
    placer = _placer(options.out, finder, relaxation) if options.hull else None
    with tqdm(total=len(requests), unit="formula", file=sys.stderr, disable=None) as bar:
        bad = find_all(
            options.out,
            requests,
            finder,
            settings,
            lambda done: bar.update(done - bar.n),
            relaxer=relaxer,
            placer=placer,
        )
    print(options.out / TABLE)
    if bad:
        print(f"{bad} of {len(requests)} formulas have errors; see the column error.", file=sys.stderr)
    return 1 if bad else 0


def _relaxer(settings: RelaxationSettings) -> Relaxer:
    """Relaxation by CHGNet, which is loaded at the first structure."""

    def relaxed(structure: Structure, should_stop: Callable[[], bool]) -> Relaxation:
        from core.structures.interatomic import load_chgnet
        from core.structures.relaxation import relax

        return relax(structure, load_chgnet(), settings, should_stop)

    return relaxed


def _placer(out: Path, finder: StructureFinder, settings: RelaxationSettings) -> Placer:
    """The hulls of chemical systems, each made once; their energies are kept in the folder."""
    from functools import cache

    from core.structures.potential_hull import PotentialHull, ReferenceEnergies

    relaxer = _relaxer(settings)
    energies = ReferenceEnergies(
        out / "references",
        finder.formulas,
        lambda key: finder.known(dict(key)),
        lambda structure: relaxer(structure, lambda: False),
    )

    @cache
    def hull(system: frozenset[str]) -> PotentialHull | None:
        return energies.hull(system)

    def placed(structure: Structure, energy_eV_per_atom: float) -> HullDistance | None:
        found = hull(frozenset(structure.symbols))
        return found.distance(structure, energy_eV_per_atom) if found else None

    return placed


def _requests(options: argparse.Namespace) -> Iterator[Request]:
    """The formulas, each once, a series as its members."""
    from core.evaluation.formula_csv import FormulaCsv
    from core.evaluation.user_formulas import read_texts
    from core.structures.folder import Request

    texts: list = [encodable(text) for text in options.formulas]
    if options.csv is not None:
        with FormulaCsv(options.csv) as file:
            texts = [row.formula for row in file.rows()]
    seen: set[str] = set()
    for formula in read_texts(texts):
        text = formula.read_as or formula.text
        if text not in seen:
            seen.add(text)
            amounts = formula.reading.amounts if formula.reading else None
            yield Request(text, amounts, formula.error.message if formula.error else "")
