"""The error for wrong input, shown to users: the value, the rule it breaks, and the remedy."""

from __future__ import annotations


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
        self.field, self.value, self.rule, self.remedy, self.position = field, value, rule, remedy, position
        self.suggestions = suggestions
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One line with value, position, rule and remedy."""
        shown = "nothing" if self.value in ("", None) else f"“{self.value}”"
        place = f" at character {self.position + 1}" if self.position is not None else ""
        return f"{shown}{place}: {self.rule}. {self.remedy}."

    def pointer(self) -> str:
        """The value with a caret under the wrong character; empty for an error without a position."""
        if self.position is None:
            return ""
        return f"{self.value}\n{' ' * self.position}^"

    def __reduce__(self):  # the default does not pickle an exception with several arguments
        return type(self), (self.field, self.value, self.rule, self.remedy, self.position, self.suggestions)
