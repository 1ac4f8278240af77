"""JSON within limits of size, depth, integers and characters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.json_text import JsonError, parse
from core.limits import JSON_DEPTH

MB = 10**6


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[" * 1100 + "]" * 1100, "deep"),
        ('{"a":' * (JSON_DEPTH + 1) + "1" + "}" * (JSON_DEPTH + 1), "deep"),
        ("9" * 400, "integer of more than"),
        ("-" + "9" * 20, "integer of more than"),
        ('"\\ud800"', "no text"),
        (b'"\xff"', "UTF-8"),
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("1 2", "not valid JSON"),
        (" " * (MB + 1), "larger than 1 MB"),
        ("β" * (MB // 2 + 1), "larger than 1 MB"),
    ],
)
def test_what_exceeds_a_limit_or_is_no_json_is_refused(content, words):
    with pytest.raises(JsonError, match=words):
        parse(content, MB)


def test_limits_are_reached_but_not_exceeded():
    deep = "[" * JSON_DEPTH + "]" * JSON_DEPTH
    assert parse(deep, MB) == json.loads(deep)
    assert parse("9" * 19, MB) == 10**19 - 1
    assert parse(json.dumps({"a": "[" * 5000}), MB) == {"a": "[" * 5000}  # brackets in text are no depth
    assert parse('"\\ud83d\\ude00"', MB) == "😀"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_everything_that_can_be_written_is_read_unchanged(value):
    assert parse(json.dumps(value), MB) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode(), MB) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    try:
        parse(content, MB)
    except JsonError as error:
        assert str(error)
