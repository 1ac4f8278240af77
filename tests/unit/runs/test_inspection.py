"""Every file of a run removed, truncated, zeroed, or of another type: it is found, told, and never served."""

from __future__ import annotations

from contextlib import suppress

import pytest

from core.errors import InputError
from core.runs import index, layout, store
from core.runs.damage import Remedy
from core.runs.inspection import inspect
from core.runs.rebuild import rebuild
from core.runs.run import Run
from core.runs.status import Phase
from tests.unit.runs.damages import (
    FILES,
    FINISHED,
    INTERRUPTED,
    REPLACEMENTS,
    WAYS,
    damage,
    damage_at_random,
    stored_run,
)

# Damages after which the file is a valid one, only with fewer fields.
HARMLESS = {(layout.PROVENANCE, "{}"), (layout.PROVENANCE, "another time zone")}
READERS = ("problem", "created", "status", "schedule", "progress", "averaged_steps", "top", "candidates", "csv",
           "summary", "provenance", "damages")  # fmt: skip
NEEDED = {  # what a whole run of each kind has, and whose loss must be told
    FINISHED: (layout.PROBLEM, layout.STATUS, layout.PROVENANCE, layout.RESULT, layout.CSV, layout.TABLE,
               layout.PROGRESS),
    INTERRUPTED: (layout.PROBLEM, layout.STATUS, layout.PROVENANCE),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A runs folder of this test's own."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path))
    return tmp_path


def read_everything(run: Run) -> None:
    """Call every reader; only errors with a message for the user are allowed."""
    for name in READERS:
        try:
            getattr(run, name)()
        except (InputError, FileNotFoundError) as error:
            assert len(str(error)) < 2000
    with suppress(InputError):
        run.trajectory(0)
    assert [entry.id for entry in index.entries()] == [run.id] == [found.id for found in store.list_runs()]


@pytest.mark.parametrize("name", [FINISHED, INTERRUPTED])
def test_a_whole_run_has_no_damages(folder, name):
    run = Run(stored_run(name, folder / "run"))
    assert run.damages() == [] and run.status().phase in (Phase.FINISHED, Phase.INTERRUPTED)


@pytest.mark.parametrize("name", [FINISHED, INTERRUPTED])
@pytest.mark.parametrize("file", FILES)
def test_any_damage_of_a_file_is_told_and_what_can_be_is_rebuilt(folder, name, file):
    for number, way in enumerate([*WAYS, *REPLACEMENTS]):
        run = Run(stored_run(name, folder / f"run{number}"))
        before = (run.folder / file).read_bytes() if (run.folder / file).exists() else b""
        damage(run.folder / file, way)
        read_everything(run)
        same = (run.folder / file).is_file() and (run.folder / file).read_bytes() == before
        if file in NEEDED[name] and not same and (file, way) not in HARMLESS:
            assert file in [found.file for found in run.damages()], (file, way)
        rebuild(run)
        left = run.damages()
        assert all(found.remedy is not Remedy.REBUILD or file == layout.PROBLEM for found in left), (way, left)
        if file in (layout.CSV, layout.STATUS, layout.PROVENANCE, layout.TABLE, layout.LOCK):
            assert left == [], (way, left)
        if file == layout.CSV and name == FINISHED:
            assert (run.folder / file).read_bytes() == before
        store.delete(run)


@pytest.mark.parametrize("seed", range(30))
def test_random_damages_never_end_in_another_error(folder, seed):
    run = Run(stored_run([FINISHED, INTERRUPTED][seed % 2], folder / "run"))
    done = damage_at_random(run.folder, seed)
    try:
        read_everything(run)
        rebuild(run)
        read_everything(run)
    except InputError:
        raise
    except Exception as error:
        raise AssertionError(done) from error


def test_a_truncated_csv_is_not_served(folder):
    run = Run(stored_run(FINISHED, folder / "run"))
    content = (run.folder / layout.CSV).read_bytes()
    (run.folder / layout.CSV).write_bytes(content[: content.rindex(b"\n", 0, -1) + 1])  # whole rows, one missing
    with pytest.raises(InputError, match="bytes instead of"):
        run.csv()
    assert run.status().phase is Phase.DAMAGED and "can be rebuilt" in run.status().message
    assert rebuild(run) == ["candidates.csv was rebuilt from candidates.parquet, byte for byte."]
    assert run.csv().encode() == content and run.status().phase is Phase.FINISHED


def test_a_changed_byte_in_the_csv_is_found_by_its_checksum(folder):
    run = Run(stored_run(FINISHED, folder / "run"))
    content = bytearray((run.folder / layout.CSV).read_bytes())
    content[-3] ^= 1
    (run.folder / layout.CSV).write_bytes(content)
    with pytest.raises(InputError, match="checksum"):
        run.csv()
    assert [found.file for found in inspect(run.folder, thorough=True)] == [layout.CSV]


def test_a_lost_problem_is_restored_from_its_copy(folder):
    run = Run(stored_run(FINISHED, folder / "run"))
    text = run.problem_text()
    (run.folder / layout.PROVENANCE).unlink()
    rebuild(run)
    (run.folder / layout.PROBLEM).unlink()
    assert run.status().phase is Phase.DAMAGED
    rebuild(run)
    assert run.problem_text() == text and run.status().phase is Phase.FINISHED
