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

    An incomplete last line, of an interrupted program, is removed from the file. One program at a time adds parts.
    """

    def __init__(self, file: Path):
        """Raises InputError for a line that is no such object."""
        self.file = file
        self._found: dict[str, Any] = {}
        content = file.read_bytes() if file.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                read = json.loads(line.decode())
                self._found[read["key"]] = read["result"]
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    "finished parts", f"{file}, line {number}", "a line is a JSON object with key, part and result",
                    "Restore the file, or remove this line",
                ) from error  # fmt: skip
        if len(whole) < len(content):
            with file.open("r+b") as opened:
                opened.truncate(len(whole))

    def __len__(self) -> int:
        """The number of parts."""
        return len(self._found)

    def get(self, key: str) -> Any:
        """The result of a part; None if it is missing."""
        return self._found.get(key)

    def add(self, key: str, part: str, result: Any) -> None:
        """Add a part at the end of the file. part : what it is, for readers of the file"""
        line = json.dumps({"key": key, "part": part, "result": result}, ensure_ascii=False, allow_nan=False) + "\n"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("ab") as file:
            file.write(line.encode())
        self._found[key] = result
