"""Phase diagrams of two to four elements as figures. No Streamlit here.

Two elements: formation energy against composition, with the hull. Three: the triangle. Four: the tetrahedron, which can
be turned. Filled points are stable phases, open ones are not; the phases that compete with the candidate are joined.
"""

from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go

from app.charts import BLUE, GREY, ORANGE, TEAL, common_layout, translucent
from app.text.formatting import formula_text
from core.screening.phase_diagram import PhaseDiagramData

NEAR_HULL = 0.1  # eV/atom; unstable phases farther above the hull are not drawn
MOST_LABELS = 14  # of stable phases; of more, only the elements and the competing phases have a label
ROOM = 0.08  # of a label, as a fraction of the width; phases nearer to one with a label have none
CORNERS = {  # number of elements -> coordinates of pure elements
    3: np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]]),
    4: np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 3**0.5 / 2, 0.0], [0.5, 3**0.5 / 6, (2 / 3) ** 0.5]]),
}
TOOLTIP = "<b>%{customdata[0]}</b><br>Ef %{customdata[1]:.3f} eV/atom<br>%{customdata[2]}<extra></extra>"
HEIGHT = {2: 320, 3: 400, 4: 440}


def phase_diagram_figure(diagram: PhaseDiagramData, formula: str) -> go.Figure:
    """The figure of a diagram of two, three or four elements. formula : of the candidate"""
    elements = len(diagram.symbols)
    figure = go.Figure(_traces(diagram, formula))
    common_layout(figure, HEIGHT[elements])
    figure.update_layout(hovermode="closest")
    if elements == 2:
        figure.update_xaxes(title={"text": f"Fraction of {diagram.symbols[1]}", "standoff": 6}, range=[-0.06, 1.06])
        figure.update_yaxes(title={"text": "Formation energy (eV/atom)", "standoff": 6})
    elif elements == 3:
        figure.update_xaxes(visible=False, range=[-0.12, 1.12])
        figure.update_yaxes(visible=False, scaleanchor="x", range=[-0.1, 0.98])
        figure.update_layout(dragmode=False)
    else:
        hidden = {"visible": False, "showspikes": False}
        figure.update_layout(
            scene={"xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "data",
                   "camera": {"eye": {"x": 0.4, "y": -2.05, "z": 0.45}, "center": {"x": 0, "y": 0, "z": -0.05}}},
            margin={"l": 0, "r": 0, "t": 0, "b": 0},
        )  # fmt: skip
    return figure


def _traces(diagram: PhaseDiagramData, formula: str) -> list:
    stable = np.flatnonzero(diagram.stable)
    near = np.flatnonzero(~diagram.stable & (diagram.above_hull <= NEAR_HULL))
    named = _named(diagram, stable)
    pairs = list(itertools.combinations(diagram.competing, 2))
    return [
        _lines(diagram, diagram.tie_lines, GREY, 1.0),
        _lines(diagram, pairs, BLUE, 3.0),
        *_area(diagram),
        _points(diagram, near, {"color": GREY, "size": 6, "symbol": "circle-open"}, set()),
        _points(diagram, stable, {"color": TEAL, "size": 9, "symbol": "circle"}, named),
        *_candidate(diagram, formula),
    ]


def _named(diagram: PhaseDiagramData, stable: np.ndarray) -> set[int]:
    """The phases with a label: the elements and the competing phases, then others that have room for one."""
    named = [*range(len(diagram.symbols)), *diagram.competing]
    if len(stable) > MOST_LABELS:
        return set(named)
    places = _positions(diagram, diagram.fractions, np.zeros(len(diagram.formulas)))
    for phase in stable:
        if np.linalg.norm(places[named] - places[phase], axis=1).min() > ROOM:
            named.append(phase)
    return set(named)


