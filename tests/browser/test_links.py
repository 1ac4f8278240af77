"""Links to a page within the app, opened in a real browser before the first page was visited."""

from __future__ import annotations

import pytest

from core.paths import PROJECT

pytestmark = pytest.mark.browser

LIMIT_MS = 60_000
PAGES = [
    "Design",
    "Run",
    "Results",
    "Past runs",
    "Campaigns",
    "Library",
    "Predict",
    "Structures",
    "Generate",
    "Learn",
    "Models",
    "Benchmarks",
]


@pytest.mark.parametrize(("name", "title"), [("benchmarks", "Benchmarks"), ("predict?formula=MgB2", "Predict")])
def test_a_link_opens_its_page_on_a_fresh_server(chromium, serve, tmp_path, name, title):
    # A server of its own: Streamlit decides once per server where its pages are.
    url = serve(PROJECT / "app" / "main.py", {"TC_STUDIO_RUNS": str(tmp_path), "OMP_NUM_THREADS": "1"})
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(LIMIT_MS)
    try:
        for visit in (lambda: page.goto(f"{url}/{name}"), page.reload):
            visit()
            page.get_by_role("heading", name=title, exact=True).wait_for()
            links = page.get_by_test_id("stTopNavLink")
            links.filter(has_text=PAGES[-1]).wait_for()
            assert [text.strip() for text in links.all_inner_texts()] == PAGES
            style = "getComputedStyle(document.querySelector('.stApp')).getPropertyValue('--accent')"
            page.wait_for_function(f"{style} !== ''")  # the style sheet of all pages
    finally:
        page.close()
