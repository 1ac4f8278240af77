"""The hull in context: charts and sentences."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from app.design.material import above_hull_html
from app.results.candidate_card.hull_chart import hull_figure
from app.results.candidate_card.phase_diagram_chart import phase_diagram_figure
from app.text.hull_text import band_text, relatives_text
from core.chemistry.composition import compositions
from core.evaluation.hull_context import HullContext
from core.screening.convex_hull import Hull
from core.screening.phase_diagram import phase_diagram

RELATIVES = ("CeFeAsO", "PrFeAsO", "NdFeAsO", "SmFeAsO", "LaFePO")


def context(known: int = 5, family: str = "iron-based", std: float = 0.04) -> HullContext:
    above = np.linspace(0.1, 0.3, known)
    return HullContext(-1.9, 0.112, std, "", family, RELATIVES[:known], np.full(known, 20.0), above)


def test_the_chart_has_a_row_for_candidate_base_and_known_compounds():
    figure = hull_figure("SmFeAsO", 0.15, float("nan"), "LaFeAsO", context())
    known, base, candidate = figure.data
    assert list(known.x) == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3]) and known.customdata[2][0] == "NdFeAsO"
    assert (base.x[0], base.error_x.array[0], candidate.x[0]) == (0.112, 0.04, 0.15)
    assert candidate.error_x.array is None  # the model does not estimate it
    (band,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (band.x0, band.x1) == pytest.approx((0.12, 0.28))


def test_few_known_compounds_make_no_band():
    figure = hull_figure("SmFeAsO", 0.15, 0.1, "LaFeAsO", context(known=2))
    assert not [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert band_text(context(known=2)) == "" and relatives_text(context(known=2)).endswith("made.")
    assert relatives_text(context(known=0)).startswith("No known superconductor")


def test_the_band_is_put_into_words():
    assert "the 5 iron-based superconductors most like the base" in relatives_text(context())
    assert "80% of them between 0.12 and 0.28 eV/atom" in relatives_text(context())
    assert "the 5 superconductors most" in relatives_text(context(family="other"))


def test_the_design_page_shows_the_distance_of_the_base():
    shown = above_hull_html(context())
    assert "0.11 ± 0.04 eV" in shown and "known compounds like it: 0.12 to 0.28" in shown
    assert "±" not in above_hull_html(context(std=float("nan")))


@pytest.mark.parametrize(
    ("formula", "kind", "labels"),
    [
        ("LiO3", go.Scatter, {"Li", "O", "Li₂O"}),
        ("LiFeO2", go.Scatter, {"Li", "Fe", "O", "Li₂O", "FeO"}),
        ("LiFeCoO2", go.Scatter3d, {"Li", "Fe", "Co", "O", "Li₂O", "FeO"}),
    ],
)
def test_a_phase_diagram_shows_stable_phases_and_the_candidate(formula, kind, labels):
    energies = {"Li2O": -2.0, "FeO": -1.4, "LiO9": -0.1}
    hull = Hull(compositions(energies), np.array(list(energies.values())), list(energies))
    data = phase_diagram(hull, compositions([formula])[0], -0.5)
    figure = phase_diagram_figure(data, formula)
    points = [trace for trace in figure.data if getattr(trace, "mode", None) == "markers+text"]
    assert all(isinstance(trace, kind) for trace in points)
    assert labels <= {text for trace in points for text in trace.text}
    candidate = figure.data[-1]
    assert (
        isinstance(candidate, kind)
        and candidate.marker.symbol == "diamond"
        and candidate.customdata[0][2] == f"{data.above:.3f} eV/atom above hull"
    )


def test_the_candidate_lies_at_its_composition():
    hull = Hull(compositions({"FeO": -1.4}), np.array([-1.4]), ["FeO"])
    data = phase_diagram(hull, compositions(["FeO3"])[0], -0.2)
    candidate = phase_diagram_figure(data, "FeO3").data[-1]
    assert (candidate.x[0], candidate.y[0]) == (0.75, -0.2)
    line = phase_diagram_figure(data, "FeO3").data[-2]
    assert list(line.y) == pytest.approx([-0.2, -0.7])  # halfway between FeO and oxygen
