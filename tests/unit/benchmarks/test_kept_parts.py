"""Finished parts of a benchmark in one file: kept, read again, and damaged."""

import json

import pytest

from core.benchmarks.kept_parts import KeptParts
from core.errors import InputError


def test_parts_are_read_again(tmp_path):
    file = tmp_path / "table" / "parts.jsonl"
    parts = KeptParts(file)
    assert len(parts) == 0 and parts.get("a") is None
    parts.add("a", "Nb₃Sn, seed 0", {"objective_K": 1.5})
    parts.add("b", "Nb3Ge, seed 0", {"objective_K": None})
    again = KeptParts(file)
    assert len(again) == 2 and again.get("a") == {"objective_K": 1.5} and again.get("b") == {"objective_K": None}
    assert [json.loads(line)["part"] for line in file.read_text().splitlines()] == ["Nb₃Sn, seed 0", "Nb3Ge, seed 0"]


@pytest.mark.parametrize("rest", [b'{"key": "b", "par', '{"key": "Nb₃'.encode()[:-1]])
def test_an_incomplete_last_line_is_computed_again(rest, tmp_path):
    file = tmp_path / "parts.jsonl"
    KeptParts(file).add("a", "first", 1)
    whole = file.read_text()
    file.write_bytes(whole.encode() + rest)
    parts = KeptParts(file)
    assert len(parts) == 1 and parts.get("b") is None
    parts.add("b", "second", 2)
    assert file.read_text() == whole + '{"key": "b", "part": "second", "result": 2}\n'


def test_parts_of_another_program_and_line_ends_of_windows_are_kept(tmp_path):
    file = tmp_path / "parts.jsonl"
    first = KeptParts(file)
    first.add("a", "first", 1)
    KeptParts(file).add("b", "second", 2)
    first.add("c", "third", 3)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    KeptParts(file).add("d", "fourth", 4)
    parts = KeptParts(file)
    assert [parts.get(key) for key in "abcd"] == [1, 2, 3, 4]


@pytest.mark.parametrize("line", ["not JSON", "[1]", '{"key": "a"}', '{"result": 1}'])
def test_a_damaged_line_is_named(line, tmp_path):
    file = tmp_path / "parts.jsonl"
    KeptParts(file).add("a", "first", 1)
    with file.open("a") as opened:
        opened.write(line + "\n")
    with pytest.raises(InputError, match="line 2"):
        KeptParts(file)


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        KeptParts(tmp_path / "parts.jsonl").add("a", "first", float("nan"))
    assert not (tmp_path / "parts.jsonl").exists()
