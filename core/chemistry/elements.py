"""The element table and its order, Z = 1..118.

Every array with an axis of elements uses this order: index 0 is hydrogen. The table is read from
`assets/elements.json`, which `core/training/element_table.py` builds from pymatgen, SMACT and periodictable, so that
predictions and designs need none of these packages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from core.paths import ASSETS

N_ELEMENTS = 118
SMACT14, ICSD24 = STATE_SETS = ("smact14", "icsd24")  # sets of oxidation states; the papers use smact14


@dataclass(frozen=True)
class Element:
    """One element. Electronegativity is on Pauling's scale; oxidation states are those of SMACT's `smact14` set."""

    atomic_number: int
    symbol: str
    name: str
    mass_u: float
    covalent_radius_A: float | None  # Cordero et al. 2008, doi:10.1039/b801115j; None beyond curium
    period: int
    group: int | None
    column: int  # 1..32, the f block unfolded
    block: str  # s, p, d or f: the outermost electrons
    category: str
    electronegativity: float | None
    crustal_abundance_mg_per_kg: float | None  # CRC Handbook, 92nd edition (2011), as in SMACT's data (MIT licence)
    price_USD_per_kg: float | None  # of the element, not of a compound; source in core/training/element_facts.py
    permitted_daily_exposure_ug: float | None  # by mouth, ICH guideline Q3D; None: not assessed there
    mendeleev_number: int | None  # Pettifor's chemical scale, as modified in pymatgen
    oxidation_states: tuple[int, ...]
    icsd24_oxidation_states: tuple[int, ...]  # SMACT's set `icsd24`: the states reported in the ICSD of 2024
    usual_oxidation_states: tuple[int, ...]  # at least 1% of the element's entries in the ICSD, or common in pymatgen
    icsd_states: tuple[tuple[int, int], ...]  # (state, number of entries in the ICSD of 2024), ascending, without 0
    metal: bool  # as defined by SMACT, which the paper uses for screening
    radioactive: bool
    rare_earth: bool
    noble_gas: bool
    toxic: bool
    precious: bool

    @property
    def index(self) -> int:
        """Index in every array with an axis of elements."""
        return self.atomic_number - 1


@cache
def all_elements() -> tuple[Element, ...]:
    """All 118 elements in order of atomic number."""
    rows = json.loads((ASSETS / "elements.json").read_text(encoding="utf-8"))
    return tuple(_element(row) for row in rows)


@cache
def with_states_of(state_set: str) -> tuple[Element, ...]:
    """All elements with the oxidation states of a set of SMACT: "smact14" or "icsd24".

    Raises ValueError for another name.
    """
    if state_set not in STATE_SETS:
        raise ValueError(f"the set of oxidation states must be one of {', '.join(STATE_SETS)}, not {state_set!r}")
    if state_set == SMACT14:
        return all_elements()
    return tuple(replace(element, oxidation_states=element.icsd24_oxidation_states) for element in all_elements())


def _element(row: dict[str, Any]) -> Element:
    facts: dict[str, Any] = {name: _tuples(value) for name, value in row.items()}
    return Element(**facts)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


@cache
def symbols() -> tuple[str, ...]:
    """The 118 symbols in order."""
    return tuple(element.symbol for element in all_elements())


@cache
def _by_symbol() -> dict[str, Element]:
    return {element.symbol: element for element in all_elements()}


def element(symbol: str) -> Element:
    """The element with this symbol. Raises KeyError for an unknown symbol."""
    return _by_symbol()[symbol]


def is_element(symbol: str) -> bool:
    """Whether this is an element symbol; case-sensitive."""
    return symbol in _by_symbol()


def with_oxidation_state(state: int) -> tuple[str, ...]:
    """Symbols of the elements that have this oxidation state in the `smact14` set."""
    return tuple(e.symbol for e in all_elements() if state in e.oxidation_states)
