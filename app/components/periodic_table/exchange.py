"""The protocol between the browser's table and Python's. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.components.periodic_table.table_state import TableState


@dataclass(frozen=True)
class Exchange:
    """What was last exchanged with the browser and with the caller.

    given, returned : the state that the caller passed, and the state that the caller received
    generation : rises with every change by the program
    revision : of the last action that was processed
    """

    given: TableState | None = None
    returned: TableState | None = None
    generation: int = 0
    revision: int = 0


def resolve(last: Exchange, given: TableState, value: Any) -> Exchange:
    """The exchange after this script run: the user's action if it is new, else the state of the caller.

    value : what the browser sent; anything unreadable is ignored
    """
    action = _read(value)
    is_new = action is not None and action.generation == last.generation and action.revision > last.revision
    changed_by_program = last.returned is not None and given != last.returned
    # A script run that was interrupted before the caller stored its result passes the same state again, now with a
    # further action.
    interrupted = is_new and given == last.given
    if changed_by_program and not interrupted:
        return Exchange(given, given, last.generation + 1, last.revision)
    if is_new:
        return Exchange(given, action.returned, last.generation, action.revision)
    return Exchange(given, given, last.generation, last.revision)


def payload(exchange: Exchange) -> dict:
    """The exchange in the form that the browser reads and writes."""
    state = exchange.returned
    return {
        "generation": exchange.generation,
        "revision": exchange.revision,
        "forbidden": sorted(state.forbidden),
        "fixed": {symbol: float(amount) for symbol, amount in sorted(state.fixed.items())},
        "substituted": sorted(state.substituted),
    }


def _read(value: Any) -> Exchange | None:
    """The table from the browser; None if it is missing or invalid."""
    try:
        state = TableState(
            frozenset(value["forbidden"]),
            {symbol: float(amount) for symbol, amount in value["fixed"].items()},
            frozenset(value["substituted"]),
        )
        return Exchange(None, state, int(value["generation"]), int(value["revision"]))
    except (TypeError, KeyError, AttributeError, ValueError):
        return None
