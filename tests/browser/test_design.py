"""A whole design in a real browser: design page, clicks, Run, results, and the CSV file."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest

from core.chemistry.formula_reader import parse_formula
from core.evaluation.columns import COLUMNS
from core.predictors.registry import BEST, load_predictor

pytestmark = pytest.mark.browser

LIMIT_MS = 60_000
RUN_LIMIT_MS = 240_000
CANDIDATES, STEPS = 40, (25, 25)


@pytest.fixture
def page(chromium, app_url):
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page.set_default_timeout(LIMIT_MS)
    page.goto(app_url)
    page.locator('button[data-symbol="Og"]').wait_for()
    yield page
    page.close()


def tile_becomes(page, symbol, state):
    """Click a tile until it shows this state."""
    tile = page.locator(f'button[data-symbol="{symbol}"]')
    for _ in range(4):
        if tile.get_attribute("data-state") == state:
            return
        tile.click()
    assert tile.get_attribute("data-state") == state


def choose_method(page, label, field):
    """Click a method until a field that it reads can be filled: a click while the settings open may be lost."""
    number = page.get_by_label(field, exact=True)
    for _ in range(4):
        page.get_by_role("radio", name=label).click()
        for _ in range(100):
            # While the settings of the other method go, both of their fields are on the page.
            if number.count() == 1 and number.first.is_enabled():
                return
            page.wait_for_timeout(100)
    raise AssertionError(f"{label} was not chosen")


def fill_number(page, label, value):
    """Type into a number field, and leave it."""
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Tab")


def wait_for_text(page, text):
    """Wait until the page shows text that matches this pattern."""
    page.get_by_text(re.compile(text)).first.wait_for()


def no_sideways_scrolling(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_design_from_the_first_page_to_the_csv(page):
    # Iron fixed, arsenic and mercury forbidden; few candidates and steps, so that the test is quick.
    tile_becomes(page, "Fe", "fixed")
    tile_becomes(page, "As", "forbidden")
    tile_becomes(page, "Hg", "forbidden")
    wait_for_text(page, r"sum of xconst = 0\.25")
    page.get_by_text("Settings", exact=False).first.click()
    choose_method(page, "By gradient (KIAGO)", "Candidates")
    fill_number(page, "Candidates", CANDIDATES)
    fill_number(page, "Steps, stage 1", STEPS[0])
    fill_number(page, "Steps, stage 2", STEPS[1])
    wait_for_text(page, f"{CANDIDATES} candidates × {sum(STEPS)} steps")
    assert no_sideways_scrolling(page)
    page.get_by_role("button", name="Run", exact=True).click()

    # The run: charts are drawn, and a reload shows the same run.
    page.wait_for_url(re.compile(r"/run\?run="))
    wait_for_text(page, "of LaFeAsO")  # clicks on a page that is still loading change nothing else
    page.locator(".js-plotly-plot").nth(2).wait_for()
    page.reload()
    wait_for_text(page, "Best five")
    assert no_sideways_scrolling(page)
    results = page.get_by_role("button", name="See results")
    results.wait_for(timeout=RUN_LIMIT_MS)
    results.click()

    # The results, and the file.
    wait_for_text(page, "Screening")
    page.locator(".js-plotly-plot").first.wait_for()
    assert no_sideways_scrolling(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="All candidates (CSV)").click()
    assert waiting.value.suggested_filename.endswith(".csv")
    content = waiting.value.path().read_bytes()
    table = pd.read_csv(io.BytesIO(content))
    assert [c.name for c in COLUMNS] == list(table.columns)
    assert 1 < len(table) <= CANDIDATES
    _meets_the_constraints(table)
    _has_the_predictions_of_the_model(table)
    best = table[table["passes"]].iloc[0]
    shown = page.locator('[data-testid="stMetric"]').filter(has_text="Best candidate").inner_text()
    assert f"{best['tc_K']:.1f} ± {best['tc_std_K']:.1f} K" in shown


def _meets_the_constraints(table):
    for formula in table["formula"]:
        amounts = parse_formula(formula)
        assert not {"As", "Hg", "He", "Tc"} & set(amounts), formula
        assert amounts["Fe"] / sum(amounts.values()) == pytest.approx(0.25, rel=0.011), formula
        assert sum(amounts.values()) <= 25 and len(amounts) <= 7, formula
        assert all(amount == int(amount) for amount in amounts.values()), formula


def _has_the_predictions_of_the_model(table):
    import torch

    from core.chemistry.composition import composition_vector

    rows = torch.stack([torch.tensor(composition_vector(parse_formula(f))).float() for f in table["formula"]])
    with torch.no_grad():
        tc = load_predictor(BEST.tc)(rows).numpy()
    assert table["tc_K"].to_numpy() == pytest.approx(tc, abs=0.01)


def test_a_proposal_and_a_member_of_a_series_become_the_base(page):
    base = page.get_by_role("combobox", name="Base material")
    base.fill("YBa2Cu3O7-d")
    base.press("Enter")
    page.get_by_role("button", name="Use YBa2Cu3O7").click()
    wait_for_text(page, "median of")
    base.fill("La2-xSrxCuO4, x = 0..0.3 in 4 steps")
    base.press("Enter")
    page.locator(".js-plotly-plot").wait_for()
    page.get_by_role("combobox", name="Member of the series as base").click()
    page.get_by_role("option", name="La1.9Sr0.1CuO4").click()
    page.locator(".parsed", has_text="La1.9Sr0.1CuO4").wait_for()
