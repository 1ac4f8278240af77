"""The one kind of error that a user sees: what was given, which rule it breaks, what to do about it."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input. The page shows it beside the widget `field`; the command line prints it; the engine raises it.

    Attributes
    ----------
    field : name of the input at fault (a field of the problem, or "formula", "file", ...)
    value : the value as given
    rule : the rule it breaks, a sentence without a full stop
    remedy : what the user can do, a sentence without a full stop
    position : index into `value` (a string) of the first character at fault, or None
    """

    def __init__(self, field: str, value: object, rule: str, remedy: str, position: int | None = None):
        self.field, self.value, self.rule, self.remedy, self.position = field, value, rule, remedy, position
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One line: value, place, rule, remedy."""
        shown = "nothing" if self.value in ("", None) else f"“{self.value}”"
        place = f" at character {self.position + 1}" if self.position is not None else ""
        return f"{shown}{place}: {self.rule}. {self.remedy}."

    def pointer(self) -> str:
        """The value with a caret under the place at fault; empty when there is no such place."""
        if self.position is None:
            return ""
        return f"{self.value}\n{' ' * self.position}^"

    def __reduce__(self):  # an exception with several arguments does not survive pickling by itself
        return type(self), (self.field, self.value, self.rule, self.remedy, self.position)