def _positions(diagram: PhaseDiagramData, fractions: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Coordinates (n, 2 or 3) of compositions (n, k) with these energies (n,)."""
    if len(diagram.symbols) == 2:
        return np.stack([fractions[:, 1], energies], axis=1)
    return fractions @ CORNERS[len(diagram.symbols)]


def _scatter(positions: np.ndarray, **options) -> go.Scatter | go.Scatter3d:
    """A trace in the plane or in space."""
    if positions.shape[1] == 3:
        x, y, z = positions.T
        return go.Scatter3d(x=x, y=y, z=z, **options)
    x, y = positions.T
    return go.Scatter(x=x, y=y, cliponaxis=False, **options)


def _lines(diagram: PhaseDiagramData, pairs, colour: str, width: float) -> go.Scatter | go.Scatter3d:
    """Segments between pairs of phases."""
    places = _positions(diagram, diagram.fractions, diagram.energies)
    gap = np.full((1, places.shape[1]), np.nan)
    parts = [np.concatenate([places[list(pair)], gap]) for pair in pairs]
    positions = np.concatenate(parts) if parts else gap
    # In space, lines of the same width look thinner, and a translucent line is white in some browsers.
    in_space = places.shape[1] == 3
    line = {"color": colour if in_space else translucent(colour, 0.7), "width": 2 * width if in_space else width}
    return _scatter(positions, mode="lines", line=line, hoverinfo="skip")


def _area(diagram: PhaseDiagramData) -> list:
    """The triangle or tetrahedron of the competing phases."""
    places = _positions(diagram, diagram.fractions, diagram.energies)[list(diagram.competing)]
    if len(diagram.symbols) == 3 and len(places) == 3:
        x, y = places.T
        return [go.Scatter(x=x, y=y, fill="toself", mode="none", fillcolor=translucent(BLUE, 0.15), hoverinfo="skip")]
    if len(diagram.symbols) == 4 and len(places) == 4:
        x, y, z = places.T
        return [go.Mesh3d(x=x, y=y, z=z, alphahull=0, color=BLUE, opacity=0.15, hoverinfo="skip")]
    return []


def _points(diagram: PhaseDiagramData, chosen: np.ndarray, marker: dict, named: set) -> go.Scatter | go.Scatter3d:
    """Phases as points, some with their formula."""
    positions = _positions(diagram, diagram.fractions[chosen], diagram.energies[chosen])
    if positions.shape[1] == 3:
        marker = marker | {"size": marker["size"] / 2}
    formulas = [formula_text(diagram.formulas[i]) for i in chosen]
    return _scatter(
        positions,
        mode="markers+text" if named else "markers",
        marker=marker,
        text=[name if i in named else "" for i, name in zip(chosen, formulas, strict=True)],
        textposition=[_side(diagram, i) for i in chosen] if named and positions.shape[1] == 2 else "top center",
        textfont={"size": 12},
        customdata=[
            (name, diagram.energies[i], _distance_text(diagram.above_hull[i]))
            for i, name in zip(chosen, formulas, strict=True)
        ],
        hovertemplate=TOOLTIP,
    )


def _side(diagram: PhaseDiagramData, phase: int) -> str:
    """Where the label of a phase is: outside the triangle, and below the hull."""
    if len(diagram.symbols) == 2:
        return "top center" if diagram.energies[phase] == 0 else "bottom center"
    first, second, third = diagram.fractions[phase]
    if third == 0:
        return "bottom center"
    if first == 0:
        return "middle right"
    return "middle left" if second == 0 else "bottom center"


def _candidate(diagram: PhaseDiagramData, formula: str) -> list:
    """The candidate, and for two elements its distance to the hull as a line."""
    position = _positions(diagram, diagram.composition[None], np.array([diagram.energy]))
    marker = {"color": ORANGE, "size": 13 if position.shape[1] == 2 else 7, "symbol": "diamond"}
    name = formula_text(formula)
    point = _scatter(
        position,
        mode="markers+text" if position.shape[1] == 2 else "markers",  # in space, lines would cross the text
        marker=marker,
        text=[f"<b>{name}</b>"],
        textposition="top center",
        textfont={"size": 13, "color": ORANGE},
        customdata=[(name, diagram.energy, _distance_text(diagram.above))],
        hovertemplate=TOOLTIP,
    )
    if len(diagram.symbols) != 2:
        return [point]
    foot = position - [[0.0, diagram.above]]
    line = {"color": ORANGE, "width": 2, "dash": "dot"}
    return [_scatter(np.concatenate([position, foot]), mode="lines", line=line, hoverinfo="skip"), point]


def _distance_text(above: float) -> str:
    if abs(above) < 5e-4:
        return "on the hull"
    return f"{abs(above):.3f} eV/atom {'above' if above > 0 else 'below'} hull"
