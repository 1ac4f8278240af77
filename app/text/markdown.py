"""Text of any origin inside Markdown. Pure functions."""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")


def as_markdown(text: object) -> str:
    """Markdown that shows this text as it is: no emphasis, link, image, formula, colour or HTML."""
    return _MARKS.sub(r"\\\1", str(text)).replace("\n", " ")
