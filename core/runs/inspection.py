"""What is damaged in the folder of a run: every file is examined, and none is changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from core import tensor_file
from core.errors import InputError, shown
from core.files import read_bounded
from core.generation.registry import generator_of
from core.generation.validation import first_stored_error
from core.limits import PROBLEM_BYTES, WEIGHTS_BYTES
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.damage import Damage, Remedy
from core.runs.documents import MOST_THREADS, PROVENANCE, RESULT, START, STATUS, WORKER, is_count
from core.runs.ownership import was_started
from core.runs.progress import (
    TRAJECTORY_RECORDS,
    read_whole_records,
    recorded_steps,
    trajectory_record_bytes,
)

FINISHED, WITH_RESULT = "finished", ("finished", "stopped")
RECORDED = (layout.CSV, layout.TABLE, layout.PROGRESS, layout.TRAJECTORY)  # with size and checksum in result.json
_REGULAR = (layout.LOCK, layout.LOG, layout.CANCEL, layout.RESUME)  # must be plain files where they exist
_TRANSIENT = (START, WORKER)  # of a worker that has ended: no run needs them


def inspect(folder: Path, thorough: bool = False) -> list[Damage]:
    """The damages of a run without a worker, the gravest first; empty if the run is whole.

    thorough : also read what can be long: checksums, progress, the resume point. Otherwise a few milliseconds
    """
    found = [*_documents(folder), *_results(folder, thorough), *_wrong_types(folder)]
    if thorough:
        found += [*_records(folder), *_resume_point(folder)]
        found += [read for document in _TRANSIENT if isinstance(read := document.read(folder), Damage)]
    order = list(Remedy)
    distinct = {damage.file: damage for damage in reversed(found)}
    return sorted(distinct.values(), key=lambda damage: -order.index(damage.remedy))


def read_problem(folder: Path) -> DesignProblem | Damage:
    """The problem of a run, valid apart from its models; or what is wrong with its file."""
    text = read_problem_text(folder)
    if isinstance(text, Damage):
        return text
    problem = _valid_problem(text)
    return problem if isinstance(problem, DesignProblem) else Damage(layout.PROBLEM, problem, _problem_remedy(folder))


def read_problem_text(folder: Path) -> str | Damage:
    """The text of the problem file, or what is wrong with it."""
    try:
        content = read_bounded(folder / layout.PROBLEM, PROBLEM_BYTES)
    except FileNotFoundError:
        wrong = "is missing"
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    else:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            wrong = "is not text in UTF-8"
    return Damage(layout.PROBLEM, wrong, _problem_remedy(folder))


def copied_problem(folder: Path) -> str | None:
    """The text of the problem as provenance.json keeps it; None without a usable copy."""
    text = PROVENANCE.content(folder).get("problem")
    return text if text is not None and isinstance(_valid_problem(text), DesignProblem) else None


def _valid_problem(text: str) -> DesignProblem | str:
    """The problem in a text, or what is wrong with the text."""
    try:
        problem = DesignProblem.from_json(text)
        error = first_stored_error(problem)
    except InputError as unreadable:
        error = unreadable
    return problem if error is None else f"holds no valid problem ({shown(error.message)})"


def _problem_remedy(folder: Path) -> Remedy:
    return Remedy.REBUILD if copied_problem(folder) is not None else Remedy.DELETE


def file_checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded_file(path: Path) -> dict:
    """Size and checksum of a file, as result.json records them."""
    return {"sha256": file_checksum(path), "bytes": path.stat().st_size}


def file_wrong(path: Path, recorded: Mapping | None, thorough: bool) -> str:
    """What is wrong with a result file, completes "FILE …"; "" if nothing is found.

    recorded : its size and checksum in result.json; None for a run of an earlier version
    thorough : compare the checksum too
    """
    if not path.is_file():
        return "is not a regular file" if path.exists() else "is missing"
    try:
        size = path.stat().st_size
        if size == 0 or (recorded is not None and size != recorded["bytes"]):
            return f"has {size:,} bytes" + ("" if recorded is None else f" instead of {recorded['bytes']:,}")
        if thorough and recorded is not None and file_checksum(path) != recorded["sha256"]:
            return "does not agree with its checksum"
        if thorough and recorded is None:
            return _unrecorded_wrong(path)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return ""


def _unrecorded_wrong(path: Path) -> str:
    """What is wrong with a result file of a run without checksums, as far as its end tells."""
    content = path.read_bytes()
    if path.name == layout.CSV and not content.endswith(b"\n"):
        return "ends within a row"
    if path.name == layout.TABLE and not (content[:4] == content[-4:] == b"PAR1"):
        return "is cut off, or is no Parquet file"
    return ""


def stored_threads(folder: Path) -> int | None:
    """The number of threads of the first start that an undamaged resume point keeps; None without one."""
    try:
        content = read_bounded(folder / layout.RESUME, WEIGHTS_BYTES)
        _, metadata = tensor_file.layout(content)
        if metadata.get("sha256") != tensor_file.checksum(content):
            return None
    except (tensor_file.TensorFileError, OSError):
        return None
    threads = metadata.get("threads", "")
    return int(threads) if threads.isdecimal() and is_count(int(threads[:9]), 1, MOST_THREADS) else None


def _documents(folder: Path) -> Iterator[Damage]:
    problem = read_problem(folder)
    if isinstance(problem, Damage):
        yield problem
    status, provenance = STATUS.read(folder), PROVENANCE.read(folder)
    yield from (read for read in (status, provenance) if isinstance(read, Damage))
    worked = any((folder / name).exists() for name in (layout.PROGRESS, layout.RESULT))  # written after both
    if status is None and (worked or was_started(folder)):
        yield Damage(STATUS.file, "is missing", STATUS.remedy)
    if provenance is None and worked:
        yield Damage(PROVENANCE.file, "is missing", PROVENANCE.remedy)


def _has_result(folder: Path) -> bool:
    """Whether the run must have a result, by its status, or by its results if the status is lost."""
    status = STATUS.read(folder)
    return status["phase"] in WITH_RESULT if isinstance(status, dict) else (folder / layout.RESULT).exists()


def _is_finished(folder: Path) -> bool:
    """Whether all steps were done, by the status, or by the results if the status is lost."""
    status, result = STATUS.read(folder), RESULT.content(folder)
    return (status["phase"] if isinstance(status, dict) else result.get("status", "")) == FINISHED


def _results(folder: Path, thorough: bool) -> Iterator[Damage]:
    if not _has_result(folder):
        return
    result = RESULT.read(folder)
    if isinstance(result, Damage):
        yield result
    elif result is None:
        yield Damage(layout.RESULT, "is missing", Remedy.RESUME)
    recorded = result.get("files", {}) if isinstance(result, dict) else {}
    wrong = {name: file_wrong(folder / name, recorded.get(name), thorough) for name in RECORDED}
    if not (folder / layout.TRAJECTORY).exists():
        wrong[layout.TRAJECTORY] = ""  # benchmarks remove it, because no table needs it
    if thorough or not (wrong[layout.CSV] or wrong[layout.TABLE]):
        copies = wrong
    else:  # whether one can be rebuilt depends on the checksum of the other
        copies = {name: file_wrong(folder / name, recorded.get(name), True) for name in (layout.CSV, layout.TABLE)}
    other = {layout.CSV: layout.TABLE, layout.TABLE: layout.CSV}
    for name, words in wrong.items():
        if words:
            lost = name not in other or bool(copies[other[name]]) or not isinstance(result, dict)
            yield Damage(name, words, Remedy.RESUME if lost else Remedy.REBUILD)


def _wrong_types(folder: Path) -> Iterator[Damage]:
    for name in _REGULAR:
        path = folder / name
        if os.path.lexists(path) and not path.is_file():
            yield Damage(name, "is not a regular file", Remedy.REBUILD)


def _records(folder: Path) -> Iterator[Damage]:
    """Damages of progress and trajectory; a run that has not finished may end within a record."""
    finished = _is_finished(folder)
    records, wrong = read_whole_records(folder / layout.PROGRESS)
    if wrong and (finished or not wrong.startswith("ends within")):
        yield Damage(layout.PROGRESS, wrong, Remedy.RESUME)
    elif finished and not records:
        yield Damage(layout.PROGRESS, "holds no record", Remedy.RESUME)
    problem, path = read_problem(folder), folder / layout.TRAJECTORY
    if not path.exists() or isinstance(problem, Damage):
        return
    if not path.is_file():
        yield Damage(layout.TRAJECTORY, "is not a regular file", Remedy.RESUME)
        return
    schedule = generator_of(problem).schedule(problem)
    whole, rest = divmod(path.stat().st_size, trajectory_record_bytes(schedule.candidates))
    expected = len(recorded_steps(schedule.steps, TRAJECTORY_RECORDS))
    if finished and (rest or whole != expected):
        yield Damage(layout.TRAJECTORY, f"holds {whole} whole records instead of {expected}", Remedy.RESUME)


def _resume_point(folder: Path) -> Iterator[Damage]:
    """Damage of the resume point of a run that has not finished: the run then starts from its first step."""
    path = folder / layout.RESUME
    if _is_finished(folder) or not path.is_file():
        return
    try:
        content = read_bounded(path, WEIGHTS_BYTES)
        metadata = tensor_file.layout(content)[1]
        if "sha256" in metadata and metadata["sha256"] != tensor_file.checksum(content):
            yield Damage(path.name, "does not agree with its checksum", Remedy.RESUME)
    except tensor_file.TensorFileError as error:
        yield Damage(path.name, str(error), Remedy.RESUME)
    except OSError as error:
        yield Damage(path.name, f"cannot be read ({error.strerror})", Remedy.RESUME)
