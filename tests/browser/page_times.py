"""How long a user waits, in a real browser: python -m tests.browser.page_times [--repeats N]

Prints the median of each wait in seconds beside its limit, which holds for an idle machine of two cores. Every wait
ends when the part of the page that the user waits for changes no more, and the server has finished:

- tile to summary: a click on the periodic table, till the summary of the design page is right
- row to card: a click on a row of the results, till the card shows that candidate
- page to page: a click on a link of the head, till the other page is complete
- Run to first candidates: a click on Run of the default design, till the run page has screened formulas
- Run to finished: the same, till the results can be opened
- first visit: of a browser that was never here, on a server that has shown the page (warm) or just started (cold)
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from core.paths import PROJECT
from tests.browser.example_runs import example_run
from tests.browser.server import APP, CHROMIUM, running_server

RUNS = PROJECT / "build" / "page_times"
TILE, ROW, PAGE, WARM, COLD = "tile to summary", "row to card", "page to page", "first visit, warm", "first visit, cold"
FIRST, DONE = "Run to first candidates", "Run to finished"
LIMITS_S = {TILE: 0.4, ROW: 0.7, PAGE: 0.8, WARM: 3.0, COLD: 6.0, FIRST: 3.0, DONE: 30.0}
PAGES = ("Results", "Past runs", "Library", "Predict", "Models", "Benchmarks", "Design")
SUMMARY, CARD, MAIN = ".st-key-summary", ".st-key-candidate", ".stMainBlockContainer"
HEADER_PX, ROW_PX = 35, 35  # heights in the table of candidates, which is drawn on a canvas
OPTIONS = ("--no-sandbox", "--disable-gpu")  # as without a graphics card; emulated 3D draws every frame more slowly
QUIET_MS = 500  # without a change: the page is complete
LIMIT_MS = 120_000

# watch(part): from now on, note when the text of this part changes, or the number of its charts and of tiles. The wait
# begins with the navigation, or with the press of the mouse after `watch`.
WATCH = """
(() => {
    let part, began, changed, finished, seen;
    const tiles = () => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
        .map((host) => host.shadowRoot?.querySelectorAll("button.tile").length ?? 0).join();
    const snapshot = () => {
        const found = document.querySelector(part);
        return found ? [found.textContent, tiles(), found.querySelectorAll("canvas, .main-svg").length].join() : "";
    };
    const look = () => {
        const now = performance.now(), idle = document.querySelector('.stApp[data-test-script-state="notRunning"]');
        const found = snapshot();
        if (found !== seen) [seen, changed] = [found, now];
        if (!idle) finished = 0;
        else if (!finished) finished = now;
    };
    window.watch = (selector) => {
        part = selector;
        [began, changed, finished, seen] = [0, 0, 0, snapshot()];
    };
    window.waited = (quiet) => finished && changed > began && performance.now() - Math.max(finished, changed) > quiet
        ? (changed - began) / 1000 : null;
    watch(".stMainBlockContainer");
    setInterval(look, 8);
    addEventListener("pointerdown", (event) => { began = event.timeStamp; }, true);
})()
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each wait (default: 5)")
    repeats = parser.parse_args().repeats
    RUNS.mkdir(parents=True, exist_ok=True)
    run = example_run(RUNS)
    waits: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        for _ in range(max(1, repeats // 2)):
            with server() as url:
                waits.setdefault(COLD, []).append(first_visit(browser, url))
        with server() as url:
            first_visit(browser, url)
            waits[WARM] = [first_visit(browser, url) for _ in range(repeats)]
            waits[TILE] = tile_to_summary(browser, url, repeats)
            waits[ROW] = row_to_card(browser, f"{url}/results?run={run.id}", repeats)
            waits |= page_to_page(browser, f"{url}/results?run={run.id}", repeats)
            waits[FIRST], waits[DONE] = run_waits(browser, url, max(1, repeats // 2))
        browser.close()
    print_table(waits)


def print_table(waits: dict[str, list[float]]) -> None:
    """One line for each wait: median, range, limit."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f}. Seconds:\n\n{'wait':28}{'median':>8}{'range':>16}{'limit':>8}")
    for name, seconds in waits.items():
        limit = LIMITS_S.get(name.split(":")[0])
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"{name:28}{statistics.median(seconds):8.2f}{spread:>16}{limit or '':>8}")


@contextmanager
def server() -> Iterator[str]:
    """The address of a server of the app that was just started, with the example run."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(APP, Path(folder) / "server.log", {"TC_STUDIO_RUNS": str(RUNS)}) as url,
    ):
        yield url


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """A page in a browser without cache, cookies or storage."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        page.add_init_script(WATCH)
        page.goto(url)
        yield page
    finally:
        context.close()


def first_visit(browser: Browser, url: str) -> float:
    """Seconds till the design page is complete."""
    with opened(browser, url) as page:
        return finished(page)


def waited(page: Page, part: str, act: Callable[[], None]) -> float:
    """Seconds from the press of the mouse till this part of the page is complete."""
    page.evaluate("(part) => watch(part)", part)
    act()
    return finished(page)


def finished(page: Page) -> float:
    return page.wait_for_function(f"() => window.waited({QUIET_MS})").json_value()


def tile_to_summary(browser: Browser, url: str, repeats: int) -> list[float]:
    """A tile is forbidden, fixed, allowed."""
    with opened(browser, url) as page:
        tile = page.locator('button[data-symbol="S"]')
        finished(page)
        return [waited(page, SUMMARY, tile.click) for _ in range(3 * repeats)]


def row_to_card(browser: Browser, url: str, repeats: int) -> list[float]:
    """Rows from the top."""
    with opened(browser, url) as page:
        table = page.get_by_test_id("stDataFrame").first
        finished(page)
        rows = [1 + number % 6 for number in range(1, repeats + 1)]
        click = lambda row: table.click(position={"x": 18, "y": HEADER_PX + (row + 0.5) * ROW_PX})  # noqa: E731
        return [waited(page, CARD, lambda row=row: click(row)) for row in rows]


def run_waits(browser: Browser, url: str, repeats: int) -> tuple[list[float], list[float]]:
    """Seconds from the press of Run to the first candidates, and to the end of the run."""
    first, done = [], []
    for _ in range(repeats):
        with opened(browser, url) as page:
            finished(page)
            button = page.get_by_role("button", name="Run", exact=True)
            began = time.monotonic()
            button.click()
            page.get_by_role("columnheader", name="Above the base (K)").wait_for()
            first.append(time.monotonic() - began)
            page.get_by_role("button", name="See results").wait_for()
            done.append(time.monotonic() - began)
    return first, done


def page_to_page(browser: Browser, url: str, repeats: int) -> dict[str, list[float]]:
    """Every page in turn, after a first round."""
    times: dict[str, list[float]] = {PAGE: []}
    with opened(browser, url) as page:
        finished(page)
        for turn in range(repeats + 1):
            for name in PAGES if turn else (*PAGES[1:], "Results", *PAGES[1:]):
                link = page.get_by_test_id("stTopNavLink").filter(has_text=name)
                seconds = waited(page, MAIN, link.click)
                if turn:
                    times[PAGE].append(seconds)
                    times.setdefault(f"{PAGE}: {name}", []).append(seconds)
    return times


if __name__ == "__main__":
    main()
