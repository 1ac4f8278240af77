"""The axes of a campaign: the fields of a problem that have a list of values where a problem has one.

A field whose own value is a list, such as `forbidden` or `steps`, has several values where its entries are lists:
`"forbidden": [[], ["As"]]`. Every other field has several values where it is a list: `"seed": [0, 1, 2]`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from core.errors import InputError
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings

SETTINGS, METHOD, METHOD_SETTINGS, SEED, BASE = "settings", "method", "method_settings", "seed", "base"
LIST_FIELDS = frozenset({"forbidden", "sites", "groups", "ratios"})
LIST_SETTINGS = frozenset({"steps", "n_unit", "added_elements"})
_NESTED = (SETTINGS, METHOD_SETTINGS)


@dataclass(frozen=True)
class Axis:
    """One field of the problem with its values.

    name : of the field; of a setting "settings.risk_aversion" or "method_settings.kept"
    values : JSON data, one or more, all different. Of `method`: a name, or {"name": ..., "settings": {...}} with the
        settings that only this method reads

    Raises InputError for no value, or for a value that occurs twice.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self):
        if not self.values:
            raise InputError(self.name, "[]", "an empty list of values leaves no run", "Give one value or more")
        texts = [json.dumps(value, sort_keys=True) for value in self.values]
        twice = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
        if twice is not None:
            raise InputError(self.name, twice, "this value is given twice, which would be the same run twice",
                             "Remove one of them")  # fmt: skip


def read_axes(problem: Mapping[str, Any]) -> tuple[Axis, ...]:
    """The axes of a problem with lists, also those with a single value; the base first, the seed last.

    problem : JSON data; the values of its fields are checked when the problems are made

    Raises InputError for unknown fields and settings, and as `Axis`.
    """
    known = {f.name for f in fields(DesignProblem)}
    _refuse_unknown(problem, known, "problem")
    for name in _NESTED:
        if not isinstance(problem.get(name, {}), dict):
            raise InputError(name, problem[name], "the settings must be a JSON object", "Write {}")
    _refuse_unknown(problem.get(SETTINGS, {}), {f.name for f in fields(OptimiserSettings)}, SETTINGS)
    flat = {name: value for name, value in problem.items() if name not in _NESTED}
    axes = [Axis(name, _values(value, name in LIST_FIELDS)) for name, value in flat.items()]
    axes += [
        Axis(f"{part}.{name}", _values(value, name in LIST_SETTINGS))
        for part in _NESTED
        for name, value in problem.get(part, {}).items()
    ]
    return tuple(sorted(axes, key=lambda axis: (axis.name != BASE, axis.name == SEED, axis.name != METHOD, axis.name)))


def with_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one problem as JSON data. values : name of each axis -> one of its values"""
    problem: dict[str, Any] = {SETTINGS: {}, METHOD_SETTINGS: {}}
    for name, value in values.items():
        part, _, setting = name.partition(".")
        if setting:
            problem[part][setting] = value
        elif name == METHOD and isinstance(value, dict):
            problem[METHOD] = value.get("name")
            problem[METHOD_SETTINGS] |= _own_settings(value)
        else:
            problem[name] = value
    return problem


def _own_settings(method: Mapping[str, Any]) -> dict[str, Any]:
    settings = method.get("settings", {})
    if not method.keys() <= {"name", "settings"} or not isinstance(settings, dict):
        raise InputError(METHOD, json.dumps(method), "a method with settings has a name and settings",
                         'Write {"name": "memetic", "settings": {"rounds": 20}}')  # fmt: skip
    return settings


def _values(given: Any, is_list: bool) -> tuple[Any, ...]:
    """The values of a field. is_list : whether a single value is a list itself"""
    several = isinstance(given, list) and (not is_list or any(isinstance(entry, list) for entry in given))
    return tuple(given) if several else (given,)


def _refuse_unknown(given: Mapping[str, Any], known: set[str], name: str) -> None:
    for key in given:
        if key not in known:
            raise InputError(name, key, "unknown field", f"Known fields: {', '.join(sorted(known))}")
