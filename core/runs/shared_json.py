"""JSON files in the folder of all runs that several processes write: under a lock, and never over a damaged file.

A reader finds the old content or the new content. The runs themselves are never changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core import json_text
from core.errors import InputError
from core.files import (
    StorageError,
    acquire_lock,
    json_content,
    make_private_folder,
    read_bounded,
    storage_errors,
    write_json,
)
from core.limits import DOCUMENT_BYTES
from core.runs import layout

_LOCK_S = 10.0


@dataclass(frozen=True)
class SharedJson:
    """One such file.

    name : of the file, without ".json"; also the field that errors name
    what : its content in words, in the plural, as in "the file of WHAT is damaged"
    """

    name: str
    what: str

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.name}.json"

    def read(self, folder: Path | None) -> object | None:
        """The content as it is; None without the file. folder : of the runs; None: that of the app

        Raises InputError if the file cannot be read or is no JSON.
        """
        path = _place(folder) / self.file
        try:
            return json_text.parse(read_bounded(path, DOCUMENT_BYTES), DOCUMENT_BYTES)
        except FileNotFoundError:
            return None
        except (OSError, json_text.JsonError) as error:
            raise self.damaged(folder, str(error)) from None

    def damaged(self, folder: Path | None, wrong: str) -> InputError:
        """The error for content that cannot be used. wrong : completes "it …"."""
        return InputError(self.name, _place(folder) / self.file, f"the file of {self.what} is damaged: it {wrong}",
                          "Restore it from a copy, or move it away; the runs are not affected")  # fmt: skip

    def change(self, folder: Path | None, content: Callable[[], dict]) -> None:
        """Write the content that a function returns, which is called while no other process writes the file.

        Raises what the function raises; InputError if the content is above DOCUMENT_BYTES; StorageError if the file
        cannot be written or stays locked. The file then keeps its content.
        """
        place = _place(folder)
        with storage_errors(place):
            make_private_folder(place)
            lock = acquire_lock(place / f".{self.name}.lock", _LOCK_S)
        if lock is None:
            raise StorageError(self.name, place / self.file, f"another process is writing {self.what}", "Try again")
        try:
            changed = content()
            if len(json_content(changed).encode()) > DOCUMENT_BYTES:
                rule = f"{self.what} would need more than {DOCUMENT_BYTES / 1e6:g} MB"
                raise InputError(self.name, place / self.file, rule, "Shorten or remove some")
            with storage_errors(place / self.file):
                write_json(place / self.file, changed, durable=True, private=True)
        finally:
            lock.release()


def _place(folder: Path | None) -> Path:
    return layout.runs_folder() if folder is None else folder
