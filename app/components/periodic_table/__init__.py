"""The clickable periodic table: which elements a design may, may not or must use.

The browser draws every click at once and sends the whole table with a revision that rises with each action.
Python holds the truth and answers with its table and the last revision it has taken in; the browser ignores
an answer older than its own last action. A change by the program (a preset) raises the generation: then the
browser takes over what Python says, and actions made on an earlier generation are void.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from core.chemistry import elements
from core.errors import InputError

ALLOWED, FORBIDDEN, FIXED, SUBSTITUTED = "allowed", "forbidden", "fixed", "substituted"

_FOLDER = Path(__file__).parent
_F_ROWS = {6: 8, 7: 9}  # period -> row of its f block, beneath the seven main rows

# Registered once, when the module is imported: registering at every run would warn and reload the script.
_component = st.components.v2.component(
    "tc_studio_periodic_table",
    css=(_FOLDER / "periodic_table.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "periodic_table.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class TableState:
    """What the user set. Elements not named are `allowed`.

    Raises InputError (field "table") for an unknown symbol, an element in two states, or an amount that is
    not a positive number.
    """

    forbidden: frozenset[str]
    fixed: Mapping[str, float]  # symbol -> atoms per formula unit of the base (what the tile shows)
    substituted: frozenset[str]

    def __post_init__(self):
        named = [*self.forbidden, *self.fixed, *self.substituted]
        for symbol in named:
            if not elements.is_element(symbol):
                raise InputError("table", symbol, "this is not an element", "Check spelling and capitals")
            if named.count(symbol) > 1:
                raise InputError("table", symbol, "an element has one state only", "Name it once")
        for symbol, amount in self.fixed.items():
            if not (math.isfinite(amount) and amount > 0):
                raise InputError("table", amount, f"the amount of {symbol} is not positive", "Raise it")


@dataclass(frozen=True)
class _Exchange:
    """What was last exchanged with the browser and with the caller."""

    given: TableState | None = None
    returned: TableState | None = None
    generation: int = 0  # rises with every change by the program
    revision: int = 0  # of the last action taken in


@dataclass
class _Slot:
    """Kept in the session. Replacing its content is no session access, at which a run may be cut off."""

    exchange: _Exchange = field(default_factory=_Exchange)


def periodic_table(
    state: TableState,
    *,
    counts: Mapping[str, int],
    unavailable: Mapping[str, str],
    can_substitute: Collection[str],
    limits: Mapping[str, tuple[str, str]],
    key: str,
) -> TableState:
    """Draw the table; return the state after the user's last action (equal to `state` when nothing was done).

    Keep what is returned and give it back at the next run: any other state counts as a change by the program,
    which wins over clicks not yet taken in.

    Parameters
    ----------
    counts : symbol -> number of training compositions that contain the element; missing is 0
    unavailable : symbol -> reason. Drawn as disabled and never changed here. They count as forbidden but are
        not added to `forbidden`: that is the user's own choice and survives a change of model
    can_substitute : symbols that a click may set to `substituted`
    limits : symbol -> what is asked of its amount if it is allowed: for the tile ("≥40%"), and in words
    key : identifies the widget in the session
    """
    slot: _Slot = st.session_state.setdefault(f"{key}.exchange", _Slot())
    waiting = st.session_state.get(key) or {}
    drawn = _resolve(slot.exchange, state, waiting.get("table"))
    data = _payload(drawn) | {
        "elements": _layout(),
        "counts": {symbol: int(count) for symbol, count in counts.items()},
        "unavailable": dict(unavailable),
        "can_substitute": sorted(can_substitute),
        "limits": {symbol: list(said) for symbol, said in limits.items()},
    }
    result = _component(key=key, data=data, on_table_change=lambda: None)
    # A browser that reconnects brings its table along only now. Nothing is recorded before this line, because
    # drawing may cut off the run, and the action must then count again in the next one.
    slot.exchange = _resolve(slot.exchange, state, result.get("table"))
    return slot.exchange.returned


def _resolve(last: _Exchange, given: TableState, value: object) -> _Exchange:
    """The exchange after this run: the user's action if it is new, else the caller's state."""
    action = _read(value)
    fresh = action is not None and action.generation == last.generation and action.revision > last.revision
    changed = last.returned is not None and given != last.returned
    # A run cut off before the caller kept its result gives the same state again, now with a further action.
    cut_off = fresh and given == last.given
    if changed and not cut_off:
        return _Exchange(given, given, last.generation + 1, last.revision)
    if fresh:
        return _Exchange(given, action.returned, last.generation, action.revision)
    return _Exchange(given, given, last.generation, last.revision)


def _read(value: object) -> _Exchange | None:
    """The browser's table; None when there is none or it makes no sense."""
    try:
        state = TableState(
            frozenset(value["forbidden"]),
            {symbol: float(amount) for symbol, amount in value["fixed"].items()},
            frozenset(value["substituted"]),
        )
        return _Exchange(None, state, int(value["generation"]), int(value["revision"]))
    except (TypeError, KeyError, AttributeError, ValueError):
        return None


def _payload(exchange: _Exchange) -> dict:
    """The exchange as the browser reads (and writes) it."""
    state = exchange.returned
    return {
        "generation": exchange.generation,
        "revision": exchange.revision,
        "forbidden": sorted(state.forbidden),
        "fixed": {symbol: float(amount) for symbol, amount in sorted(state.fixed.items())},
        "substituted": sorted(state.substituted),
    }


def _layout() -> list[dict]:
    """The 118 tiles: rows 1 to 7 are the periods, 8 and 9 the f block; columns 1 to 18."""
    return [
        {
            "symbol": e.symbol,
            "name": e.name,
            "z": e.atomic_number,
            "block": e.block,
            "category": e.category,
            "row": _F_ROWS[e.period] if e.block == "f" else e.period,
            "column": e.column if e.block == "f" else e.group,
        }
        for e in elements.all_elements()
    ]
