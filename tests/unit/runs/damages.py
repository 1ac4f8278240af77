"""Ways to damage the files of a run, for tests of everything that reads them."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from core.runs import layout

STORED = Path(__file__).parents[2] / "compatibility" / "run_folders"
FINISHED, INTERRUPTED = "finished-gradient", "killed"
FILES = (layout.PROBLEM, *layout.FILES)

_FAR_AWAY = b'{"created": "2026-11-27T13:58:56+14:00", "threads": 1}'
WAYS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda old: b"",
    "truncated": lambda old: old[: len(old) // 2],
    "zeroed": lambda old: bytes(len(old) or 4),
    "byte 0xff": lambda old: old[:9] + b"\xff" + old[10:],
    "appended zeros": lambda old: old + b"\0\0\0\0\n",
    "{}": lambda old: b"{}\n",
    "[]": lambda old: b"[]\n",
    "null": lambda old: b"null\n",
    "nested": lambda old: b"[" * 1100 + b"]" * 1100,
    "large integer": lambda old: b'{"step": ' + b"9" * 400 + b"}",
    "another created": lambda old: b'{"created": "yesterday", "threads": "many", "phase": "finished", "time": "now"}',
    "another time zone": lambda old: _FAR_AWAY,
    "no time zone": lambda old: b'{"created": "2026-11-27T13:58:56"}',
    "other text": lambda old: "Tc > 20 K, β = 1\n".encode(),
}
REPLACEMENTS = ("removed", "folder", "dangling link")


def damage(path: Path, way: str) -> None:
    """Damage one file, in one of WAYS or REPLACEMENTS."""
    if way in WAYS:
        path.write_bytes(WAYS[way](path.read_bytes() if path.is_file() else b""))
        return
    path.unlink(missing_ok=True)
    if way == "folder":
        path.mkdir()
        (path / "inside").write_text("x")
    elif way == "dangling link":
        path.symlink_to(path.parent / "nowhere")
    os.utime(path.parent, (1e9, 1e9))  # no run that is just being created


def damage_at_random(folder: Path, seed: int) -> str:
    """Damage one to three files in random ways, byte flips included; returns what was done."""
    chance, done = random.Random(seed), []
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(FILES)
        if chance.random() < 0.4 and (folder / name).is_file() and (folder / name).stat().st_size:
            content = bytearray((folder / name).read_bytes())
            for _ in range(chance.randint(1, 20)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            (folder / name).write_bytes(content[: chance.randint(1, len(content))])
            done.append(f"{name}: bytes")
        elif not (folder / name).is_dir():
            way = chance.choice([*WAYS, *REPLACEMENTS])
            damage(folder / name, way)
            done.append(f"{name}: {way}")
    return ", ".join(done)


def stored_run(name: str, folder: Path) -> Path:
    """A copy of a stored run at `folder`, with checksums if it has finished."""
    shutil.copytree(Path(_finished().name) / name if name == FINISHED else STORED / name, folder)
    return folder


@cache
def _finished() -> TemporaryDirectory:
    """A folder with the finished run, its table with the columns of today and its files with checksums."""
    from core.runs.documents import RESULT
    from core.runs.results import write_csv, write_summary
    from core.runs.run import Run

    temporary = TemporaryDirectory()
    folder = Path(shutil.copytree(STORED / FINISHED, Path(temporary.name) / FINISHED))
    write_csv(folder, Run(folder).candidates())
    write_summary(folder, RESULT.content(folder))
    return temporary
