"""The figures of the teaching page, without the page."""

from __future__ import annotations

import numpy as np
import pytest

from app.learn.climb import DIVISIONS, LEAST_START, start_at
from app.learn.climb_chart import climb_figure
from app.learn.stages import followed, sentences
from app.learn.stages_chart import fractions_by_step, stages_figure
from app.learn.ternary import HEIGHT, grid, positions, triangles
from core.generation.gradient.climb import ADAM
from core.runs.example import STORED
from core.runs.run import Run


def test_the_small_triangles_cover_the_triangle():
    points = positions(grid(5))
    corners = points[triangles(5)]
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) / 2
    assert len(areas) == 25 and areas == pytest.approx(np.full(25, HEIGHT / 50))
    assert grid(5).sum(1) == pytest.approx(np.ones(21)) and len(np.unique(grid(5), axis=0)) == 21


def test_the_corners_of_the_triangle_are_the_elements():
    assert positions(np.eye(3)) == pytest.approx(np.array([[0, 0], [1, 0], [0.5, HEIGHT]]))


def test_the_map_animates_the_paths_and_ends_at_their_last_point():
    fractions = grid(4)
    path = fractions[[3, 4, 7]]
    figure = climb_figure(
        ("A", "B", "C"), fractions, fractions[:, 0], 4, {ADAM: (path, np.array([1.0, 2.0, 3.0]))}, "K"
    )
    assert [frame.name for frame in figure.frames] == ["0", "1", "2"]
    assert figure.frames[-1].data[2].x == pytest.approx(positions(path[-1:])[:, 0], abs=1e-4)
    assert len(figure.frames[0].traces) == 4 and max(figure.frames[0].traces) < len(figure.data)


def test_the_bars_of_a_candidate_move_through_its_recorded_steps():
    table = followed()
    part = table[table["formula"] == table["formula"].iloc[0]].reset_index(drop=True)
    symbols, fractions = fractions_by_step(part)
    figure = stages_figure(part, symbols, fractions, 25)
    assert len(figure.frames) == len(part) == len(fractions) and list(figure.data[0].x) == symbols
    assert figure.frames[3].data[0].y == pytest.approx(fractions[3], abs=1e-4)
    assert figure.frames[3].data[1].y == pytest.approx([part["tc_K"][3]])


def test_the_sentences_name_the_elements_that_m_max_removes():
    part = followed()[lambda t: t["candidate"] == t["candidate"].iloc[0]].reset_index(drop=True).copy()
    edge = part.index[part["stage"] == 2][0]
    part.loc[edge - 1, "fractions"] = '{"Fe": 0.5, "As": 0.4, "Zr": 0.1}'
    part.loc[edge, "fractions"] = '{"Fe": 0.5, "As": 0.5}'
    text = sentences(part, Run(STORED).problem(), 25)
    assert "removes Zr" in text and f"from {part['tc_K'][0]:.1f} to {part['tc_K'][edge - 1]:.1f} K" in text


def test_a_click_on_the_map_gives_a_start_with_a_little_of_every_element():
    fractions = grid(DIVISIONS)
    corner = int(fractions[:, 0].argmax())
    start = start_at([{"x": 0.1}, {"customdata": [corner]}])
    assert sum(start) == pytest.approx(1) and min(start) == pytest.approx(LEAST_START / (1 + 2 * LEAST_START))
    middle = int(np.abs(fractions - 1 / 3).sum(1).argmin())
    assert start_at([{"customdata": middle}]) == pytest.approx(fractions[middle])
    assert start_at([]) is None and start_at([{"customdata": [len(fractions)]}]) is None
