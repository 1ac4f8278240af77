"""The error for wrong input, shown to users: the value, the rule it breaks, and the remedy."""

from __future__ import annotations

from core.limits import RULE_CHARACTERS, SHOWN_CHARACTERS

_CUT = "…"


def shown(value: object, most: int = SHOWN_CHARACTERS) -> str:
    """A value of any origin as one printable line of at most `most` characters, cut with an ellipsis.

    Control characters, line breaks and characters that UTF-8 cannot encode are replaced by U+FFFD.
    """
    text = value if isinstance(value, str) else _as_text(value)
    cut = text if len(text) <= most else text[: most - 1] + _CUT
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def _as_text(value: object) -> str:
    try:
        return str(value)
    except (ValueError, RecursionError):  # Python refuses to print integers of thousands of digits
        return f"a value of type {type(value).__name__} that cannot be printed"


class InputError(ValueError):
    """Wrong input. The engine raises it, a page shows it beside the widget of `field`, the command line prints it.

    Attributes
    ----------
    field : name of the input, a field of the problem or for example "formula" or "file"
    value : the value as given
    rule : the rule it breaks, a sentence without a full stop
    remedy : what the user can do, a sentence without a full stop
    position : index in `value`, a string, of the first wrong character; None if the error has no position
    suggestions : values that would be accepted and are probably meant, the likeliest first; nothing uses them unless
        the user does
    """

    def __init__(
        self,
        field: str,
        value: object,
        rule: str,
        remedy: str,
        position: int | None = None,
        suggestions: tuple[str, ...] = (),
    ):
        self.field, self.value, self.position, self.suggestions = field, value, position, suggestions
        self.rule, self.remedy = shown(rule, RULE_CHARACTERS), shown(remedy, RULE_CHARACTERS)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One line with value, position, rule and remedy; the value up to SHOWN_CHARACTERS."""
        named = "nothing" if self.value in ("", None) else f"“{shown(self.value)}”"
        place = f" at character {self.position + 1}" if self.position is not None else ""
        return f"{named}{place}: {self.rule}. {self.remedy}."

    def excerpt(self) -> tuple[str, int]:
        """At most SHOWN_CHARACTERS of the value around `position`, and the index of the wrong character in them.

        Only for an error with a position.
        """
        text, place = str(self.value), self.position or 0
        first = max(0, min(place - SHOWN_CHARACTERS // 2, len(text) - SHOWN_CHARACTERS))
        return shown(text[first : first + SHOWN_CHARACTERS]), place - first

    def pointer(self) -> str:
        """The value, or a part of it, with a caret under the wrong character; empty for an error without a position."""
        if self.position is None:
            return ""
        text, place = self.excerpt()
        return f"{text}\n{' ' * place}^"

    def __reduce__(self):  # the default does not pickle an exception with several arguments
        return type(self), (self.field, self.value, self.rule, self.remedy, self.position, self.suggestions)
