"""python -m core structures: crystal structures of formulas, as CIF and POSCAR files with a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import encodable, new_command

if TYPE_CHECKING:
    from core.chemistry.structure import Structure
    from core.cli.arguments import Commands
    from core.structures.folder import Request


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "structures", "crystal structures of formulas, as CIF and POSCAR files",
        "Propose crystal structures: the elements of a formula on the sites of known prototypes, ranked by a learned\n"
        "score. A doped formula takes an ordered supercell of its parent, or the parent itself; the column note says\n"
        "which. The structures are relaxed by CHGNet, an interatomic potential, about 1 s each, and ranked again by\n"
        "its energy; the column relaxation says how that ended. Hydrogen-rich compounds need --pressure.",
        "structures LaFeAsO La1.85Sr0.15CuO4 --out my_structures\n"
        "  python -m core structures --csv results.csv --out my_structures --top 3\n"
        "  python -m core structures --cif mine.cif --hull --out my_structure\n\n"
        "The folder receives structures.csv and the folders cif/ and poscar/. The same command again resumes after\n"
        "an interruption. The exit code is 1 if a formula cannot be used; its row has the column error.",
    )  # fmt: skip
    parser.add_argument("formulas", nargs="*", metavar="FORMULA", help="a chemical formula, for example LaFeAsO")
    parser.add_argument("--csv", type=Path, metavar="IN", help="read the formulas from this CSV file instead")
    parser.add_argument("--cif", type=Path, metavar="FILE", help="take the structure in this CIF file instead")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder for the structures")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="structures of a formula; default: 5")
    parser.add_argument("--no-relax", action="store_true", help="leave the structures as proposed")
    parser.add_argument("--pressure", type=float, default=0.0, metavar="GPA", help="relax under this pressure in GPa")
    parser.add_argument(
        "--hull", action="store_true",
        help="also the energy above hull by the potential; a new chemical system takes minutes, of many oxides an hour",
    )  # fmt: skip
    parser.add_argument(
        "--samples", type=int, default=0, metavar="N",
        help="also draw N structures of each formula of whole atoms by diffusion; those of lowest energy are relaxed",
    )  # fmt: skip
    parser.add_argument(
        "--processes", type=int, metavar="N",
        help="structures relaxed at the same time, about 1 GB each; default: one a core, at most 8, as memory allows",
    )  # fmt: skip
    parser.add_argument(
        "--espresso", action="store_true",
        help="also input files for Quantum ESPRESSO: relaxation, phonons, electron-phonon coupling",
    )  # fmt: skip
    parser.add_argument(
        "--search",
        type=Path,
        metavar="DIR",
        help="carry out a search that the app prepared in this folder",
    )
    parser.set_defaults(command=structures, parser=parser)


def structures(options: argparse.Namespace) -> int:
    """Write the structures; exit code 1 if a formula cannot be used."""
    if options.search is not None:
        return _search(options)
    from tqdm import tqdm

    from core.executors.structure_searches import references_folder
    from core.structures.folder import TABLE, find_all
    from core.structures.given_structure import GivenStructure
    from core.structures.prototypes import load_finder
    from core.structures.relaxing_processes import RelaxingProcesses
    from core.structures.search_work import SearchSettings, finder_of, folder_settings, work_of

    if [bool(options.formulas), options.csv is not None, options.cif is not None].count(True) != 1:
        options.parser.error("give formulas, or --csv with a file, or --cif with a file")
    if options.out is None:
        options.parser.error("the following arguments are required: --out")
    if options.no_relax and options.pressure:
        options.parser.error("--pressure is for relaxed structures")
    if options.samples and options.no_relax:
        options.parser.error("--samples are relaxed structures")
    if options.samples and options.cif is not None:
        options.parser.error("--samples are for formulas")
    if options.hull and (options.no_relax or options.pressure):
        options.parser.error("--hull is for structures relaxed without pressure")
    settings = SearchSettings(
        options.top, not options.no_relax, options.pressure, options.hull, options.samples, options.cif is not None
    )
    finder = load_finder()
    given = GivenStructure(_structure_of(options.cif), finder) if options.cif is not None else None
    requests = [given.request] if given is not None else list(_requests(options))
    with (
        tqdm(total=len(requests), unit="formula", file=sys.stderr, disable=None) as bar,
        RelaxingProcesses(options.processes) as processes,
    ):
        work = work_of(settings, finder, references_folder(), told=bar.set_postfix_str, processes=processes)
        proposing = given if given is not None else finder_of(settings, finder)
        depends_on = folder_settings(settings, given.structure if given is not None else None)
        bad = find_all(options.out, requests, proposing, depends_on, lambda done: bar.update(done - bar.n), work=work)
    print(options.out / TABLE)
    if options.espresso:
        _write_espresso(options.out, options.out / TABLE)
    if bad:
        print(f"{bad} of {len(requests)} formulas have errors; see the column error.", file=sys.stderr)
    return 1 if bad else 0


def _write_espresso(folder: Path, table: Path) -> None:
    """Input files for every structure of a table."""
    import csv

    from core.structures.quantum_espresso import FOLDER, write_all

    with table.open(encoding="utf-8", newline="") as file:
        write_all(folder, csv.DictReader(file))
    print(folder / FOLDER)


def _structure_of(path: Path) -> Structure:
    """The structure in a CIF file. Raises InputError."""
    from core.cli.input_files import read_bytes
    from core.structures.given_structure import MOST_FILE_BYTES, structure_of_file

    return structure_of_file(path.name, read_bytes(path, "cif", MOST_FILE_BYTES))


def _search(options: argparse.Namespace) -> int:
    """Carry out a search that the app has prepared, as its worker; exit code 1 unless it has finished."""
    from core.executors.background_work import FINISHED
    from core.executors.structure_search_worker import carry_out

    if options.formulas or options.csv is not None or options.cif is not None or options.out is not None:
        options.parser.error("--search takes no formulas, no files and no --out: all are in the folder")
    state = carry_out(options.search)
    print(f"The search is {state}.", file=sys.stderr)
    return 0 if state == FINISHED else 1


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
