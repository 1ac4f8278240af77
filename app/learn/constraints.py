"""x_const and the element mask, to try: click tiles, and see the composition that the map gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from app import cached_data
from app.components.periodic_table.component import periodic_table
from app.components.periodic_table.table_state import TableState
from app.learn.charts import composition_figure
from app.learn.show import chart
from core.chemistry import elements
from core.chemistry.composition import composition_vector, element_mask, formula_of_counts, fraction_vector
from core.chemistry.formula_reader import parse_formula
from core.generation.gradient.simplex_map import SimplexMap
from core.generation.initialization import InitialGuesses
from core.problem.settings import FORMATION_ENERGY_PREDICTOR, TC_PREDICTOR, OptimiserSettings

BASE = "LaFeAsO"
FIRST = TableState(frozenset({"O"}), {"Fe": 1.0, "As": 1.0}, frozenset())
TABLE, START = "learn.table_state", "learn.start"
DIGITS = 3
BARS_PX = 300  # height of the bars before a class, below three figures and a formula


@dataclass(frozen=True)
class Mapped:
    """A composition and where it comes from, each (118,).

    x_base : ratios before the map
    fixed : x_const
    free : sigma(x_base * M_elem) (1 - sum x_const); NaN if no allowed element has a positive ratio
    allowed : M_elem
    """

    x_base: np.ndarray
    fixed: np.ndarray
    free: np.ndarray
    allowed: np.ndarray

    @property
    def alive(self) -> bool:
        """Whether the map is defined."""
        return bool(np.isfinite(self.free).all())


def constraints() -> None:
    """The section."""
    st.latex(
        r"x = \underbrace{x_\mathrm{const}}_{\text{fixed}} + \underbrace{\sigma(x_\mathrm{base} \odot "
        r"M_\mathrm{elem})\,\Bigl(1 - \textstyle\sum x_\mathrm{const}\Bigr)}_{\text{the rest, divided among the "
        r"allowed elements}}"
    )
    st.markdown(
        "Click a tile: **allowed → forbidden → fixed**. A forbidden element is 0 in the mask $M_\\mathrm{elem}$; a "
        "fixed one has its fraction in $x_\\mathrm{const}$ and leaves the mask. Whatever the ratios "
        "$x_\\mathrm{base}$ are, the fractions $x$ sum to 1 and keep what is fixed."
    )
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        state = table()
    with right:
        fixed = fixed_fractions(state)
        if sum(fixed.values()) >= 1:
            st.warning(
                f"The fixed fractions sum to {sum(fixed.values()):.2f}. Their sum has to be below 1.",
                icon=":material/info:",
            )
            return
        mapped = composition_of(fixed, state.forbidden, st.session_state.get(START, 0))
        numbers(mapped)
        chart(composition_figure(*bars(mapped), alive=mapped.alive), "learn_x",
              "Ratios before the map and fractions after it, per element", most_px=BARS_PX)  # fmt: skip
        st.button("Another start composition", on_click=next_start, key="learn_start", icon=":material/casino:",
                  help="The ratios of another candidate of a run by gradient")  # fmt: skip
    settings = OptimiserSettings()
    st.caption(
        f"The ratios are those from which a run by gradient starts: {BASE}, each element replaced with a probability "
        f"of {settings.mutate_probability:g}, {settings.added_elements[0]} to {settings.added_elements[1]} elements "
        f"added with ratios up to {settings.perturb_ratio:g}. The number on a fixed tile is the number of atoms per "
        f"formula unit of {BASE}, which has {base_atoms():g} atoms."
    )


def table() -> TableState:
    """The periodic table; the state after the last click."""
    before = st.session_state.get(TABLE, FIRST)
    after = periodic_table(
        before, counts=cached_data.training_counts(), can_substitute=[], limits={}, key="learn.table", base=list(
            parse_formula(BASE)), unavailable=cached_data.unavailable(TC_PREDICTOR, FORMATION_ENERGY_PREDICTOR),
    )  # fmt: skip
    st.session_state[TABLE] = after
    return after


def numbers(mapped: Mapped) -> None:
    """Three figures about the composition."""
    cells = st.columns(3)
    cells[0].metric("Sum of x_const", f"{mapped.fixed.sum():.2f}")
    cells[1].metric("Room for the rest", f"{1 - mapped.fixed.sum():.2f}")
    total = f"{(mapped.fixed + mapped.free).sum():.3f}" if mapped.alive else "–"
    cells[2].metric("Sum of x", total)
    if not mapped.alive:
        st.warning(
            "No allowed element has a positive ratio, so σ would divide by 0. In a run such a candidate is dead: it is "
            "restarted from a new start composition, and counted.",
            icon=":material/info:",
        )
    else:
        composition = (mapped.fixed + mapped.free).round(DIGITS)
        st.markdown(f"x = `{formula_of_counts(composition)}`")


def next_start() -> None:
    """Callback: the start of the next candidate."""
    st.session_state[START] = st.session_state.get(START, 0) + 1


def base_atoms() -> float:
    """Atoms per formula unit of the base."""
    return sum(parse_formula(BASE).values())


def fixed_fractions(state: TableState) -> dict[str, float]:
    """x_const of the table: symbol -> fraction of all atoms."""
    return {symbol: amount / base_atoms() for symbol, amount in state.fixed.items()}


def composition_of(fixed: Mapping[str, float], forbidden: frozenset[str], start: int) -> Mapped:
    """The composition of a start (a candidate number) by the map of the optimiser. The sum of `fixed` is below 1."""
    known = set(elements.symbols()) - set(cached_data.unavailable(TC_PREDICTOR, FORMATION_ENERGY_PREDICTOR))
    x_base = start_ratios(frozenset(known), start)
    allowed = element_mask(known - forbidden - set(fixed))
    x_const = fraction_vector(fixed)
    if not allowed.any():
        return Mapped(x_base, x_const, np.full_like(x_base, np.nan), allowed)
    simplex = SimplexMap(torch.from_numpy(x_const), torch.from_numpy(allowed))
    ratios = torch.from_numpy(x_base)[None]
    free = simplex.parts(ratios)[0, 0].numpy() if bool(simplex.alive(ratios)) else np.full_like(x_base, np.nan)
    return Mapped(x_base, x_const, free, allowed)


@st.cache_data(show_spinner=False, max_entries=100)
def start_ratios(known: frozenset[str], candidate: int) -> np.ndarray:
    """x_base (118,) from which this candidate of a default run without constraints starts."""
    settings = OptimiserSettings()
    return InitialGuesses(
        settings.start, composition_vector(parse_formula(BASE)), element_mask(known), np.zeros(elements.N_ELEMENTS),
        1.0, cached_data.references().frequencies, settings.mutate_probability, settings.perturb_ratio,
        settings.added_elements, 0,
    ).guess(candidate)  # fmt: skip


def bars(mapped: Mapped) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, list[bool]]:
    """Symbols with a ratio or a fixed fraction, the largest ratio first: ratios, fixed and free parts, in the mask."""
    shown = np.flatnonzero((mapped.x_base > 0) | (mapped.fixed > 0))
    shown = shown[np.argsort(-(mapped.x_base + mapped.fixed)[shown], kind="stable")]
    symbols = [elements.symbols()[i] for i in shown]
    return symbols, mapped.x_base[shown], mapped.fixed[shown], mapped.free[shown], list(mapped.allowed[shown])
