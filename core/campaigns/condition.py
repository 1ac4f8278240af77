"""Conditions that users write about candidates, such as "tc_K > 60 and new": parsed, and checked before they are used.

A condition is the WHERE clause of an SQL query on one table. It may compare columns, constants and a few functions of
them. Everything else, such as subqueries, files and other tables, is refused by name.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    import duckdb

TABLE = "candidates"
_BEFORE = f"SELECT 1 FROM {TABLE} WHERE ("
_EXAMPLE = "Write for example: tc_K > 60 and energy_above_hull_eV_per_atom < 0.05 and new"
_CLASSES = frozenset({"CONJUNCTION", "COMPARISON", "OPERATOR", "BETWEEN", "CONSTANT", "COLUMN_REF", "FUNCTION"})
FUNCTIONS = ("abs", "round", "floor", "ceil", "sqrt", "least", "greatest", "lower", "upper", "length", "len",
             "contains", "starts_with", "ends_with", "regexp_matches", "list_contains", "list_has_all",
             "list_has_any")  # fmt: skip
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "~~", "!~~", "~~*", "!~~*", "list_value", "&&", "@>", "<@"})
_LONGEST = 10_000  # characters


def checked_condition(text: str, columns: Collection[str], connection: duckdb.DuckDBPyConnection) -> str:
    """The condition, if it is one on these columns.

    connection : only parses the text

    Raises InputError with the place of a syntax error, or the column or function that is not available.
    """
    if not text.strip() or len(text) > _LONGEST:
        raise InputError("where", text[:40], "this is no condition on the candidates", _EXAMPLE)
    query = f"{_BEFORE}{text}\n)"  # the line ends before the bracket, for a comment at the end
    (parsed,) = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0]
    answer = json.loads(parsed)
    if answer["error"]:
        position = int(answer.get("position", -1)) - len(_BEFORE)
        inside = position if 0 <= position < len(text) else None
        raise InputError("where", text, f"this is no condition ({answer['error_message']})", _EXAMPLE, inside)
    node = answer["statements"][0]["node"] if len(answer["statements"]) == 1 else {}
    alone = node.get("type") == "SELECT_NODE" and not node["modifiers"] and not node["group_expressions"]
    if not alone or node["from_table"].get("table_name") != TABLE or node["having"] or node["qualify"]:
        raise InputError("where", text, "this is more than a condition", _EXAMPLE)
    for part in _expressions(node["where_clause"]):
        _check_part(part, text, columns)
    return text


def _check_part(part: dict[str, Any], text: str, columns: Collection[str]) -> None:
    kind = part["class"]
    place = max(0, min(part.get("query_location", 0) - len(_BEFORE), len(text) - 1))
    if kind not in _CLASSES:
        raise InputError("where", text, f"a condition cannot have a {kind.lower().replace('_', ' ')}", _EXAMPLE, place)
    if kind == "COLUMN_REF":
        name = ".".join(part["column_names"])
        if name not in columns:
            near = tuple(difflib.get_close_matches(name, columns, 3, 0.5))
            remedy = f"Did you mean {' or '.join(near)}" if near else f"The columns are {', '.join(columns)}"
            raise InputError("where", name, "the candidates have no such column", remedy, suggestions=near)
    if kind == "FUNCTION" and part["function_name"] not in {*FUNCTIONS, *_OPERATORS}:
        raise InputError("where", part["function_name"], "a condition cannot use this function",
                         f"The functions are {', '.join(FUNCTIONS)}")  # fmt: skip


def _expressions(node: Any) -> Iterator[dict[str, Any]]:
    """Every expression of a parsed condition, those inside others included."""
    if isinstance(node, dict):
        if "class" in node:
            yield node
            if node["class"] not in _CLASSES:
                return
        for value in node.values():
            yield from _expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _expressions(value)
