"""JSON of any origin -> Python data, within limits: size, depth, integers, characters.

Python's own reader ends in RecursionError for a thousand brackets, makes integers of any size, which later overflow,
and accepts characters that cannot be written again.
"""

from __future__ import annotations

import json
import re
from typing import Any

from core.limits import INTEGER_DIGITS, JSON_DEPTH

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """The text is not JSON, or exceeds a limit; the message completes “this file …”."""


def parse(content: str | bytes, most_bytes: int) -> Any:
    """The data in a JSON text.

    content : text, or bytes in UTF-8
    most_bytes : largest size of the text in UTF-8

    Raises JsonError.
    """
    text = _decoded(content, most_bytes)
    if text.count("[") + text.count("{") > JSON_DEPTH:
        _check_depth(text)
    try:
        data = json.loads(text, parse_int=_integer)
        if _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False).encode()
    except JsonError:
        raise
    except UnicodeEncodeError:
        raise JsonError("holds a character that is no text (half of a surrogate pair)") from None
    except (ValueError, RecursionError) as error:
        raise JsonError(f"is not valid JSON ({error})") from None
    return data


def _decoded(content: str | bytes, most_bytes: int) -> str:
    size = len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))
    if size > most_bytes:
        raise JsonError(f"is larger than {most_bytes / 1e6:g} MB")
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise JsonError("is not text in UTF-8") from None


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > JSON_DEPTH:
            raise JsonError(f"has lists and objects inside each other more than {JSON_DEPTH} deep")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > INTEGER_DIGITS:
        raise JsonError(f"holds an integer of more than {INTEGER_DIGITS} digits")
    return int(digits)
