"""Reads the text files that a user names."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError
from core.files import read_bounded
from core.limits import PROBLEM_BYTES


def read_text(path: Path, field: str, remedy: str, most_bytes: int = PROBLEM_BYTES) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark.

    field : name of the input, for the error
    remedy : advice for a file that is not UTF-8

    most_bytes : largest size

    Raises InputError if the file is missing, unreadable, too large or not UTF-8.
    """
    try:
        return read_bytes(path, field, most_bytes).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(field, path, "this file is not text in UTF-8", remedy) from None


def read_bytes(path: Path, field: str, most_bytes: int) -> bytes:
    """The content of a file. Raises InputError if it is missing, unreadable or too large."""
    try:
        content = read_bounded(path, most_bytes)
    except FileNotFoundError:
        raise InputError(field, path, "there is no such file", "Check the name") from None
    except OSError as error:
        raise InputError(field, path, f"this file cannot be read ({error.strerror})", "Check the name") from None
    if len(content) > most_bytes:
        raise InputError(field, path, f"this file is larger than {most_bytes / 1e6:g} MB", "Check the name")
    return content
