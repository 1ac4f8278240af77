"""One spelling for typeset formulas, with the positions in the text as given."""

import pytest

from core.chemistry.spelling import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("YBa₂Cu₃O₇₋ₓ", "YBa2Cu3O7-x"),
        ("O7−δ", "O7-δ"),
        ("La 2Àx Sr x", "La 2-x Sr x"),
        ("H<sub>3</sub>S", "H3S"),
        ("La$_{2}$CuO_4", "La2CuO4"),
        ("O7-\uf064", "O7-δ"),
        ("x = 0…0.3", "x = 0..0.3"),
    ],
)
def test_plain_spelling(text, expected):
    assert plain(text).text == expected


def test_characters_keep_their_positions():
    text = "La$_{2}$Qu"
    spelling = plain(text)
    assert spelling.text == "La2Qu" and len(spelling.origin) == len(spelling.text) + 1
    for place, character in enumerate(spelling.text):
        assert text[spelling.origin[place]] == character
    assert spelling.origin[-1] == len(text)
