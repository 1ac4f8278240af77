"""The form of the page Generate: what the crystals are made of, the Tc, how many; and the button that starts."""

from __future__ import annotations

import streamlit as st

from app import blocks, cached_data
from app.components.periodic_table.component import element_choice
from app.generate import session
from app.generate.asked import (
    ALL_ALLOWED,
    ALL_FORBIDDEN,
    COUNTS,
    ELEMENTS,
    FORMULA,
    STEPS,
    Form,
    time_text,
    without_network,
)
from app.state.synced_widgets import synced_key, widget_callback
from core.errors import InputError
from core.executors import generations
from core.predictors.checkpoint import read_card
from core.predictors.device import resolve_device
from core.structures.diffusion.names import WITH_TC
from core.structures.diffusion.request import LARGEST_GUIDANCE, LARGEST_TC_K, MOST_ATOMS, uses_bfloat16

_TABLE = "generate.table"
ABOUT_TC = (
    "Tc of electron-phonon calculations, from which the network has learned; conventional superconductors only, mostly "
    "below 20 K"
)


def fields() -> None:
    """The form, with its errors and the button."""
    asked = session.form()
    left, right = st.columns([2.1, 1], gap="large")
    with left:
        key = synced_key("generate.of", asked.of)
        st.segmented_control("Made of", [ELEMENTS, FORMULA], default=asked.of, required=True, key=key,
                             label_visibility="collapsed", on_change=_made_of, args=(key,))  # fmt: skip
        if asked.of == FORMULA:
            _formula(asked)
        else:
            _elements(asked)
            asked = session.form()  # with this click
    with right:
        _target(asked)
        _sampling(asked)
        _start(asked)


@widget_callback
def _made_of(key: str) -> None:
    """Callback of the choice: structures of a formula are asked for without a Tc, unless one is wanted."""
    chosen = st.session_state[key]
    session.change(of=chosen, tc_K=Form().tc_K if chosen == ELEMENTS else None)


def _elements(asked: Form) -> None:
    """The periodic table; a click on a tile forbids an element, or allows it."""
    clicked = element_choice(
        asked.table, counts=cached_data.training_counts(), unavailable=without_network(), key=_TABLE
    )
    if clicked != asked.table:
        session.change(table=clicked)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for label, state in (("Forbid all", ALL_FORBIDDEN), ("Allow all", ALL_ALLOWED)):
            st.button(label, type="tertiary", key=f"generate.{label}", on_click=session.change, kwargs={"table": state})
        st.caption("No crystal has a forbidden element; an allowed one need not occur.")


def _formula(asked: Form) -> None:
    """The formula, and how many units of it the cell has."""
    left, right = st.columns([3, 1])
    key = synced_key("generate.formula", asked.formula)
    left.text_input("Formula", value=asked.formula, key=key, placeholder="MgB2", on_change=session.from_widget,
                    args=(key, "formula"), help=f"Whole amounts; at most {MOST_ATOMS} atoms in the cell")  # fmt: skip
    key = synced_key("generate.units", asked.units)
    right.number_input("Formula units", 1, MOST_ATOMS, asked.units, key=key, on_change=session.from_widget,
                       args=(key, "units"), placeholder=str(asked.likeliest_units() or 1),
                       help="In the cell of each crystal; if empty, as in the likeliest known structure")  # fmt: skip
    key = synced_key("generate.symmetric", asked.symmetric)
    st.checkbox("Symmetry of known prototypes", asked.symmetric, key=key, on_change=session.from_widget,
                args=(key, "symmetric"), help="Each crystal has the space group and the Wyckoff positions of a "
                "prototype with this stoichiometry, drawn by how many compounds it has and how similar they are; "
                "lattice and free coordinates are generated. Otherwise crystals have any symmetry, as "
                "published.")  # fmt: skip
    st.caption("The likeliest structures of a formula are those of the page Structures; crystals made here are others.")
    if note := asked.symmetry_note():
        st.caption(note)


