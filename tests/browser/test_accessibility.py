"""What axe-core finds on the design page; `python -m tests.browser.accessibility` looks at every page."""

from __future__ import annotations

import pytest

from tests.browser.accessibility import LIMIT_MS, axe_source, findings, settle

pytestmark = pytest.mark.browser


def test_axe_finds_nothing_serious_on_the_design_page(chromium, app_url):
    source = axe_source()
    if source is None:
        pytest.skip("axe-playwright-python is not installed")
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    try:
        page.set_default_timeout(LIMIT_MS)
        page.goto(app_url)
        page.locator(".st-key-summary dl").wait_for()
        settle(page)
        assert [each for each in findings(page, source) if each.stops] == []
        moving = "[...document.querySelectorAll('.stApp *')].filter((each) => parseFloat(getComputedStyle(each)"
        assert page.evaluate(f"{moving}.transitionDuration) > 0.001).length") == 0
    finally:
        page.close()
