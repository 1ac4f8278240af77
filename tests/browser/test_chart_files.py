"""The files of a chart in a real browser: a picture on white whatever the theme, and the data as CSV."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import pytest

from core.predictors.checkpoint import read_card

pytestmark = pytest.mark.browser

LIMIT_MS = 60_000


@pytest.fixture
def chart(chromium, app_url):
    """The first chart of the page Models in the dark theme, under the pointer."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark", accept_downloads=True)
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{app_url}/models")
    found = page.locator(".js-plotly-plot").first
    found.wait_for()
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    found.hover()
    yield found
    page.close()


def saved(chart, label: str):
    with chart.page.expect_download() as waiting:
        chart.locator(".chart-file", has_text=label).click()
    assert waiting.value.suggested_filename.endswith(f".{label.lower()}")
    return waiting.value.path()


def test_a_chart_is_saved_as_a_picture_for_paper_and_as_data(chart):
    drawn = json.dumps(chart.evaluate("chart => chart.layout"))
    picture = ElementTree.parse(saved(chart, "SVG"))
    text = " ".join(node.text or "" for node in picture.iter("{http://www.w3.org/2000/svg}tspan")) + " ".join(
        node.text or "" for node in picture.iter("{http://www.w3.org/2000/svg}text")
    )
    background, *styles = [style for node in picture.iter() if (style := node.get("style"))]
    assert "Error by distance to the training data" in text and "Tc Studio" in text
    assert "fill: rgb(255, 255, 255)" in background and any("fill: rgb(27, 33, 31)" in each for each in styles)
    assert saved(chart, "PNG").read_bytes().startswith(b"\x89PNG")
    with saved(chart, "CSV").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups = read_card("tc-ensemble")["metrics_held_out"]["by_distance_to_training"]
    found = {row["group"]: float(row["MAE (K)"]) for row in rows}
    assert found == pytest.approx({name: each["tc_mae_K"] for name, each in groups.items()}, rel=1e-6)
    assert json.dumps(chart.evaluate("chart => chart.layout")) == drawn  # nothing on the page has changed
