"""The ways of samples from noise to a crystal, at some moments, for an animation: one file for the first block."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from core.chemistry.structure import Structure
from core.files import read_json, write_atomically
from core.structures.diffusion.sampler import State, Task, structures
from core.structures.packed_structure import packed, unpacked

MOMENTS = 40  # of each way, beside the noise that it starts from
_DIGITS = 4  # of coordinates and lattice vectors


@dataclass(frozen=True)
class Moment:
    """A sample on its way. step : steps made so far"""

    step: int
    structure: Structure


class WayRecorder:
    """Records the samples of a block at moments at equal numbers of steps; the last one is the result."""

    def __init__(self, task: Task, moments: int = MOMENTS):
        steps = task.settings.steps
        moments = min(moments, steps)
        self._task, self._steps = task, {round(k * steps / moments) for k in range(moments + 1)}
        self._ways: dict[str, list[dict]] = {}

    def __call__(self, state: State) -> None:
        """A state of the block: recorded if it is one of the moments; a new start forgets the one before."""
        if state.step == 0:
            self._ways = {}
        if state.step not in self._steps:
            return
        for number, structure in zip(sorted(self._task.atoms), structures(self._task, state), strict=True):
            if structure is not None:
                moment = {"step": state.step} | _rounded(packed(structure))
                self._ways.setdefault(str(number), []).append(moment)

    @property
    def ways(self) -> dict[int, list[Moment]]:
        """Number of a sample -> its moments so far, rounded as in the file."""
        return _unpacked(self._ways)

    def write(self, path: Path) -> None:
        """Write what is recorded."""
        write_atomically(path, json.dumps(self._ways, separators=(",", ":")))


def read_ways(path: Path) -> dict[int, list[Moment]]:
    """Number of a sample -> its moments in their order; empty without the file."""
    return _unpacked(read_json(path) or {})


def _unpacked(ways: dict[str, list[dict]]) -> dict[int, list[Moment]]:
    return {int(number): [Moment(each["step"], unpacked(each)) for each in way] for number, way in ways.items()}


def _rounded(content: dict) -> dict:
    return content | {
        name: [[round(value, _DIGITS) for value in row] for row in content[name]] for name in ("lattice", "positions")
    }
