"""Generations of crystals in the background: a folder with what is asked, carried out by a worker process.

generation.json   what is asked: the request, whether its crystals are screened, the time of the start
The other files are those of `core.structures.diffusion.folder`, of its funnel, and of `background_work`.
"""

from __future__ import annotations

import datetime
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.executors import background_work, structure_searches
from core.executors.background_work import Told, WorkState
from core.files import make_private_folder, read_json, storage_errors, write_json
from core.runs import layout
from core.structures.diffusion.request import GenerationRequest

if TYPE_CHECKING:
    from core.structures.diffusion.folder import GenerationStatus

GENERATION = "generation.json"
_FOLDER = ".generated"  # beside the runs
_SLOT = "slot.lock"


@dataclass(frozen=True)
class Generation:
    """What was asked in a folder.

    screened : whether its crystals go through the funnel
    started : local time of the first start, as ISO text to the second
    """

    folder: Path
    request: GenerationRequest
    screened: bool
    started: str

    @property
    def name(self) -> str:
        """The name of the folder, which is in links."""
        return self.folder.name


@dataclass(frozen=True)
class GenerationState:
    """How far a generation is.

    samples : finished ones; step, steps : of the block that is being made
    """

    work: WorkState
    samples: int
    step: int
    steps: int


def start(request: GenerationRequest, screened: bool) -> Generation:
    """Begin a new generation in the background; returns at once. Raises StorageError if it cannot be stored."""
    root = layout.runs_folder() / _FOLDER
    with storage_errors(root):
        make_private_folder(root)
        now = datetime.datetime.now().replace(microsecond=0)
        folder = _new_folder(root, f"{now:%Y%m%d-%H%M%S}")
        asked = {"request": request.to_json(), "screened": screened, "started": now.isoformat()}
        write_json(folder / GENERATION, asked)
    resume(folder)
    return Generation(folder, request, screened, now.isoformat())


def _new_folder(root: Path, name: str) -> Path:
    number = 1
    while True:
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


def resume(folder: Path) -> None:
    """Go on with a generation that has no worker."""
    background_work.start(folder, ["generate", "--work", str(folder)])


def delete(generation: Generation) -> None:
    """Cancel a generation and remove all its files.

    Raises InputError if its worker does not stop for now, StorageError if a file cannot be removed.
    """
    background_work.cancel(generation.folder)
    with storage_errors(generation.folder):
        shutil.rmtree(generation.folder)


def generations() -> list[Generation]:
    """All generations, the newest first; folders that cannot be read are left out."""
    root = layout.runs_folder() / _FOLDER
    names = sorted((path.name for path in root.iterdir() if path.is_dir()), reverse=True) if root.is_dir() else []
    found = (generation(name) for name in names)
    return [each for each in found if each is not None]


def generation(name: str) -> Generation | None:
    """The generation with this name; None if there is none, or it cannot be read."""
    if name in ("", ".", "..") or name != Path(name).name:  # names are part of links
        return None
    folder = layout.runs_folder() / _FOLDER / name
    try:
        return _read(folder) if folder.is_dir() else None
    except OSError:  # a name that is too long for a file
        return None


def _read(folder: Path) -> Generation | None:
    asked = read_json(folder / GENERATION) or {}
    try:
        request = GenerationRequest.from_json(asked["request"])
        return Generation(folder, request, bool(asked["screened"]), str(asked["started"]))
    except (KeyError, TypeError, InputError):
        return None


def state(folder: Path) -> GenerationState:
    """How far a generation is."""
    from core.structures.diffusion.folder import STATUS

    note = read_json(folder / STATUS) or {}
    numbers = (int(note.get(name, 0)) for name in ("samples", "step", "total_steps"))
    return GenerationState(background_work.state(folder), *numbers)


def carry_out(folder: Path) -> str:
    """Carry out the generation in a folder, as its worker; returns its last state.

    Raises InputError if the folder holds no generation, or another worker carries it out.
    """
    folder = folder.absolute()
    asked = _read(folder)
    if asked is None:
        raise InputError("work", folder, "this folder holds no generation", "Begin one on the page Generate")

    def work(should_stop: Callable[[], bool], told: Told) -> bool:
        return _made(asked, should_stop, told) and (not asked.screened or _screened(asked, should_stop, told))

    return background_work.carry_out(folder, folder.parent / _SLOT, "another generation", work)


def _made(asked: Generation, should_stop: Callable[[], bool], told: Told) -> bool:
    """Make the samples; whether all are there."""
    from core.predictors.device import resolve_device
    from core.structures.diffusion import weights
    from core.structures.diffusion.folder import GenerationPhase, generate

    told("loading the network")
    device = resolve_device("auto")
    model = weights.load_crystal_network(asked.request.checkpoint)
    model.network.to(device)

    def tell(status: GenerationStatus) -> None:
        left = "" if status.remaining_s is None else f"; {_left(status.remaining_s)}"
        told(f"making crystals, step {status.step} of {status.total_steps}{left}")

    last = generate(asked.folder, asked.request, model, device, tell, should_stop)
    return last.phase is GenerationPhase.FINISHED


def _left(seconds: float) -> str:
    """About how long it takes."""
    return f"about {math.ceil(seconds / 60)} min left"


def _screened(asked: Generation, should_stop: Callable[[], bool], told: Told) -> bool:
    """Screen the samples; whether all are screened."""
    from core.structures.diffusion import funnel
    from core.structures.prototypes import load_finder
    from core.structures.relaxing_processes import RelaxingProcesses
    from core.structures.search_work import funnel_work

    told("loading the potential")
    references = structure_searches.references_folder()

    began, first = time.monotonic(), len(funnel.read(asked.folder))

    def screened(done: int, every: int) -> None:
        new = done - first  # those before are read from the folder
        left = f"; {_left((every - done) * (time.monotonic() - began) / new)}" if new > 0 else ""
        told(f"screening, {done} of {every} crystals{left}")

    settings = funnel.FunnelSettings.of_request(asked.request)
    with RelaxingProcesses() as processes:
        work = funnel_work(load_finder(), references, should_stop, told, processes)
        return funnel.screen(asked.folder, settings, work, should_stop, screened) is not None
