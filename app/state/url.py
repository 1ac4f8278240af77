"""Design problem <-> query parameters of a link. Pure functions.

A link names the base and everything that differs from a problem that names only its base, with the elements forbidden
that a first visit forbids. Symbols are written together (HeNeAr), amounts
after their symbols (Fe0.25As0.25), pairs with a comma (150,150), sites as La:3:metals:new,O:-2:0:1 (words follow the
numbers; new: the element itself may not return), the origin of the base as RUN:RANK:CANDIDATE; the composition
constraints are JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import NamedTuple

from app.state.draft import FIRST_BASE, initially_forbidden
from app.state.problem_file import read_problem
from core import json_text
from core.chemistry import elements
from core.errors import InputError, shown
from core.limits import PROBLEM_BYTES
from core.problem.composition_constraints import Group
from core.problem.origin import Origin
from core.problem.problem import DesignProblem
from core.problem.serialization import RENAMED_SETTINGS
from core.problem.settings import OptimiserSettings
from core.problem.substitution_sites import ANY_ELEMENT, GROUPS, Site

_PARAMETERS = {"sites": "replace", "fixed": "fix", "forbidden": "forbid", "floors": "least"}  # others: the field's name
_FIELDS = {parameter: name for name, parameter in _PARAMETERS.items()}
_NONE = "none"  # an empty value
_NEW = "new"  # of a site: the element itself may not return


def to_link(problem: DesignProblem) -> dict[str, str]:
    """Query parameters that describe this problem: the base, and everything that differs from `_default`."""
    default = _default("")
    link = {"base": problem.base}
    for name in _names(DesignProblem):
        if getattr(problem, name) != getattr(default, name):
            link[_PARAMETERS.get(name, name)] = _codec(name, default).write(getattr(problem, name))
    for name in _names(OptimiserSettings):
        if getattr(problem.settings, name) != getattr(default.settings, name):
            link[name] = _codec(name, default.settings).write(getattr(problem.settings, name))
    return link


def from_link(link: Mapping[str, str]) -> DesignProblem:
    """The inverse of `to_link`; unknown parameters are ignored.

    Raises InputError (field "link") for a parameter that cannot be read, and for a problem that cannot be run.
    """
    default = _default(FIRST_BASE)
    names = RENAMED_SETTINGS | _FIELDS
    given = {names.get(parameter, parameter): text for parameter, text in link.items()}
    if "state" in given:  # a link of an older version: replace=La&state=3
        given["sites"] = f"{given.get('sites', '')}:{given['state']}"
    problem: dict = {"base": given.get("base", default.base), "forbidden": list(default.forbidden)}
    problem |= {name: _read(name, given[name], default) for name in _names(DesignProblem) if name in given}
    problem["settings"] = {
        name: _read(name, given[name], default.settings) for name in _names(OptimiserSettings) if name in given
    }
    return read_problem(json.dumps(problem))


def _default(base: str) -> DesignProblem:
    """The problem of a link with this base alone."""
    return DesignProblem(base=base, forbidden=tuple(s for s in elements.symbols() if s in initially_forbidden()))


def _names(kind: type[DesignProblem] | type[OptimiserSettings]) -> list[str]:
    """The fields that are parameters of their own."""
    return [f.name for f in fields(kind) if f.name not in ("base", "settings")]


def _read(name: str, text: str, default: object) -> object:
    try:
        return _codec(name, default).read("" if text == _NONE else text)
    except (ValueError, OverflowError):  # of int("x"), int(inf)
        raise InputError(
            "link", f"{name}={shown(text)}", "this part of the link cannot be read", "Copy it again"
        ) from None


# ---- one value <-> text ------------------------------------------------------------------------------------------


class _Codec(NamedTuple):
    """How a value is written into a link, and read from it as JSON data. `read` raises ValueError."""

    write: Callable[..., str]
    read: Callable[[str], object]


def _codec(name: str, default: object) -> _Codec:
    """The codec of a field: by its name, else by the type of its default value."""
    return _BY_NAME.get(name) or _BY_TYPE.get(type(getattr(default, name)), _TEXT)


def _write_json(value: object) -> str:
    plain = [asdict(v) if isinstance(v, Group) else v for v in value] if isinstance(value, tuple) else value
    return json.dumps(plain, separators=(",", ":"))


def _write_amounts(amounts: Mapping[str, float] | None) -> str:
    return "".join(f"{symbol}{_write_number(amount)}" for symbol, amount in (amounts or {}).items()) or _NONE


def _read_amounts(text: str) -> dict[str, float]:
    return {symbol: float(amount) for symbol, amount in _all_matches(r"([A-Z][a-z]?)([\d.]+)", text)}


def _write_sites(sites: tuple[Site, ...]) -> str:
    return ",".join(map(_write_site, sites)) or _NONE


def _write_site(site: Site) -> str:
    numbers = ":".join(map(_write_optional, (site.element, site.state, site.by, site.atoms))).rstrip(":")
    group = "" if site.among == ANY_ELEMENT else f":{site.among}"
    return numbers + group + ("" if site.may_return else f":{_NEW}")


def _write_optional(value: str | float | None) -> str:
    return "" if value is None else value if isinstance(value, str) else _write_number(value)


def _read_site(text: str) -> dict:
    element, *values = text.split(":")
    words = [value for value in values if value in (*GROUPS, _NEW)]
    numbers = [value for value in values if value not in words]
    groups = [word for word in words if word != _NEW]
    later = ({"may_return": False} if _NEW in words else {}) | ({"among": groups[-1]} if groups else {})
    read = [float(number) if number else None for number in numbers]
    whole = [int(x) if x is not None and x == int(x) else x for x in read]
    return {"element": element} | dict(zip(("state", "by", "atoms"), whole, strict=False)) | later


def _write_origin(origin: Origin | None) -> str:
    return f"{origin.run}:{origin.rank}:{origin.candidate}" if origin else _NONE


def _read_origin(text: str) -> dict | None:
    if not text:
        return None
    run, rank, candidate = text.split(":")
    return {"run": run, "rank": int(rank), "candidate": int(candidate)}


def _write_number(number: float) -> str:
    return f"{number:.12f}".rstrip("0").rstrip(".")


def _all_matches(pattern: str, text: str) -> list:
    """The result of `re.findall`. Raises ValueError if some text is left over."""
    if re.sub(pattern, "", text):
        raise ValueError(text)
    return re.findall(pattern, text)


_TEXT = _Codec(str, str)
_JSON = _Codec(_write_json, lambda text: json_text.parse(text, PROBLEM_BYTES))
_AMOUNTS = _Codec(_write_amounts, _read_amounts)
_BY_NAME = {
    "bounds": _JSON,
    "groups": _JSON,
    "ratios": _JSON,
    "method_settings": _JSON,
    "origin": _Codec(_write_origin, _read_origin),
    "fixed": _AMOUNTS,
    "floors": _AMOUNTS,
    "sites": _Codec(_write_sites, lambda text: [_read_site(part) for part in text.split(",") if part]),
    "forbidden": _Codec(lambda symbols: "".join(symbols) or _NONE, lambda text: _all_matches(r"[A-Z][a-z]?", text)),
}
_BY_TYPE = {
    tuple: _Codec(lambda pair: ",".join(map(str, pair)), lambda text: [int(part) for part in text.split(",")]),
    int: _Codec(str, int),
    float: _Codec(_write_number, float),
}