def _target(asked: Form) -> None:
    """The Tc and the weight of the guidance."""
    key = synced_key("generate.towards", asked.tc_K is not None)
    st.checkbox("Towards a Tc", asked.tc_K is not None, key=key, on_change=_towards, args=(key,), help=ABOUT_TC)
    if asked.tc_K is None:
        return
    left, right = st.columns(2)
    key = synced_key("generate.tc_K", asked.tc_K)
    left.number_input("Tc (K)", 0.0, LARGEST_TC_K, asked.tc_K, step=5.0, format="%g", key=key,
                      on_change=session.from_widget, args=(key, "tc_K"))  # fmt: skip
    key = synced_key("generate.guidance", asked.guidance)
    right.number_input("Guidance", -1.0, LARGEST_GUIDANCE, asked.guidance, step=0.5, format="%g", key=key,
                       on_change=session.from_widget, args=(key, "guidance"),
                       help="w of (1 + w) noise(Tc) − w noise(): −1 takes no account of the Tc; 2 as published"
                       )  # fmt: skip
    learnt = read_card(WITH_TC)["tc_K"]
    if asked.tc_K > learnt["percentile_99"]:
        st.caption(
            f"The network has learned from calculated Tc up to {learnt['percentile_100']:.0f} K, half of them below "
            f"{learnt['percentile_50']:.1f} K and 99% below {learnt['percentile_99']:.0f} K: {asked.tc_K:g} K is a "
            "direction, not a goal that it can reach."
        )


def _towards(key: str) -> None:
    """Callback of the checkbox."""
    session.change(tc_K=Form().tc_K if st.session_state[key] else None)


def _sampling(asked: Form) -> None:
    """How many crystals, and how they are made."""
    left, right = st.columns(2)
    key = synced_key("generate.count", asked.count)
    left.selectbox("Crystals", COUNTS, COUNTS.index(asked.count), key=key, on_change=session.from_widget,
                   args=(key, "count"))  # fmt: skip
    key = synced_key("generate.steps", asked.steps)
    right.selectbox("Steps", STEPS, STEPS.index(asked.steps), key=key, on_change=session.from_widget,
                    args=(key, "steps"), help="Denoising steps; 1,000 as published")  # fmt: skip
    key = synced_key("generate.screened", asked.screened)
    st.checkbox("Screen them", asked.screened, key=key, on_change=session.from_widget, args=(key, "screened"),
                help="Unique, new (no structure of the Materials Project to 2024, 3DSC and JARVIS matches; of a "
                     "formula known ones are kept), relaxed by CHGNet, bound, a metal, Tc by structure above 5 K, "
                     "within 0.2 eV/atom of the hull. Seconds for each crystal")  # fmt: skip
    with st.expander("More"):
        key = synced_key("generate.corrector", asked.corrector)
        st.checkbox("Corrector", asked.corrector, key=key, on_change=session.from_widget, args=(key, "corrector"),
                    help="Langevin dynamics of the coordinates before each step, as published; twice the time"
                    )  # fmt: skip
        key = synced_key("generate.seed", asked.seed)
        st.number_input("Seed", 0, 2**31 - 1, asked.seed, key=key, on_change=session.from_widget, args=(key, "seed"),
                        help="The same request with the same seed gives the same crystals")  # fmt: skip


def _start(asked: Form) -> None:
    """The button; under it what is wrong with the form."""
    device = resolve_device("auto").type
    try:
        request = asked.request(uses_bfloat16(device))
    except InputError as error:
        st.button("Generate", type="primary", icon=":material/play_arrow:", disabled=True, width="stretch")
        blocks.show_errors([error])
        return
    if st.button("Generate", type="primary", icon=":material/play_arrow:", width="stretch", key="generate.start"):
        try:
            session.show(generations.start(request, asked.screened).name)
        except InputError as error:
            blocks.error(error.message)
        else:
            st.rerun()
    if device == "cpu":
        st.caption(time_text(request, asked.screened))
