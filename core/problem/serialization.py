"""A problem from its JSON text: what is there, in the right types, and nothing that nobody knows."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import fields

from core.errors import InputError
from core.problem.composition_constraints import Group
from core.problem.settings import ANY_FAMILY, BASE, CONSTANT, HIGHEST, NEAREST, OptimiserSettings
from core.problem.substitution_sites import Site

_PAIRS = ("steps", "n_unit", "added_elements")
# Settings that older versions did not have, each with the value that means what they did.
_LATER = {
    "caution": 0.0, "rounding": NEAREST, "step_schedule": CONSTANT, "objective": HIGHEST, "target_tc_K": 300.0,
    "exempt_elements": 0, "start": BASE, "start_family": ANY_FAMILY, "start_above_K": 20.0,
}  # fmt: skip


def read_fields(text: str, names: Collection[str]) -> dict[str, object]:
    """The fields of a problem by name, of which there are `names`.

    Raises InputError for text that is no problem: unknown names, wrong types.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError("problem", text[:40], f"this is not JSON ({error})", "Export it again") from None
    if not isinstance(given, dict) or "base" not in given:
        raise InputError("problem", text[:40], "a problem needs at least a base", 'Write {"base": "LaFeAsO"}')
    settings = _read_settings(given.pop("settings", {}))
    _read_sites(given)
    _read_amounts(given)
    _read_demands(given)
    _refuse_unknown(given, names, "problem")
    return given | {"settings": settings}


def _read_settings(given: object) -> OptimiserSettings:
    """Settings as JSON has them. `to_json` writes all that its version knows: where those of the first version are
    complete, one that is missing came later. In settings written by hand what is missing has its default."""
    _refuse_unknown(given, _names(OptimiserSettings), "settings")
    first = _names(OptimiserSettings) - _LATER.keys()
    known = (_LATER if first <= given.keys() else {}) | given
    return OptimiserSettings(**{k: _as_tuple(v, k) if k in _PAIRS else v for k, v in known.items()})


def _read_sites(given: dict) -> None:
    """Sites as JSON objects; a problem of an older version has one, as `target` with its `oxidation_state`."""
    target, state = given.pop("target", None), given.pop("oxidation_state", None)
    if target is not None and "sites" not in given:
        given["sites"] = [{"element": target, "state": state}]
    sites = _as_tuple(given.get("sites", ()), "sites")
    for site in sites:
        _refuse_unknown(site, _names(Site), "sites")
        if not isinstance(site.get("element"), str):
            raise InputError(
                "sites", site.get("element"), "a site is an element of the base", 'Write {"element": "La"}'
            )
    given["sites"] = tuple(Site(**site) for site in sites)


def _read_amounts(given: dict) -> None:
    """What is fixed, has a floor or is forbidden."""
    for name, kinds in (("fixed", dict | None), ("floors", dict)):
        if name in given and not isinstance(given[name], kinds):
            raise InputError(name, given[name], "this must be a JSON object", 'Write {"O": 0.25}')
    given["forbidden"] = _as_tuple(given.get("forbidden", ()), "forbidden")
    for symbol in given["forbidden"]:
        if not isinstance(symbol, str):
            raise InputError("forbidden", symbol, "each of them must be a symbol", 'Write ["Hg", "Tl"]')


def _read_demands(given: dict) -> None:
    """Bounds, groups and ratios as JSON has them."""
    bounds, groups, ratios = given.get("bounds", {}), given.get("groups", ()), given.get("ratios", ())
    for name, value, kind in (
        ("bounds", bounds, dict),
        ("groups", groups, list | tuple),
        ("ratios", ratios, list | tuple),
    ):
        if not isinstance(value, kind):
            raise InputError(name, value, "this is of the wrong kind", "Export the problem again")
    for name, value in (("groups", groups), ("ratios", ratios)):
        if not all(isinstance(each, dict) for each in value):
            raise InputError(name, value, "each of them must be a JSON object", "Export the problem again")
    given["bounds"] = {symbol: _as_tuple(limits, "bounds") for symbol, limits in bounds.items()}
    for group in groups:
        _refuse_unknown(group, _names(Group), "groups")
    given["groups"] = tuple(
        Group(**group | {"elements": _as_tuple(group.get("elements"), "groups")}) for group in groups
    )
    given["ratios"] = tuple(ratios)


def _refuse_unknown(given: object, names: Collection[str], name: str) -> None:
    if not isinstance(given, dict):
        raise InputError(name, given, "this must be a JSON object", "Export the problem again")
    for key in given:
        if key not in names:
            raise InputError(name, key, "there is no such field", f"Known: {', '.join(sorted(names))}")


def _names(cls: type) -> set[str]:
    return {f.name for f in fields(cls)}


def _as_tuple(value: object, name: str) -> tuple:
    if not isinstance(value, list | tuple):
        raise InputError(name, value, "this must be a list", "Write it in square brackets")
    return tuple(value)
