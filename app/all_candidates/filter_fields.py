"""The fields of the filters beside the periodic table."""

from __future__ import annotations

import streamlit as st

from app.all_candidates.filters import LibraryFilters
from app.components.periodic_table.table_state import TableState
from core.chemistry.families import FAMILIES

ORDERS = {"tc_minus_error_K": "Tc − error", "tc_K": "Tc", "tc_judge_K": "Control Tc"}
REQUIREMENTS = {
    "passes": "Passes every screen",
    "new": "New",
    "agrees": "Control model agrees",
    "no_phase": "No reference phase",
    "starred": "Starred",
}
_MEANINGS = (
    "New: no known superconductor has this composition. Control model agrees: its Tc differs by less than the error. "
    "No reference phase: the Materials Project has no compound of this composition."
)


def filter_fields(chosen: TableState) -> LibraryFilters:
    """Draw the fields; the filters with the choices of the periodic table. chosen : see `element_filter`"""
    first, second = st.columns(2, gap="small")
    tc_K = _limit(first, "Tc at least (K)", "tc", 5.0)
    control_K = _limit(second, "Control Tc at least (K)", "control", 5.0,
                       "Tc by the control model, which no search has optimised")  # fmt: skip
    hull = _limit(first, "Above hull at most (eV/atom)", "hull", 0.05)
    distance = _limit(second, "Distance to known at least", "distance", 0.5,
                      "To the nearest known superconductor, in steps on the Mendeleev-number scale. NaCl and KCl "
                      "differ by 0.5: half of the atoms, one place")  # fmt: skip
    families = st.multiselect("Families", FAMILIES, key="library.families", placeholder="all")
    required = st.pills("Require", list(REQUIREMENTS), selection_mode="multi", format_func=REQUIREMENTS.get,
                        default=["passes", "new"], key="library.required", wrap=True,
                        help=_MEANINGS)  # fmt: skip
    condition = st.text_input(
        "Condition", key="library.condition", placeholder="n_atoms <= 12 and seed = 0",
        help="Compares columns as in SQL. `python -m core candidates --columns` lists them",
    )  # fmt: skip
    return LibraryFilters(
        tc_K, control_K, hull, distance, families=tuple(families), containing=tuple(chosen.fixed),
        without=tuple(chosen.forbidden), condition=condition, **{name: name in required for name in REQUIREMENTS},
    )  # fmt: skip


def order_field() -> str:
    """The column by which the compositions are ordered, the highest value first."""
    return st.segmented_control("Rank by", list(ORDERS), default="tc_minus_error_K", required=True,
                                format_func=ORDERS.get, key="library.order", label_visibility="collapsed")  # fmt: skip


def _limit(
    place: st.delta_generator.DeltaGenerator, label: str, name: str, step: float, text: str = ""
) -> float | None:
    return place.number_input(label, -5.0 if name == "hull" else 0.0, 5.0 if name == "hull" else 1000.0, value=None,
                              step=step, key=f"library.{name}", placeholder="any", help=text or None)  # fmt: skip
