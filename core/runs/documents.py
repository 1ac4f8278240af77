"""The JSON files of a run: one reader, which returns typed content or says what is damaged.

Every file of a run may be missing, cut off, overwritten, or written by someone else. `Document.read` checks size,
depth, the type of every known field, and returns the content or a `Damage`; unknown fields, written by other versions,
are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core import json_text
from core.errors import shown
from core.files import read_bounded
from core.limits import DOCUMENT_BYTES
from core.process_identity import ProcessIdentity
from core.runs import layout
from core.runs.damage import Damage, Remedy

MOST_STEPS, MOST_THREADS, LATEST_S = 10**9, 4096, 10.0**11
_WRONG_SHOWN = 60  # characters of a wrong value


@dataclass(frozen=True)
class Field:
    """A field of a JSON object. test : of its value; kind : what it must be, in words"""

    test: Callable[[object], bool]
    kind: str
    required: bool = True


@dataclass(frozen=True)
class Document:
    """A JSON file of a run. remedy : if it is damaged"""

    file: str
    fields: Mapping[str, Field]
    remedy: Remedy

    def read(self, folder: Path) -> dict | Damage | None:
        """The content; a Damage if it cannot be used; None if there is no such file."""
        try:
            content = json_text.parse(read_bounded(folder / self.file, DOCUMENT_BYTES), DOCUMENT_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            return self._damage(f"cannot be read ({error.strerror})")
        except json_text.JsonError as error:
            return self._damage(str(error))
        return content if (wrong := first_wrong(content, self.fields)) is None else self._damage(wrong)

    def content(self, folder: Path) -> dict:
        """The content; empty for a missing or damaged file, where the caller can do without."""
        read = self.read(folder)
        return read if isinstance(read, dict) else {}

    def _damage(self, wrong: str) -> Damage:
        return Damage(self.file, wrong, self.remedy)


def first_wrong(content: object, fields: Mapping[str, Field]) -> str | None:
    """What is wrong with an object of these fields, completes "FILE …"; None if nothing is."""
    if not isinstance(content, dict):
        return "does not hold a JSON object"
    for name, field in fields.items():
        if name not in content:
            if field.required:
                return f"has no “{name}”"
        elif not field.test(content[name]):
            return f"has “{name}”: {shown(content[name], _WRONG_SHOWN)} instead of {field.kind}"
    return None


# ---- kinds of values -----------------------------------------------------------------------------------------------


def is_text(value: object) -> bool:
    """Whether the value is text."""
    return isinstance(value, str)


def is_number(value: object) -> bool:
    """Whether the value is a number, NaN and infinity included: a prediction may be either."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_count(value: object, least: int = 0, most: int = MOST_STEPS) -> bool:
    """Whether the value is a whole number in a range."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_duration(value: object) -> bool:
    """Whether the value is a finite time in seconds, not negative."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LATEST_S


def is_time(value: object) -> bool:
    """Whether the value is a date and time with its time zone, in ISO 8601."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except (ValueError, OverflowError):
        return False


def or_none(test: Callable[[object], bool]) -> Callable[[object], bool]:
    """The same test, which null passes too."""
    return lambda value: value is None or test(value)


def _is_funnel(value: object) -> bool:
    return isinstance(value, list) and all(first_wrong(step, _FUNNEL_STEP) is None for step in value)


def _is_counts(value: object) -> bool:
    return isinstance(value, dict) and all(map(is_count, value.values()))


def _is_base(value: object) -> bool:
    """Predictions for the base: numbers, with Tc and formation energy among them."""
    needed = {"tc_K", "formation_energy_eV_per_atom"}
    return isinstance(value, dict) and needed <= value.keys() and all(map(is_number, value.values()))


def _is_checksums(value: object) -> bool:
    return isinstance(value, dict) and all(map(is_text, value.values()))


def _is_files(value: object) -> bool:
    return isinstance(value, dict) and all(first_wrong(each, _FILE) is None for each in value.values())


# ---- the documents -------------------------------------------------------------------------------------------------

_PHASES = ("queued", "running", "screening", "finished", "stopped", "cancelled", "failed", "interrupted")
_FUNNEL_STEP = {
    "screen": Field(is_text, "text"),
    "label": Field(is_text, "text"),
    "left": Field(is_count, "a count"),
    "failed": Field(_is_counts, "counts"),
    "note": Field(is_text, "text", required=False),
}
_FILE = {"sha256": Field(is_text, "text"), "bytes": Field(lambda v: is_count(v, 0, 2**62), "a size")}
_WHEN = "a date and time with its time zone"
_PROCESS = {
    "time": Field(is_duration, "a time (s)"),
    "pid": Field(or_none(is_count), "a process id"),
    "process": Field(or_none(lambda v: ProcessIdentity.from_json(v) is not None), "a process", required=False),
    "folder": Field(is_text, "text", required=False),
    "ended": Field(lambda v: isinstance(v, bool), "true or false", required=False),
}

STATUS = Document(
    layout.STATUS,
    {
        "phase": Field(lambda v: v in _PHASES, "a phase"),
        "stage": Field(lambda v: is_count(v, 1), "a stage"),
        "step": Field(is_count, "a number of steps"),
        "total_steps": Field(is_count, "a number of steps"),
        "elapsed_s": Field(is_duration, "a time (s)", required=False),
        "remaining_s": Field(or_none(is_duration), "a time (s)", required=False),
        "restarts": Field(lambda v: is_count(v, 0, 10**15), "a count", required=False),
        "message": Field(is_text, "text", required=False),
    },
    Remedy.REBUILD,
)
PROVENANCE = Document(
    layout.PROVENANCE,
    {
        "created": Field(is_time, _WHEN, required=False),
        "started": Field(is_time, _WHEN, required=False),
        "finished": Field(is_time, _WHEN, required=False),
        "threads": Field(lambda v: is_count(v, 1, MOST_THREADS), f"a number from 1 to {MOST_THREADS}", required=False),
        "checkpoints": Field(_is_checksums, "checksums", required=False),
        "problem": Field(is_text, "text", required=False),
    },
    Remedy.REBUILD,
)
RESULT = Document(
    layout.RESULT,
    {
        "status": Field(is_text, "text"),
        "step": Field(is_count, "a number of steps", required=False),
        "base": Field(_is_base, "predictions"),
        "funnel": Field(_is_funnel, "the steps of the funnel"),
        "restarts": Field(lambda v: is_count(v, 0, 10**15), "a count"),
        "device": Field(is_text, "text"),
        "n_passing": Field(is_count, "a count"),
        "best_tc_K": Field(or_none(is_number), "a temperature (K)"),
        "best_formula": Field(or_none(is_text), "a formula"),
        "files": Field(_is_files, "sizes and checksums", required=False),
    },
    Remedy.RESUME,
)
START = Document(layout.START, _PROCESS, Remedy.REBUILD)
WORKER = Document(layout.WORKER, _PROCESS, Remedy.REBUILD)
