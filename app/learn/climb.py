"""One composition of three elements that climbs Tc, by two optimisers, on a map computed by the default model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch

from app import cached_data
from app.learn.climb_chart import climb_figure
from app.learn.show import chart
from app.learn.ternary import grid
from core.chemistry import elements
from core.chemistry.composition import element_mask, formula_of, fraction_vector
from core.generation.gradient.climb import RULES, climb
from core.generation.gradient.optimiser import first_loss
from core.generation.gradient.simplex_map import SimplexMap
from core.predictors.interface import predict_in_batches
from core.problem.settings import FORMATION_ENERGY_PREDICTOR, TC_PREDICTOR, OptimiserSettings

DIVISIONS = 36  # of the sides of the map
LEAST_START = 0.02  # fraction of each element in a start: an element at 0 has no gradient
OWN, MAP = "Other elements", "learn_map"
TC_ONLY, OBJECTIVE = "Tc", "Tc − κ error − α Ef"
START = "learn.climb_start"


class System(NamedTuple):
    """Three elements that change, what is fixed (symbol -> fraction of all atoms), and a start (fractions of three)."""

    symbols: tuple[str, str, str]
    fixed: Mapping[str, float]
    start: tuple[float, float, float]


SYSTEMS = {
    "Mg–B–Al": System(("Mg", "B", "Al"), {}, (0.15, 0.25, 0.60)),
    "Nb–Ge–Al": System(("Nb", "Ge", "Al"), {}, (0.25, 0.55, 0.20)),
    "Fe–O–F with ¼ La, ¼ As": System(("Fe", "O", "F"), {"La": 0.25, "As": 0.25}, (0.55, 0.40, 0.05)),
    "Y–Ba–Cu with 7/13 O": System(("Y", "Ba", "Cu"), {"O": 7 / 13}, (0.30, 0.15, 0.55)),
}


def climbing() -> None:
    """The section."""
    settings = OptimiserSettings()
    st.markdown(
        "Every point of the triangle is a composition of three elements; its colour is what the default model "
        "predicts. A composition climbs along the gradient. **Click the map** to start elsewhere, then play."
    )
    left, right = st.columns([1, 3], gap="medium")
    with left:
        name = st.selectbox("Elements", [*SYSTEMS, OWN], key="learn_system", on_change=forget_start)
        system = SYSTEMS.get(name) or own_system()
        quantity = st.segmented_control(
            "Climb", [TC_ONLY, OBJECTIVE], default=TC_ONLY, required=True, key="learn_quantity",
            help=f"Tc alone, or the objective of a run, with κ = {settings.risk_aversion:g} and "
            f"α = {settings.formation_energy_weight:g} K/(eV/atom)",
        )  # fmt: skip
        rate = st.slider("Learning rate", 0.005, 0.3, settings.learning_rate, 0.005, format="%.3f", key="learn_rate",
                         help=f"Default of the gradient method: {settings.learning_rate:g}")  # fmt: skip
        steps = st.slider("Steps", 10, 200, settings.steps[0], 5, key="learn_climb_steps",
                          help=f"Default of stage 1 of the gradient method: {settings.steps[0]}")  # fmt: skip
    if system is None:
        with right:
            st.info("Choose three different elements.", icon=":material/info:")
        return
    start = st.session_state.get(START, system.start)
    fixed = tuple(system.fixed.items())
    fractions, values = map_of(system.symbols, fixed, quantity)
    paths = paths_of(system.symbols, fixed, quantity, tuple(start), rate, steps)
    with left:
        for rule, (along, height_of) in paths.items():
            st.metric(
                RULE_LABELS[rule], f"{height_of[0]:.1f} → {height_of[-1]:.1f} K", composition_text(system, along[-1]),
                delta_color="off", delta_arrow="off",
            )  # fmt: skip
    with right:
        unit = "Tc (K)" if quantity == TC_ONLY else "objective (K)"
        figure = climb_figure(system.symbols, fractions, values, DIVISIONS, paths, unit)
        chart(figure, MAP, "Map of Tc over the compositions of three elements, with the paths of two optimisers",
              on_select=clicked)  # fmt: skip
    st.caption(
        "Adam divides the gradient of each ratio by its usual size, so that it moves at a steady pace on flat and on "
        "steep ground; gradient descent has one constant factor, here such that both begin with a step of the same "
        "size: it stands still where the map is flat, and jumps where it is steep. Both find the nearest top, not the "
        "highest: that is why a run starts many compositions."
    )


RULE_LABELS = dict(zip(RULES, ("Adam", "Gradient descent"), strict=True))


def own_system() -> System | None:
    """Three elements of the user's choice; None unless they differ."""
    known = [
        s for s in elements.symbols() if s not in cached_data.unavailable(TC_PREDICTOR, FORMATION_ENERGY_PREDICTOR)
    ]
    cells = st.columns(3)
    chosen = [
        cell.selectbox(f"Element {i + 1}", known, index=known.index(first), key=f"learn_own_{i}")
        for i, (cell, first) in enumerate(zip(cells, ("Nb", "N", "C"), strict=True))
    ]
    if len(set(chosen)) < 3:
        return None
    return System((chosen[0], chosen[1], chosen[2]), {}, (0.34, 0.33, 0.33))


