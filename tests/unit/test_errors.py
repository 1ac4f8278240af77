"""Messages repeat at most 200 characters of a value, whatever it is."""

from __future__ import annotations

import pickle

import pytest

from core.errors import InputError, shown
from core.limits import SHOWN_CHARACTERS


@pytest.mark.parametrize(
    "value",
    ["Q" * 5000, ["Q" * 5000], {"Q" * 300: 1}, b"Q" * 5000, [10**400], [10**5000], ("Q",) * 5000, "\ud800" * 500],
    ids=range(8),
)
def test_a_message_repeats_at_most_200_characters_of_a_value(value):
    error = InputError("base", value, "a rule", "A remedy")
    assert len(error.message) <= SHOWN_CHARACTERS + len("“”: a rule. A remedy.")
    assert error.message.encode() and error.message.isprintable()


def test_a_short_value_is_repeated_as_it_is():
    assert InputError("base", "MgB2", "a rule", "A remedy", 2).message == "“MgB2” at character 3: a rule. A remedy."
    assert InputError("base", "", "a rule", "A remedy").message == "nothing: a rule. A remedy."


def test_control_characters_and_line_breaks_are_not_repeated():
    assert shown("a\x1b[31m\nb\0") == "a�[31m�b�"


@pytest.mark.parametrize("place", [0, 99, 100, 2500, 4999])
def test_the_pointer_shows_the_part_around_the_wrong_character(place):
    text = "a" * place + "?" + "b" * (4999 - place)
    shown_part, caret = InputError("base", text, "a rule", "A remedy", place).pointer().split("\n")
    assert len(shown_part) == SHOWN_CHARACTERS and shown_part[caret.index("^")] == "?"


def test_a_rule_that_repeats_a_value_is_cut_too():
    assert len(InputError("base", 1, "Q" * 5000, "Q" * 5000).message) < 2100


def test_an_error_survives_pickling():
    error = InputError("base", "MgBB", "a rule", "A remedy", 3, ("MgB2",))
    assert pickle.loads(pickle.dumps(error)).__dict__ == error.__dict__
