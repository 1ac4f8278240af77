"""Names of runs."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.runs.names import CHARACTERS, NAMES, give_name, names


def test_a_name_is_kept_replaced_and_removed(tmp_path):
    assert names(tmp_path) == {}
    give_name("one", "  first try ", tmp_path)
    give_name("two", "Ünïcode × 2", tmp_path)
    give_name("one", "second try", tmp_path)
    assert names(tmp_path) == {"one": "second try", "two": "Ünïcode × 2"}
    give_name("one", "", tmp_path)
    assert names(tmp_path) == {"two": "Ünïcode × 2"}


@pytest.mark.parametrize("name", ["x" * (CHARACTERS + 1), "two\nlines", "\x07"])
def test_a_name_is_one_short_line(tmp_path, name):
    with pytest.raises(InputError, match="one line"):
        give_name("one", name, tmp_path)
    assert names(tmp_path) == {}


@pytest.mark.parametrize("content", ["", "[1]", '{"one": 3}', '{"two": "kept"'])
def test_a_damaged_file_gives_no_names_and_is_kept(tmp_path, content):
    (tmp_path / NAMES.file).write_text(content, encoding="utf-8")
    assert names(tmp_path) == {}
    with pytest.raises(InputError, match="damaged"):
        give_name("three", "new", tmp_path)
    assert (tmp_path / NAMES.file).read_text(encoding="utf-8") == content