def forget_start() -> None:
    """Callback: another system begins at its own start."""
    st.session_state.pop(START, None)


def clicked() -> None:
    """Callback: the clicked point of the map becomes the start."""
    start = start_at(st.session_state[MAP]["selection"]["points"])
    if start is not None:
        st.session_state[START] = start


def start_at(points: Sequence[Mapping]) -> tuple[float, ...] | None:
    """The start at the clicked points of the chart, of which those of the map carry their place in the grid.

    At least LEAST_START of each element; None if no point of the map was clicked.
    """
    for point in points:
        place = point.get("customdata")
        place = place[0] if isinstance(place, list | tuple) and place else place
        if isinstance(place, int | float) and 0 <= place < len(grid(DIVISIONS)):
            start = np.maximum(grid(DIVISIONS)[int(place)], LEAST_START)
            return tuple((start / start.sum()).tolist())
    return None


def composition_text(system: System, fractions: np.ndarray) -> str:
    """A composition as a formula of fractions in percent of the atoms."""
    room = 1 - sum(system.fixed.values())
    amounts = {**system.fixed, **{s: room * float(f) for s, f in zip(system.symbols, fractions, strict=True)}}
    return formula_of({symbol: round(x, 2) for symbol, x in amounts.items()})


@st.cache_data(show_spinner=False, max_entries=50)
def map_of(
    symbols: tuple[str, ...], fixed: tuple[tuple[str, float], ...], quantity: str
) -> tuple[np.ndarray, np.ndarray]:
    """The grid (n, 3) and the value (n,) in K of its compositions."""
    fractions = grid(DIVISIONS)
    ratios = np.zeros((len(fractions), elements.N_ELEMENTS))
    ratios[:, [elements.element(symbol).index for symbol in symbols]] = fractions
    compositions = simplex_of(symbols, fixed).compose(torch.from_numpy(ratios).float())
    return fractions, -predict_in_batches(loss_of(quantity), compositions)


@st.cache_data(show_spinner=False, max_entries=200)
def paths_of(
    symbols: tuple[str, ...],
    fixed: tuple[tuple[str, float], ...],
    quantity: str,
    start: tuple[float, ...],
    rate: float,
    steps: int,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rule -> fractions (k, 3) of the three elements and value (k,) in K along its path."""  # fmt: skip
    places = [elements.element(symbol).index for symbol in symbols]
    x_base = torch.zeros(elements.N_ELEMENTS)
    x_base[places] = torch.tensor(start)
    found = climb(loss_of(quantity), simplex_of(symbols, fixed), x_base, steps, rate)
    room = 1 - sum(x for _, x in fixed)
    return {
        rule: (path.composition[:, places].double().numpy() / room, -path.loss.double().numpy())
        for rule, path in found.items()
    }


def simplex_of(symbols: tuple[str, ...], fixed: tuple[tuple[str, float], ...]) -> SimplexMap:
    """The map of the optimiser with three free elements."""
    return SimplexMap(torch.from_numpy(fraction_vector(dict(fixed))).float(), torch.from_numpy(element_mask(symbols)))


def loss_of(quantity: str):
    """Compositions (batch, 118) -> loss (batch,) in K: minus the quantity."""
    tc = cached_data.predictor(TC_PREDICTOR)
    if quantity == TC_ONLY:
        return lambda x: -tc(x)
    energy = cached_data.predictor(FORMATION_ENERGY_PREDICTOR)
    return lambda x: first_loss(OptimiserSettings(), x, tc, energy)[0]
