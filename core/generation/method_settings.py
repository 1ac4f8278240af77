"""Settings of one method: declared with its registration, stored in a problem by name, shown on the page as fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InputError
from core.problem.settings import is_number

Value = float | int | str
FIELD = "method_settings"  # of a problem; an error about one of them has the field "method_settings.NAME"


@dataclass(frozen=True)
class MethodSetting:
    """A numerical or categorical setting that only one method uses.

    name : key in `method_settings` of a problem
    label : label on the page, with the unit
    help : meaning and source
    default : value if the problem does not set it; an int restricts the setting to whole numbers
    low, high : allowed range of a number
    choices : (value, label on the page) of each option; empty for a number
    lengthens : whether a larger value makes the search longer, as steps do
    """

    name: str
    label: str
    help: str
    default: Value
    low: float = 0.0
    high: float = 1e6
    choices: tuple[tuple[str, str], ...] = ()
    lengthens: bool = False

    def errors(self, value: Any) -> list[InputError]:
        """An InputError if the value is not allowed."""
        if self.choices:
            names = [name for name, _ in self.choices]
            return [] if value in names else [self._error(value, f"{self.name} must be one of {', '.join(names)}")]
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        allowed = is_number(value) and self.low <= value <= self.high
        if allowed and (isinstance(value, int) or not isinstance(self.default, int)):
            return []
        return [self._error(value, f"{self.name} must be {kind} from {self.low:g} to {self.high:,g}")]

    def _error(self, value: Any, rule: str) -> InputError:
        return InputError(f"{FIELD}.{self.name}", value, rule, f"Choose for example {self.default}")


def check_method_settings(given: Mapping[str, Any], declared: Sequence[MethodSetting]) -> list[InputError]:
    """Errors of the `method_settings` of a problem: unknown names and values that are not allowed."""
    by_name = {setting.name: setting for setting in declared}
    errors = []
    for name, value in given.items():
        if name in by_name:
            errors += by_name[name].errors(value)
        else:
            known = f"Remove it; known: {', '.join(by_name)}" if by_name else "Remove it"
            errors.append(InputError(FIELD, name, "the method has no setting with this name", known))
    return errors


def with_defaults(given: Mapping[str, Any], declared: Sequence[MethodSetting]) -> dict[str, Any]:
    """The value of every declared setting: the given one, otherwise the default."""
    return {setting.name: given.get(setting.name, setting.default) for setting in declared}
