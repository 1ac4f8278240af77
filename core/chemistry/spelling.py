"""One spelling for the characters and markup with which formulas are typeset: subscripts, dashes, Greek deltas, TeX.

Each character of the plain text keeps its position in the text as given, so that errors can point at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MINUS, DOT, DELTA = "-", "·", "δ"

_CHARACTERS = {
    **dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₓ", "0123456789+-()x", strict=True)),
    **dict.fromkeys("−–—‒―‐‑﹣－", MINUS),
    **dict.fromkeys("•∙⋅‧*∗", DOT),
    **dict.fromkeys("␦ẟ𝛿𝜹", DELTA),
    **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u200b\ufeff\u00ad", " "),
    **{chr(0xF000 + code): chr(code) for code in range(0x20, 0x7F)},  # the private characters of symbol fonts
    chr(0xF064): DELTA,
    "…": "..",
    "＋": "+",
    "’": "'",
}
_TABLE = str.maketrans({a: b for a, b in _CHARACTERS.items() if len(b) == 1})
_MARKUP = re.compile(r"(?i:</?su[bp]>|</?i>)|\$|\\(?:mathrm|rm|text)\b|_(?=[\da-zδ{.])|\\,|~")
_TEX_SUBSCRIPT = re.compile(r"_\{([^{}]*)\}")
_TEX_DELTA = re.compile(r"\\delta\b")
_MISREAD_MINUS = re.compile(r"(?<=[\dxyz]) ?À ?(?=[xyzdδ\d])")  # the minus sign of a symbol font, read as Latin


@dataclass(frozen=True)
class Spelling:
    """The plain spelling of a text.

    text : the plain text
    origin : for each of its characters, and for its end, the position in the text as given
    """

    text: str
    origin: tuple[int, ...]

    def replaced(self, pattern: re.Pattern, by: str) -> Spelling:
        """Every match of `pattern` replaced by the expansion of `by`; a group keeps the positions of its characters."""
        parts, origin, end = [], [], 0
        for match in pattern.finditer(self.text):
            parts.append(self.text[end : match.start()])
            origin += self.origin[end : match.start()]
            if by == r"\1":
                parts.append(match.group(1))
                origin += self.origin[match.start(1) : match.end(1)]
            else:
                parts.append(by)
                origin += [self.origin[match.start()]] * len(by)
            end = match.end()
        if not end:
            return self
        return Spelling("".join(parts) + self.text[end:], (*origin, *self.origin[end:]))


def plain(text: str) -> Spelling:
    """The plain spelling of a formula as typed or pasted."""
    spelling = Spelling(text.translate(_TABLE), tuple(range(len(text) + 1)))
    if spelling.text.isascii() and not set("_$<\\~") & set(spelling.text):
        return spelling
    spelling = spelling.replaced(re.compile("…"), "..")
    spelling = spelling.replaced(_MISREAD_MINUS, MINUS)
    spelling = spelling.replaced(_TEX_DELTA, DELTA)
    spelling = spelling.replaced(_TEX_SUBSCRIPT, r"\1")
    return spelling.replaced(_MARKUP, "")
