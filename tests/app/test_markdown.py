"""Text inside Markdown is shown as it is."""

from __future__ import annotations

import pytest

from app.text.markdown import as_markdown


@pytest.mark.parametrize("mark", list("\\`*_{}[]()#+-.!|<>~$:&^="))
def test_every_mark_is_escaped(mark):
    assert as_markdown(f"a{mark}b") == f"a\\{mark}b"


def test_words_stay_as_they_are():
    assert as_markdown("La charge 3\nO") == "La charge 3 O"
