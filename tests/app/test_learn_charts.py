"""The figures of the teaching page, without the page."""

from __future__ import annotations

import numpy as np
import pytest

from app.learn.climb_chart import climb_figure
from app.learn.ternary import HEIGHT, grid, positions, triangles
from core.generation.gradient.climb import ADAM


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
