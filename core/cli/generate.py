"""python -m core generate: crystal structures by guided diffusion, as a folder with CIF files and a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import encodable, new_command

if TYPE_CHECKING:
    from core.cli.arguments import Commands
    from core.structures.diffusion.folder import GenerationStatus
    from core.structures.diffusion.request import GenerationRequest

GUIDANCE = 2.0  # as published


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "generate", "new crystal structures by diffusion, for a Tc, some elements or a formula",
        "Generate crystal structures by diffusion (DiffCSP): guided towards a Tc, of some elements, or of a formula.\n"
        "The Tc is that of electron-phonon theory, from which the network learned; it is not a measured one. The\n"
        "structures are not relaxed, but with --screen: by CHGNet, with the reason why each one is lost.",
        "generate --tc 10 --guidance 2 --count 1000 --out my_crystals\n"
        "  python -m core generate --elements Nb Ti C N --count 100 --out my_carbides\n"
        "  python -m core generate --formula MgB2 --count 20 --out my_borides\n\n"
        "The folder receives samples.csv, cif/ and the progress; with --screen also funnel.csv and relaxed/, with\n"
        "--espresso espresso/. The same command again resumes; a file named cancel in the folder stops it, with the\n"
        "exit code 1.",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder for the structures")
    parser.add_argument("--count", type=int, default=100, metavar="N", help="structures; default: 100")
    parser.add_argument("--tc", type=float, metavar="K", help="towards this Tc in K; default: any")
    parser.add_argument(
        "--guidance", type=float, metavar="W", help="with --tc: weight of the Tc; -1: without it; default: 2"
    )
    parser.add_argument("--elements", nargs="+", metavar="E", help="only these elements may occur; default: all")
    parser.add_argument("--formula", metavar="F", help="structures of this formula")
    parser.add_argument("--units", type=int, metavar="Z",
                        help="formula units in the cell; default: those of the likeliest known structure")  # fmt: skip
    parser.add_argument(
        "--any-symmetry",
        action="store_true",
        help="with --formula: without the symmetry of known prototypes, which each sample has otherwise",
    )
    parser.add_argument("--steps", type=int, default=100, metavar="N", help="denoising steps, to 1000; default: 100")
    parser.add_argument("--corrector", action="store_true", help="a corrector step before each step, as published")
    parser.add_argument("--screen", action="store_true",
                        help="then screen them: unique, new, relaxed, bound, metal, Tc by structure, hull; known "
                             "structures of --formula are kept; an hour of one core for 1,000")  # fmt: skip
    parser.add_argument("--espresso", action="store_true",
                        help="after --screen: input files for Quantum ESPRESSO for those that pass")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps; default: auto")
    parser.add_argument("--work", type=Path, metavar="DIR", help="carry out a generation that the app prepared")
    parser.set_defaults(command=generate, parser=parser)


def generate(options: argparse.Namespace) -> int:
    """Generate the structures; exit code 1 if the generation was cancelled."""
    if options.work is not None:
        return _work(options)
    if options.out is None:
        options.parser.error("the following arguments are required: --out")
    _refuse_unused(options)
    if options.espresso and not options.screen:
        options.parser.error("--espresso is for structures that have passed --screen")
    from tqdm import tqdm

    from core.predictors.device import resolve_device
    from core.reference_data.prototypes import load_prototypes
    from core.structures.diffusion import weights
    from core.structures.diffusion.folder import TABLE, GenerationPhase
    from core.structures.diffusion.folder import generate as generate_in
    from core.structures.diffusion.template_draw import TemplateDraw

    device = resolve_device(options.device)
    request = _request(options, device.type)
    model = weights.load_crystal_network(request.checkpoint)
    model.network.to(device)
    if request.symmetric and (note := TemplateDraw(load_prototypes(), request.composition or ()).note):
        print(note, file=sys.stderr)
    with tqdm(total=request.count, unit="sample", file=sys.stderr, disable=None) as bar:

        def show(status: GenerationStatus) -> None:
            bar.update(status.samples - bar.n)
            bar.set_postfix_str(f"step {status.step} of {status.total_steps}")

        last = generate_in(options.out, request, model, device, show)
    print(options.out / TABLE)
    if last.phase is not GenerationPhase.FINISHED:
        return 1
    return _screened(options.out, request, options.espresso) if options.screen else 0


def _refuse_unused(options: argparse.Namespace) -> None:
    """Options that have no effect without another one are refused."""
    for given, name, other, there in (
        (options.guidance is not None, "--guidance", "--tc", options.tc is not None),
        (options.units is not None, "--units", "--formula", options.formula is not None),
        (options.any_symmetry, "--any-symmetry", "--formula", options.formula is not None),
    ):
        if given and not there:
            options.parser.error(f"{name} has no effect without {other}; leave it out, or give {other}")


def _work(options: argparse.Namespace) -> int:
    """Carry out a generation that the app has prepared, as its worker; exit code 1 unless it has finished."""
    from core.executors.background_work import FINISHED
    from core.executors.generations import carry_out

    state = carry_out(options.work)
    print(f"The generation is {state}.", file=sys.stderr)
    return 0 if state == FINISHED else 1


def _screened(folder: Path, request: GenerationRequest, espresso: bool) -> int:
    """Screen the structures of a folder, and print how many each step leaves; exit code 1 if it was stopped."""
    from tqdm import tqdm

    from core.executors.structure_searches import references_folder
    from core.structures.diffusion import funnel
    from core.structures.diffusion.folder import CANCEL
    from core.structures.prototypes import load_finder
    from core.structures.quantum_espresso import FOLDER, write_all
    from core.structures.relaxing_processes import RelaxingProcesses
    from core.structures.search_work import funnel_work

    stop, settings = (folder / CANCEL).exists, funnel.FunnelSettings.of_request(request)
    with tqdm(unit="structure", file=sys.stderr, disable=None) as bar:

        def told(done: int, every: int) -> None:
            bar.total = every
            bar.update(done - bar.n)

        with RelaxingProcesses() as processes:
            work = funnel_work(load_finder(), references_folder(), stop, bar.set_postfix_str, processes)
            rows = funnel.screen(folder, settings, work, stop, told)
    if rows is None:
        print("Stopped; the same command again resumes.", file=sys.stderr)
        return 1
    print(folder / funnel.TABLE)
    for step, left in funnel.counts(rows):
        print(f"{funnel.label_of(step, settings):36} {left}")
    if text := funnel.elements_text(rows):
        print(text)
    if espresso:
        write_all(folder, [row for row in rows if not row["lost_at"]])
        print(folder / FOLDER)
    return 0


def _request(options: argparse.Namespace, device: str) -> GenerationRequest:
    """What is asked. Raises InputError."""
    from core.chemistry import elements
    from core.chemistry.formula_reader import parse_formula
    from core.structures.diffusion.request import MOST_ATOMS, GenerationRequest, cell_of, uses_bfloat16
    from core.structures.diffusion.sampler import SamplerSettings
    from core.structures.formula_units import likeliest_units
    from core.structures.prototypes import load_finder

    composition = allowed = None
    if options.formula is not None:
        amounts = parse_formula(encodable(options.formula))
        units = options.units if options.units is not None else likeliest_units(load_finder(), amounts, MOST_ATOMS)
        composition = cell_of(amounts, units)
    if options.elements is not None:
        chosen = {encodable(symbol) for symbol in options.elements}
        known = [symbol for symbol in elements.symbols() if symbol in chosen]
        allowed = (*known, *sorted(chosen - set(known)))  # what is no element is refused with its name
    guidance = GUIDANCE if options.guidance is None else options.guidance
    sampler = SamplerSettings(options.steps, options.corrector, guidance=guidance, bfloat16=uses_bfloat16(device))
    symmetric = composition is not None and not options.any_symmetry
    return GenerationRequest(options.count, options.seed, options.tc, allowed, composition, sampler, symmetric)
