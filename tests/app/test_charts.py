"""Figures show the values of their tables."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from app import charts
from app.learn.charts import image_figure
from app.results.charts import candidates_figure
from core.chemistry import elements
from core.generation.schedule import Schedule, Stage
from core.predictors.features.periodic_table_image import element_pixels, periodic_table_image
from core.runs.progress import PROGRESS_COLUMNS


def stages(*steps: int) -> Schedule:
    return Schedule(tuple(Stage(f"stage {n}", n) for n in steps), candidates=1)


def progress(steps: int) -> pd.DataFrame:
    """The progress of a made-up run: best above median, the band around both."""
    table = pd.DataFrame(0.0, index=range(steps), columns=list(PROGRESS_COLUMNS))
    table["step"] = range(steps)
    for name in charts.QUANTITIES:
        table[f"{name}_p5"], table[f"{name}_median"] = 1.0, 2.0
        table[f"{name}_best"], table[f"{name}_p95"] = np.linspace(3, 4, steps), 5.0
    return table


def candidates() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "candidate": [7, 3, 5],
            "formula": ["Sr2CuO3", "FeSe", "NaCl"],
            "tc_K": [60.0, 9.0, 0.0],
            "energy_above_hull_eV_per_atom": [0.02, -0.01, np.nan],
            "known": [False, True, False],
            "distance_to_known": [1.5, 0.0, np.nan],
            "n_elements": [3, 2, 2],
            "nearest_known": ["CaCuO2", "FeSe", ""],
            "control_disagrees": pd.array([True, None, False], dtype="boolean"),
        }
    )


def test_the_data_of_the_scatter_are_named_with_units_and_hold_no_noise():
    table = candidates().assign(tc_std_K=[0.1 + 0.2, 1.0, 2.0])
    text = candidates_figure(table, ("LaFeAsO", 15.0)).layout.meta["csv"]
    rows = pd.read_csv(io.StringIO(text))
    assert rows["formula"].tolist() == ["Sr2CuO3", "FeSe"] and rows["tc_std_K"].tolist() == [0.3, 1.0]
    assert "energy_above_hull_eV_per_atom" in rows and "0.30000" not in text


@pytest.mark.parametrize("quantity", charts.QUANTITIES)
def test_progress_draws_band_median_and_best(quantity):
    figure = charts.progress_figure(progress(30), quantity, stages(10, 20))
    lines = {trace.name: trace for trace in figure.data}
    assert list(lines) == ["5%", "95%", "median", "best"]
    assert set(lines["5%"].y) == {1.0} and set(lines["median"].y) == {2.0} and set(lines["95%"].y) == {5.0}
    assert (lines["best"].y[0], lines["best"].y[-1]) == (3.0, 4.0)
    assert lines["95%"].fill == "tonexty"


def test_ensemble_members_used_in_turn_draw_no_zigzag():
    table = progress(12)
    table["tc_K_best"] = np.arange(12) + np.tile([0.0, 0.0, 0.0, 8.0], 3)
    table["integer_loss_best"] = np.arange(12.0)
    smooth = charts.moving_average(table, 4)
    assert np.allclose(np.diff(smooth["tc_K_best"])[3:], 1)
    assert smooth["tc_K_best"].iloc[-1] == pytest.approx(np.mean([8, 9, 10, 11 + 8]))
    assert smooth["integer_loss_best"].tolist() == table["integer_loss_best"].tolist()
    assert charts.moving_average(table, 1)["tc_K_best"].tolist() == table["tc_K_best"].tolist()
    assert charts.moving_average(table.iloc[:0], 4).empty


def test_the_boundary_between_the_stages_is_marked():
    figure = charts.progress_figure(progress(30), "tc_K", stages(10, 20))
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(10, 10)]
    assert tuple(figure.layout.xaxis.range) == (0, 30)


def test_a_run_that_has_not_started_has_empty_charts():
    figure = charts.progress_figure(pd.DataFrame(columns=list(PROGRESS_COLUMNS)), "tc_K", stages(10, 20))
    assert all(len(trace.x) == 0 for trace in figure.data)


def test_an_integer_loss_of_zero_stays_on_the_logarithmic_axis():
    table = progress(3)
    table["integer_loss_best"] = 0.0
    figure = charts.progress_figure(table, "integer_loss", stages(1, 2))
    assert figure.layout.yaxis.type == "log"
    assert set(next(t for t in figure.data if t.name == "best").y) == {charts.LEAST_ON_LOG}


def test_thinning_keeps_first_and_last():
    table = pd.DataFrame({"step": range(5000)})
    thin = charts.thinned(table, 500)
    assert len(thin) == 500 and thin["step"].iloc[0] == 0 and thin["step"].iloc[-1] == 4999
    assert charts.thinned(table.head(20), 500) is not None and len(charts.thinned(table.head(20), 500)) == 20


def test_candidates_without_a_hull_distance_are_not_drawn():
    figure = candidates_figure(candidates(), ("LaFeAsO", 16.9), "distance_to_known", 3)
    points, ring, front = figure.data
    assert list(points.x) == [0.02, -0.01] and list(points.y) == [60.0, 9.0]
    assert [row[0] for row in points.customdata] == [7, 3]
    assert list(points.marker.symbol) == ["triangle-down", "diamond-open"]  # the control model differs; known
    assert list(ring.y) == [9.0]
    assert list(front.x) == [-0.01, 0.02, 0.02] and list(front.y) == [9.0, 60.0, 60.0]
    assert any("LaFeAsO" in note.text and "16.9" in note.text for note in figure.layout.annotations)


def test_the_front_is_drawn_as_steps_to_the_last_candidate():
    table = pd.concat([candidates().head(2)] * 2, ignore_index=True)
    table["energy_above_hull_eV_per_atom"], table["tc_K"] = [0.1, 0.0, 0.3, 0.05], [40.0, 10.0, 30.0, 5.0]
    front = candidates_figure(table, ("MgB2", 39.0)).data[-1]
    assert (front.mode, front.line.shape) == ("lines", "hv")
    assert list(front.x) == [0.0, 0.1, 0.3] and list(front.y) == [10.0, 40.0, 40.0]
    assert front.hoverinfo == "skip"  # a click on it must not select
    nothing = candidates_figure(table.assign(energy_above_hull_eV_per_atom=np.nan), ("MgB2", 39.0)).data[-1]
    assert len(nothing.x) == len(nothing.y) == 0


def test_figures_serve_light_and_dark():
    figure = candidates_figure(candidates(), ("LaFeAsO", 16.9), "n_elements", 7)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.color is None


def test_a_trajectory_is_one_line():
    table = pd.DataFrame({"step": [0, 5, 9], "tc_K": [1.0, 2.0, 4.0]})
    (line,) = charts.trajectory_figure(table, "tc_K", stages(5, 5)).data
    assert list(line.x) == [0, 5, 9] and list(line.y) == [1.0, 2.0, 4.0]


def test_the_image_shows_each_element_in_its_block():
    import torch

    x = torch.zeros(1, elements.N_ELEMENTS)
    for symbol, fraction in (("H", 0.25), ("Cl", 0.75)):
        x[0, elements.element(symbol).index] = fraction
    image = periodic_table_image(x, element_pixels())[0].numpy()
    tiles = {e.symbol: divmod_pixel(e.index) for e in elements.all_elements()}
    figure = image_figure(image, tiles)
    s, p, d, f = figure.data
    assert np.nansum(s.z) == pytest.approx(0.25) and np.nansum(p.z) == pytest.approx(0.75)
    assert np.nansum(d.z) == np.nansum(f.z) == 0
    assert s.customdata[0][0] == "H" and p.customdata[2][30] == "Cl"
    notes = {(note.xref, note.x, note.y): note.text for note in figure.layout.annotations if note.xref != "paper"}
    assert notes == {("x", 1, 1): "H", ("x2", 31, 3): "Cl"}


def divmod_pixel(index: int) -> tuple[int, int, int]:
    """Channel, row and column of an element's pixel."""
    _, rows, columns = 4, 7, 32
    pixel = int(element_pixels()[index])
    channel, rest = divmod(pixel, rows * columns)
    return channel, *divmod(rest, columns)


def test_the_curve_of_an_archive_is_against_the_formulas_tested():
    columns = ["step", "tested", "objective_K_best", "objective_K_mean"]
    archive = pd.DataFrame([[0, 30, 10.0, 4.0], [1, 900, 25.0, 9.0]], columns=columns)
    mean, best = charts.archive_figure(archive).data
    assert list(best.x) == list(mean.x) == [30, 900]
    assert list(best.y) == [10.0, 25.0] and list(mean.y) == [4.0, 9.0]
    assert len(charts.archive_figure(archive.head(0)).data) == 2
