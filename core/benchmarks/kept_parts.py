"""Finished parts of a benchmark in one file, JSON Lines, so that a table of many hours can be made in several days.

The folder of the cache is on one machine; this file can stand beside the table, and the benchmark then carries out
only what is missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import InputError


class KeptParts:
    """Parts by key: JSON objects, each in one line of a file {"key": ..., "part": ..., "result": ...}.

    An incomplete last line, of an interrupted program, is removed with the next part that is added.
    """

    def __init__(self, file: Path):
        """Raises InputError for a line that is no such object."""
        self.file = file
        self._found: dict[str, Any] = {}
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        self._length = len(whole.encode())
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                read = json.loads(line)
                self._found[read["key"]] = read["result"]
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    "finished parts", f"{file}, line {number}", "a line is a JSON object with key, part and result",
                    "Restore the file, or remove this line",
                ) from error  # fmt: skip

    def __len__(self) -> int:
        """The number of parts."""
        return len(self._found)

    def get(self, key: str) -> Any:
        """The result of a part; None if it is missing."""
        return self._found.get(key)

    def add(self, key: str, part: str, result: Any) -> None:
        """Add a part at the end of the file. part : what it is, for readers of the file"""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"key": key, "part": part, "result": result}, ensure_ascii=False, allow_nan=False) + "\n"
        with self.file.open("ab") as file:
            file.truncate(self._length)
            file.write(line.encode())
        self._length += len(line.encode())
        self._found[key] = result
