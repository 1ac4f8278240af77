"""The Streamlit component that draws the periodic table and returns its state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from app.components.periodic_table.exchange import Exchange, payload, resolve
from app.components.periodic_table.table_state import TableState
from core.chemistry import elements

_FOLDER = Path(__file__).parent
_F_BLOCK_ROWS = {6: 8, 7: 9}  # period -> row of its f block, beneath the seven main rows

# Registered once, when the module is imported: registering in every script run would warn and reload the script.
_component = st.components.v2.component(
    "tc_studio_periodic_table",
    css=(_FOLDER / "periodic_table.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "periodic_table.js").read_text(encoding="utf-8"),
)


@dataclass
class _Slot:
    """Kept in the session. Replacing its content is not a session access, at which Streamlit may interrupt a run."""

    exchange: Exchange = field(default_factory=Exchange)


def periodic_table(
    state: TableState,
    *,
    counts: Mapping[str, int],
    unavailable: Mapping[str, str],
    can_substitute: Collection[str],
    limits: Mapping[str, tuple[str, str]],
    key: str,
    base: Sequence[str] = (),
) -> TableState:
    """Draw the table; return the state after the user's last action (equal to `state` if there was none).

    Store the result and pass it in the next script run: any other state counts as a change by the program, which
    overrides clicks that were not yet processed.

    Parameters
    ----------
    counts : symbol -> number of training compositions that contain the element; a missing symbol means 0
    unavailable : symbol -> reason. Drawn as disabled and never changed here. These elements count as forbidden but are
        not added to `forbidden`, which holds the user's own choices and survives a change of model
    can_substitute : symbols that a click may set to substituted
    limits : symbol -> limit of its amount if it is allowed: short for the tile ("≥40%"), and in full
    key : identifies the widget in the session
    base : symbols of the base material, which are marked; the first one is selected until the user selects another
    """
    return _table(state, key, {
        "mode": "design",
        "counts": {symbol: int(count) for symbol, count in counts.items()},
        "unavailable": dict(unavailable),
        "can_substitute": sorted(can_substitute),
        "limits": {symbol: list(texts) for symbol, texts in limits.items()},
        "base": list(base),
    })  # fmt: skip


def element_choice(
    state: TableState, *, counts: Mapping[str, int], unavailable: Mapping[str, str], key: str
) -> TableState:
    """Draw the table as a choice of elements: a click forbids an element or allows it again; nothing is fixed.

    counts, unavailable, key : see `periodic_table`
    """
    return _table(state, key, {
        "mode": "choice", "counts": {symbol: int(count) for symbol, count in counts.items()},
        "unavailable": dict(unavailable), "can_substitute": [], "limits": {}, "base": [],
    })  # fmt: skip


def element_filter(state: TableState, *, counts: Mapping[str, int], total: int, key: str) -> TableState:
    """Draw the table as a filter of compositions, and as a heat map of how often the elements occur in those found.

    In the state that is given and returned, fixed elements are required, forbidden ones excluded; amounts mean nothing.

    counts : symbol -> number of the compositions found that contain the element; a missing symbol means 0
    total : number of the compositions found
    key : identifies the widget in the session; `current_state` tells the state before the table is drawn
    """
    return _table(state, key, {
        "mode": "filter", "total": int(total), "counts": {symbol: int(count) for symbol, count in counts.items()},
        "unavailable": {}, "can_substitute": [], "limits": {}, "base": [],
    })  # fmt: skip


def current_state(state: TableState, key: str) -> TableState:
    """The state that the table of this key returns next, for what must be computed before it is drawn."""
    return _resolved(_slot(key), state, key).returned or state


def _slot(key: str) -> _Slot:
    return st.session_state.setdefault(f"{key}.exchange", _Slot())


def _resolved(slot: _Slot, state: TableState, key: str) -> Exchange:
    waiting = st.session_state.get(key) or {}
    return resolve(slot.exchange, state, waiting.get("table"))


def _table(state: TableState, key: str, content: dict) -> TableState:
    """Draw the table; the state after the last action. content : what the browser draws beside the state"""
    slot = _slot(key)
    data = payload(_resolved(slot, state, key)) | {"elements": layout()} | content
    result = _component(key=key, data=data, on_table_change=lambda: None)
    # A browser that reconnects sends its table only with this call. Nothing is stored before this line, because the
    # call may interrupt the script run, and the action must then count again in the next one.
    slot.exchange = resolve(slot.exchange, state, result.get("table"))
    return slot.exchange.returned


def layout() -> list[dict]:
    """The 118 tiles: rows 1 to 7 are the periods, 8 and 9 the f block; columns 1 to 18."""
    return [
        {
            "symbol": e.symbol,
            "name": e.name,
            "z": e.atomic_number,
            "block": e.block,
            "category": e.category,
            "toxic": e.toxic,
            "row": _F_BLOCK_ROWS[e.period] if e.block == "f" else e.period,
            "column": e.column if e.block == "f" else e.group,
            "values": {
                "electronegativity": e.electronegativity,
                "radius": e.covalent_radius_A,
                "abundance": e.crustal_abundance_mg_per_kg,
                "price": e.price_USD_per_kg,
                "exposure": e.permitted_daily_exposure_ug,
            },
        }
        for e in elements.all_elements()
    ]
