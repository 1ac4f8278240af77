"""A generation of crystals in a folder: samples in blocks, a table, CIF files, the progress, resume and cancel.

request.json     what is asked, and the checksum of the weights; another request needs another folder
status.json      phase, finished samples, step of the current block, times
blocks.jsonl     one line for each finished block
blocks/          the samples as computed; a finished block is not computed again
errors/          of the network on the samples of a formula, block by block
ways.json        the samples of the first block on their way from noise, see `ways`
samples.csv      one row for each sample; cif/ has those whose structure is valid. Of a formula also the prototype whose
                 symmetry a sample has, and the error of the network on it
cancel           if a file of this name is created, the generation stops after the current step
"""

from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import torch

from core.chemistry.structure import Structure
from core.errors import InputError
from core.files import acquire_lock, read_json, remove_partial_files, storage_errors, write_atomically, write_json
from core.predictors.checkpoint import read_card
from core.reference_data.prototypes import NAME as LIBRARY
from core.reference_data.prototypes import load_prototypes
from core.structures.diffusion.blocks import Stopped, sampled
from core.structures.diffusion.denoising_error import denoising_errors
from core.structures.diffusion.request import GenerationRequest
from core.structures.diffusion.sampler import BLOCK, State, Task
from core.structures.diffusion.template_draw import VERSION, TemplateDraw
from core.structures.diffusion.validity import structurally_valid, valid_compositions
from core.structures.diffusion.ways import WayRecorder
from core.structures.diffusion.weights import CrystalModel
from core.structures.diffusion.wyckoff_templates import BlockSymmetry, WyckoffTemplate
from core.structures.files import to_cif
from core.structures.symmetry import space_group_of

REQUEST, STATUS, PROGRESS, BLOCKS, ERRORS, WAYS, TABLE, CIF = (
    "request.json", "status.json", "blocks.jsonl", "blocks", "errors", "ways.json", "samples.csv", "cif",
)  # fmt: skip
CANCEL, LOCK = "cancel", "worker.lock"
COLUMNS = (
    "number", "formula", "n_atoms", "space_group", "volume_A3_per_atom", "shortest_distance_A", "valid_structure",
    "valid_composition", "template", "denoising_error", "cif",
)  # fmt: skip
_STATUS_EVERY_S = 1.0


class GenerationPhase(StrEnum):
    """Phase of a generation. INTERRUPTED : ended by an error or by a signal; the same command continues it"""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class GenerationStatus:
    """The content of status.json.

    samples, count : finished ones, and all
    step, total_steps : completed steps of the current block, and its number of steps
    elapsed_s : of this start; remaining_s : estimated; None without an estimate
    """

    phase: GenerationPhase
    samples: int
    count: int
    step: int
    total_steps: int
    elapsed_s: float
    remaining_s: float | None = None


def generate(
    folder: Path,
    request: GenerationRequest,
    model: CrystalModel,
    device: torch.device,
    on_status: Callable[[GenerationStatus], None] = lambda status: None,
    should_stop: Callable[[], bool] | None = None,
) -> GenerationStatus:
    """Generate what the folder does not have yet; returns the last status, FINISHED or CANCELLED.

    model : the network of `request.checkpoint`, on the device
    on_status : called with every status that is written
    should_stop : asked before each step; None: whether there is a file `cancel`, removed at the start

    Raises InputError (field "out") for a folder with another request, another worker or one that cannot be written.
    """
    with storage_errors(folder, "out"):
        (folder / BLOCKS).mkdir(parents=True, exist_ok=True)
        (folder / CIF).mkdir(exist_ok=True)
        lock = acquire_lock(folder / LOCK)
        if lock is None:
            raise InputError("out", folder, "another process generates in this folder", "Wait, or choose a new folder")
        try:
            _check(folder, request, model)
            remove_partial_files(folder / BLOCKS)
            if should_stop is None:
                (folder / CANCEL).unlink(missing_ok=True)
                should_stop = (folder / CANCEL).exists
            return _Generation(folder, request, model, device, on_status, should_stop).run()
        finally:
            lock.release()


def _check(folder: Path, request: GenerationRequest, model: CrystalModel) -> None:
    asked = {"request": request.to_json(), "checkpoint": request.checkpoint, "sha256": model.card["sha256"]}
    if request.symmetric:
        asked |= {"prototypes_sha256": read_card(LIBRARY)["sha256"], "template_draw": VERSION}
    stored = read_json(folder / REQUEST)
    if stored is not None and stored != asked:
        rule, remedy = "this folder has samples of another request or of another checkpoint", "Choose a new folder"
        if request.symmetric and stored.get("request") == replace(request, symmetric=False).to_json():
            rule, remedy = "this folder has samples of any symmetry", f"{remedy}, or go on with --any-symmetry"
        raise InputError("out", folder, rule, remedy)
    write_json(folder / REQUEST, asked)


