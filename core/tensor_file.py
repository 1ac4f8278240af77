"""The header of a safetensors file, checked before memory is taken, and a checksum of its tensors.

A file is 8 bytes with the length of the header (little endian), the header in JSON (name -> dtype, shape, offsets of
the first byte and of the byte after the last; "__metadata__" -> text), and the bytes of the tensors.
Source: https://github.com/huggingface/safetensors, section Format.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from core import json_text

_METADATA = "__metadata__"
_LENGTH_BYTES, _ALIGNMENT = 8, 8
_HEADER_BYTES = 10_000_000
_ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8,
    "U64": 8, "F64": 8,
}  # fmt: skip
_MOST_DIMENSIONS = 8


class TensorFileError(ValueError):
    """The file is not a safetensors file; the message completes “this file …”."""


def layout(content: bytes) -> tuple[dict[str, dict], dict[str, str]]:
    """The layout of a safetensors file (name -> dtype, shape, data_offsets) and its metadata.

    Every shape agrees with its number of bytes, and these bytes are in the file, each in one tensor. Raises
    TensorFileError.
    """
    header, begin = _header(content)
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise TensorFileError("has a header with wrong metadata")
    spans = sorted(_span(name, entry) for name, entry in header.items())
    end = 0
    for first, after in spans:
        if first != end:
            raise TensorFileError("has tensors that overlap, or bytes of no tensor")
        end = after
    if end != len(content) - begin:
        raise TensorFileError(f"has {len(content) - begin} bytes of tensors instead of {end}")
    return header, metadata


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    """The header, and where the bytes of the tensors begin."""
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    begin = _LENGTH_BYTES + length
    if len(content) < _LENGTH_BYTES or begin > len(content) or length > _HEADER_BYTES:
        raise TensorFileError("is cut off, or is not a safetensors file")
    try:
        header = json_text.parse(content[_LENGTH_BYTES:begin], _HEADER_BYTES)
    except json_text.JsonError as error:
        raise TensorFileError(f"has a header that {error}") from None
    if not isinstance(header, dict):
        raise TensorFileError("has a header that is not a JSON object")
    return header, begin


def _span(name: str, entry: Any) -> tuple[int, int]:
    """First byte of a tensor, and the byte after its last one."""
    wrong = TensorFileError(f"has a tensor “{name[:60]}” whose shape does not agree with its bytes")
    dtype = entry.get("dtype") if isinstance(entry, dict) else None
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise wrong
    shape, span = entry.get("shape"), entry.get("data_offsets")
    if not (_whole(shape) and _whole(span) and len(span) == 2 and len(shape) <= _MOST_DIMENSIONS):
        raise wrong
    if span[1] - span[0] != math.prod(shape) * _ITEM_BYTES[dtype] or (0 in shape and max(shape) > 2**31):
        raise wrong
    return span[0], span[1]


def _whole(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values)


def checksum(content: bytes) -> str:
    """SHA-256 of names, types, shapes and bytes of the tensors, whatever the metadata. Raises TensorFileError."""
    header, begin = _header(content)
    header.pop(_METADATA, None)
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    digest.update(memoryview(content)[begin:])
    return digest.hexdigest()


def with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """The same tensors with this metadata."""
    header, begin = _header(content)
    text = json.dumps({_METADATA: dict(metadata)} | {k: v for k, v in header.items() if k != _METADATA}).encode()
    text = text.ljust(-(-len(text) // _ALIGNMENT) * _ALIGNMENT)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + content[begin:]
