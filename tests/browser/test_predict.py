"""The page Predict in a real browser: a link, a proposal, a row that is selected, and the CSV file."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

LIMIT_MS = 60_000
HEADER_PX, ROW_PX = 35, 35  # heights in the table, which is drawn on a canvas


@pytest.fixture
def page(chromium, app_url):
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{app_url}/predict?formula=MgB2&formula=YBCO")
    yield page
    page.close()


def test_formulas_of_a_link_are_predicted_and_a_proposal_is_one_click_away(page):
    card = page.locator(".candidate-name")
    card.filter(has_text="MgB2").wait_for()
    page.get_by_role("button", name="Read as YBa2Cu3O7").click()
    page.get_by_text("this is a nickname").wait_for(state="detached")
    assert page.get_by_role("textbox", name="Formulas").input_value() == "MgB2\nYBa2Cu3O7"
    page.wait_for_url("**formula=YBa2Cu3O7*")
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()  # the new table has replaced the old one
    page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": HEADER_PX + 1.5 * ROW_PX})
    card.filter(has_text="YBa2Cu3O7").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="All 2 rows (CSV)").click()
    lines = waiting.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("formula,read_as,tc_K") and [line.split(",")[0] for line in lines[1:]] == [
        "MgB2", "YBa2Cu3O7"
    ]  # fmt: skip