class _Generation:
    """One start of a generation."""

    def __init__(
        self, folder: Path, request: GenerationRequest, model: CrystalModel, device: torch.device,
        on_status: Callable[[GenerationStatus], None], should_stop: Callable[[], bool],
    ):  # fmt: skip
        self.folder, self.request, self.model, self.device = folder, request, model, device
        self.should_stop = should_stop
        self.on_status, self.began, self.told = on_status, time.monotonic(), -_STATUS_EVERY_S
        self.done = self.computed = 0  # finished samples; those of them that this start computed
        self.rows: list[dict[str, str]] = []
        composition = request.composition
        self.draw = TemplateDraw(load_prototypes(), composition) if request.symmetric and composition else None

    def run(self) -> GenerationStatus:
        """All blocks."""
        last = GenerationPhase.INTERRUPTED
        write_atomically(self.folder / PROGRESS, "")
        try:
            for first in range(0, self.request.count, BLOCK):
                self._block(first)
            last = GenerationPhase.FINISHED
        except Stopped:
            last = GenerationPhase.CANCELLED
        finally:
            write_atomically(self.folder / TABLE, _csv(self.rows))
            status = self._tell(last, 0)
        return status

    def _block(self, first: int) -> None:
        count = min(BLOCK, self.request.count - first)
        path = self.folder / BLOCKS / f"{first:07d}.json"
        stored, request, templates = path.exists(), self.request, self._templates(first, count)
        task = Task(
            self.model.network,
            self.model.sizes,
            request.seed,
            first,
            count,
            request.wanted,
            request.sampler,
            self.device,
            BlockSymmetry(templates, self.device) if templates else None,
        )
        recorder = WayRecorder(task) if first == 0 and not stored else None

        def progress(state: State) -> None:
            self._step(state.step)
            if recorder is not None:
                recorder(state)
                if state.step == request.sampler.steps:
                    recorder.write(self.folder / WAYS)

        made = sampled(task, path, self.should_stop, progress)
        own = _rows(self.folder, first, made)
        self._add_likelihood(own, made, templates, self.folder / ERRORS / path.name)
        self.rows += own
        self.done += count
        self.computed += 0 if stored else count
        valid = sum(row["valid_structure"] == "true" for row in own)
        line = {"samples": self.done, "of_block": count, "valid_structure": valid, "elapsed_s": self._elapsed_s()}
        with (self.folder / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        write_atomically(self.folder / TABLE, _csv(self.rows))
        self._tell(GenerationPhase.RUNNING, 0)

    def _templates(self, first: int, count: int) -> list[WyckoffTemplate]:
        """Those of a block; none if samples have any symmetry."""
        return [] if self.draw is None else self.draw.templates(self.request.seed, range(first, first + count))

    def _add_likelihood(
        self, rows: list[dict[str, str]], made: Sequence[Structure | None], templates: Sequence[WyckoffTemplate],
        path: Path,
    ) -> None:  # fmt: skip
        """Of samples of a formula: the prototype whose symmetry each has, and the error of the network on it.

        path : of the file that keeps the errors
        """
        if self.request.composition is None:
            return
        stored = read_json(path)
        if stored is None:
            found = denoising_errors(self.model.network, [each for each in made if each is not None], self.device).total
            stored = {"denoising_errors": [None if math.isnan(error) else error for error in found.tolist()]}
            path.parent.mkdir(exist_ok=True)
            write_json(path, stored)
        errors = iter(stored["denoising_errors"])
        for place, (row, structure) in enumerate(zip(rows, made, strict=True)):
            row["template"] = templates[place].label if templates else ""
            if structure is not None and (error := next(errors)) is not None:
                row["denoising_error"] = f"{error:.4f}"

    def _step(self, step: int) -> None:
        if time.monotonic() - self.told >= _STATUS_EVERY_S:
            self._tell(GenerationPhase.RUNNING, step)

    def _tell(self, phase: GenerationPhase, step: int) -> GenerationStatus:
        self.told, elapsed_s, steps = time.monotonic(), self._elapsed_s(), self.request.sampler.steps
        begun = min(BLOCK, self.request.count - self.done) * step / steps  # of the block in work
        worked, left = self.computed + begun, self.request.count - self.done - begun
        remaining_s = max(left, 0) * elapsed_s / worked if phase is GenerationPhase.RUNNING and worked else None
        status = GenerationStatus(phase, self.done, self.request.count, step, steps, elapsed_s, remaining_s)
        write_json(self.folder / STATUS, asdict(status))
        self.on_status(status)
        return status

    def _elapsed_s(self) -> float:
        return round(time.monotonic() - self.began, 3)


def _rows(folder: Path, first: int, made: Sequence[Structure | None]) -> list[dict[str, str]]:
    """The rows of a block; the CIF files of its valid structures are written if they are missing."""
    there = [each for each in made if each is not None]
    neutral = iter(valid_compositions(there) if there else ())
    rows = []
    for number, structure in enumerate(made, start=first):
        if structure is None:
            rows.append({"number": str(number), "valid_structure": "false", "valid_composition": "false"})
            continue
        valid, name = structurally_valid(structure), f"{CIF}/{number:07d}-{structure.formula}.cif"
        if valid and not (folder / name).exists():
            write_atomically(folder / name, to_cif(structure))
        rows.append(
            {
                "number": str(number),
                "formula": structure.formula,
                "n_atoms": str(len(structure.symbols)),
                "space_group": str(space_group_of(structure)) if valid else "",
                "volume_A3_per_atom": f"{structure.volume_A3_per_atom:.3f}",
                "shortest_distance_A": f"{structure.shortest_distance_A():.3f}",
                "valid_structure": str(valid).lower(),
                "valid_composition": str(bool(next(neutral))).lower(),
                "cif": name if valid else "",
            }
        )
    return rows


def _csv(rows: Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()
