"""The header of a safetensors file is checked before memory is taken; the checksum sees every tensor."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save

from core.tensor_file import TensorFileError, checksum, layout, with_metadata

TENSORS = {"a": torch.arange(6, dtype=torch.float32).reshape(2, 3), "b": torch.tensor([True]), "c": torch.zeros(0, 4)}
CONTENT = save(TENSORS, {"made": "here"})


def with_header(change) -> bytes:
    """The file with a changed header."""
    length = int.from_bytes(CONTENT[:8], "little")
    header = json.loads(CONTENT[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + CONTENT[8 + length :]


def test_the_layout_of_a_whole_file():
    tensors, metadata = layout(CONTENT)
    assert {name: entry["shape"] for name, entry in tensors.items()} == {"a": [2, 3], "b": [1], "c": [0, 4]}
    assert metadata == {"made": "here"}


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h["a"].update(shape=[10**9, 10**9]),
        lambda h: h["a"].update(shape=[0, 10**12]),
        lambda h: h["a"].update(shape=[-2, -3]),
        lambda h: h["a"].update(shape=[2, 3.0]),
        lambda h: h["a"].update(shape=[1] * 50 + [6]),
        lambda h: h["a"].update(dtype="F1024"),
        lambda h: h["a"].update(dtype=["F32"]),
        lambda h: h["a"].update(data_offsets=[0, 10**18]),
        lambda h: h["a"].update(data_offsets="all"),
        lambda h: h.update(d=h["a"]),
        lambda h: h.pop("a"),
        lambda h: h.update(a=3),
        lambda h: h.update(__metadata__={"made": 1}),
    ],
)
def test_a_header_that_does_not_agree_with_the_bytes_is_refused(change):
    with pytest.raises(TensorFileError):
        layout(with_header(change))


@given(st.integers(0, len(CONTENT) - 1))
def test_a_truncated_file_is_refused(length):
    with pytest.raises(TensorFileError):
        layout(CONTENT[:length])


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_the_checksum_or_only_the_metadata(place, change):
    content = bytearray(CONTENT)
    content[place] ^= change
    try:
        layout(bytes(content))
        changed = checksum(bytes(content)) != checksum(CONTENT)
    except TensorFileError:
        return
    same = load(bytes(content))
    assert changed or all(torch.equal(same[name], value) for name, value in TENSORS.items())


def test_metadata_change_neither_the_tensors_nor_their_checksum():
    again = with_metadata(CONTENT, {"sha256": checksum(CONTENT), "elapsed_s": "1.5"})
    assert layout(again)[1] == {"sha256": checksum(CONTENT), "elapsed_s": "1.5"}
    assert checksum(again) == checksum(CONTENT)
    loaded = load(again)
    assert loaded.keys() == TENSORS.keys() and all(torch.equal(loaded[n], TENSORS[n]) for n in TENSORS)
