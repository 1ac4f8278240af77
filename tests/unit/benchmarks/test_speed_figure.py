"""The SVG of a figure: the position of the points, and escaped text."""

import xml.etree.ElementTree as ET

import pytest

from core.benchmarks import figures
from core.benchmarks.speed_figure import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, log_log

SVG = "{http://www.w3.org/2000/svg}"


def test_points_are_placed_by_their_logarithms():
    """From 100 to 10,000 and from 10 to 1,000: the middle point of a straight line in the middle of the picture."""
    series = {"a < b, ours": ([100, 1000, 9999], [10, 100, 999]), "a < b, reference": ([100], [10])}
    root = ET.fromstring(log_log(figures.lines(series, "candidates", "steps & more", log=True)))
    centres = [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{SVG}circle")]
    right, low = WIDTH - RIGHT, HEIGHT - BOTTOM
    expected = [(LEFT, low), ((LEFT + right) / 2, (TOP + low) / 2), (right, TOP), (LEFT, low)]
    assert [pytest.approx(c, abs=0.2) for c in expected] == centres
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"a < b, ours", "a < b, reference", "candidates", "steps & more", "100", "1,000", "10,000"} <= set(words)
