"""Problems as JSON text: all schemas can be read, the newest one is written.

Schema 2 adds the schema number itself and renames two settings. A file without a schema number has schema 1 or was
written by hand; both names of a renamed setting are accepted in it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from core import json_text
from core.errors import InputError
from core.limits import PROBLEM_BYTES
from core.problem.composition_constraints import Group
from core.problem.origin import Origin
from core.problem.settings import (
    ANY_CHANGE,
    ANY_FAMILY,
    ANY_NOVELTY,
    BASE,
    CONSTANT,
    FORMATION_ENERGY,
    HIGHEST,
    NEAREST,
    OptimiserSettings,
)
from core.problem.substitution_sites import ANY_ELEMENT, Site

SCHEMA = 2
# Settings that schema 2 renamed: earlier name -> name.
RENAMED_SETTINGS = {"caution": "risk_aversion", "exempt_elements": "fractional_elements"}
_TEXTS = ("base", "task", "device", "method", "charge_rule", "precision", "tc_predictor", "formation_energy_predictor")
_PAIRS = ("steps", "n_unit", "added_elements")
# Settings added after the first version, with the values that reproduce its behaviour.
_ADDED_LATER: dict[str, Any] = {
    "risk_aversion": 0.0, "rounding": NEAREST, "step_schedule": CONSTANT, "objective": HIGHEST, "target_tc_K": 300.0,
    "fractional_elements": 0, "start": BASE, "start_family": ANY_FAMILY, "start_above_K": 20.0,
    "stability": FORMATION_ENERGY,
    "novelty": ANY_NOVELTY, "least_distance": 0.02, "change": ANY_CHANGE, "most_changed": 0.4, "per_element_set": 0,
}  # fmt: skip
# Fields of a site added after schema 2, with the values that reproduce the behaviour before. With these values they are
# not written, so that the text of an earlier problem, from which stored results are found, stays the same.
_LATER_SITE_FIELDS: dict[str, Any] = {"among": ANY_ELEMENT, "may_return": True}


def to_text(content: Mapping[str, Any]) -> str:
    """The fields of a problem as JSON text of the newest schema."""
    written = {**content, "sites": [_written_site(site) for site in content["sites"]], "schema": SCHEMA}
    if written["origin"] is None:  # added after schema 2, and left out like the later fields of a site
        del written["origin"]
    return json.dumps(written, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _written_site(site: Mapping[str, Any]) -> dict[str, Any]:
    """A site without the later fields that change nothing; `1 == True`, but only `true` is the default."""
    return {k: v for k, v in site.items() if k not in _LATER_SITE_FIELDS or v is not _LATER_SITE_FIELDS[k]}


def read_fields(text: str, names: Collection[str]) -> dict[str, Any]:
    """The fields of a problem from JSON text of any schema.

    names : names of all fields of a problem

    Raises InputError for invalid JSON, a newer schema, unknown fields or wrong types.
    """
    try:
        given = json_text.parse(text, PROBLEM_BYTES)
    except json_text.JsonError as error:
        raise InputError("problem", text[:40], f"the text {error}", "Export it again") from None
    if not isinstance(given, dict) or "base" not in given:
        raise InputError("problem", text[:40], "a problem needs a base", 'Write {"base": "LaFeAsO"}')
    schema = _schema(given)
    _check_texts(given)
    settings = _read_settings(given.pop("settings", {}), schema)
    _read_sites(given)
    _read_amounts(given)
    _read_constraints(given)
    _read_origin(given)
    _refuse_unknown(given, names, "problem")
    return given | {"settings": settings}


def _check_texts(given: Mapping[str, Any]) -> None:
    """Raises InputError for a field that must be text and is not."""
    for name in _TEXTS:
        if name in given and not isinstance(given[name], str):
            raise InputError(name, given[name], "the value must be text", "Write it in quotation marks")


def _schema(given: dict[str, Any]) -> int:
    """Remove the schema number from the fields and return it; 1 by default."""
    schema = given.pop("schema", 1)
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise InputError("schema", schema, "the schema must be a whole number of 1 or more", "Export the problem again")
    if schema > SCHEMA:
        rule = f"the problem was written by a newer version; this version reads schemas up to {SCHEMA}"
        raise InputError("schema", schema, rule, "Update Tc Studio")
    return schema


def _read_settings(given: Any, schema: int) -> OptimiserSettings:
    """Settings from JSON; missing settings have their defaults.

    Schema 1 files contain every setting of their version. If all settings of the first version are present, a missing
    one was added later and takes the value that reproduces the earlier behaviour.
    """
    if schema == 1 and isinstance(given, dict):
        given = _with_present_names(given)
    _refuse_unknown(given, _names(OptimiserSettings), "settings")
    first = _names(OptimiserSettings) - _ADDED_LATER.keys()
    known = (_ADDED_LATER if schema == 1 and first <= given.keys() else {}) | given
    values: dict[str, Any] = {k: _as_tuple(v, k) if k in _PAIRS else v for k, v in known.items()}
    return OptimiserSettings(**values)


def _with_present_names(given: dict[str, Any]) -> dict[str, Any]:
    """Settings of schema 1 under their present names. Raises InputError if a setting has both of its names."""
    for earlier, name in RENAMED_SETTINGS.items():
        if earlier in given and name in given:
            raise InputError("settings", earlier, f"this is an earlier name of {name}, which is given too", "Remove it")
    return {RENAMED_SETTINGS.get(name, name): value for name, value in given.items()}


def _read_sites(given: dict[str, Any]) -> None:
    """Sites from JSON objects; early files have a single site, as `target` and `oxidation_state`."""
    target, state = given.pop("target", None), given.pop("oxidation_state", None)
    if target is not None and "sites" not in given:
        given["sites"] = [{"element": target, "state": state}]
    sites = _as_tuple(given.get("sites", ()), "sites")
    for site in sites:
        _refuse_unknown(site, _names(Site), "sites")
        if not isinstance(site.get("element"), str):
            raise InputError(
                "sites",
                site.get("element"),
                "a site needs the symbol of an element of the base",
                'Write {"element": "La"}',
            )
    given["sites"] = tuple(Site(**site) for site in sites)


def _read_amounts(given: dict[str, Any]) -> None:
    """Check the types of `fixed`, `floors` and `method_settings`, and convert `forbidden` to a tuple."""
    for name, kinds, example in (("fixed", dict | None, '{"O": 0.25}'), ("floors", dict, '{"O": 0.25}'),
                                 ("method_settings", dict, "{}")):  # fmt: skip
        if name in given and not isinstance(given[name], kinds):
            raise InputError(name, given[name], "the value must be a JSON object", f"Write {example}")
    given["forbidden"] = _as_tuple(given.get("forbidden", ()), "forbidden")
    for symbol in given["forbidden"]:
        if not isinstance(symbol, str):
            raise InputError("forbidden", symbol, "each entry must be an element symbol", 'Write ["Hg", "Tl"]')


def _read_constraints(given: dict[str, Any]) -> None:
    """Convert bounds, groups and ratios to the types of DesignProblem."""
    bounds, groups, ratios = given.get("bounds", {}), given.get("groups", ()), given.get("ratios", ())
    for name, value, kind in (
        ("bounds", bounds, dict),
        ("groups", groups, list | tuple),
        ("ratios", ratios, list | tuple),
    ):
        if not isinstance(value, kind):
            raise InputError(name, value, "the value has the wrong JSON type", "Export the problem again")
    for name, value in (("groups", groups), ("ratios", ratios)):
        if not all(isinstance(entry, dict) for entry in value):
            raise InputError(name, value, "each entry must be a JSON object", "Export the problem again")
    given["bounds"] = {symbol: _as_tuple(limits, "bounds") for symbol, limits in bounds.items()}
    for group in groups:
        _refuse_unknown(group, _names(Group), "groups")
        for symbol in _as_tuple(group.get("elements"), "groups"):
            if not isinstance(symbol, str):
                raise InputError("groups", symbol, "each element must be a symbol", 'Write ["Ba", "Sr"]')
    given["groups"] = tuple(
        Group(**group | {"elements": _as_tuple(group.get("elements"), "groups")}) for group in groups
    )
    given["ratios"] = tuple(ratios)


def _read_origin(given: dict[str, Any]) -> None:
    """Convert the origin of the base, if there is one."""
    if given.get("origin") is None:
        return
    _refuse_unknown(given["origin"], _names(Origin), "origin")
    origin = Origin(**{"run": "", "rank": 0, "candidate": 0} | given["origin"])
    if not origin.is_valid():
        rule = "an origin has the id of a run, and the rank and the number of a candidate"
        raise InputError("origin", given["origin"], rule, "Leave it out, or export the problem again")
    given["origin"] = origin


def _refuse_unknown(given: Any, names: Collection[str], name: str) -> None:
    if not isinstance(given, dict):
        raise InputError(name, given, "the value must be a JSON object", "Export the problem again")
    for key in given:
        if key not in names:
            raise InputError(name, key, "unknown field", f"Known fields: {', '.join(sorted(names))}")


def _names(cls: Any) -> set[str]:
    return {f.name for f in fields(cls)}


def _as_tuple(value: object, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InputError(name, value, "the value must be a list", "Write it in square brackets")
    return tuple(value)
