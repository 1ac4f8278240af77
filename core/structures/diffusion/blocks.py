"""Samples in blocks, each stored when it is finished: an interrupted sampling continues, with the same samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from core.chemistry.structure import Structure
from core.files import read_json, write_atomically
from core.structures.diffusion.sampler import State, Task, init, step, structures
from core.structures.packed_structure import packed, unpacked

Progress = Callable[[State], None]  # told the state of a block before the first step, and after each one


class Stopped(Exception):
    """The sampling was asked to stop; finished blocks are stored."""


def sampled(task: Task, path: Path, should_stop: Callable[[], bool], progress: Progress) -> list[Structure | None]:
    """The structures of a block, read from its file or computed and stored there.

    should_stop : asked before each step. Raises Stopped if it says so.
    """
    stored = read_json(path)
    if stored is not None:
        return [None if each is None else unpacked(each) for each in stored["structures"]]
    state = init(task)
    progress(state)
    for _ in range(task.settings.steps):
        if should_stop():
            raise Stopped
        state = step(task, state)
        progress(state)
    made = structures(task, state)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"structures": [None if each is None else packed(each) for each in made]}
    write_atomically(path, json.dumps(content))
    return made
