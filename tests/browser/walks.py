"""Three users in a real browser: python -m tests.browser.walks [design] [generate] [teach] [--out FOLDER]

design : a chemist makes three designs, each from a candidate of the one before, and compares the candidates
generate : a chemist makes crystals of three elements, has them screened, and looks at one on its way from noise
teach : a teacher goes through the lesson in presentation mode by the arrow keys, and plays with what moves

Prints how long each step took, and stores a picture after each. Fails where the page does not show what the user
expects.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect, sync_playwright

from core.paths import PROJECT
from tests.browser.server import APP, BROWSER_OPTIONS, CHROMIUM, running_server

PICTURES = PROJECT / "build" / "walks"
AT_STEP = re.compile(r"Step \d+ of \d+")
LIMIT_MS, RUN_LIMIT_MS, SCREENING_LIMIT_MS = 60_000, 240_000, 600_000
SETTLED_MS = 600  # for pictures
DESIGNS = 3
HEADER_PX, ROW_PX = 35, 35  # heights in the table of candidates, which is drawn on a canvas


@dataclass
class Walk:
    """A user's way: each step is timed, and its end is stored as a picture."""

    page: Page
    folder: Path
    began: float = field(default_factory=time.monotonic)
    steps: int = 0

    def step(self, what: str, act: Callable[[], None]) -> None:
        """Do something, print how long it took, and take a picture."""
        start = time.monotonic()
        act()
        now = time.monotonic()
        self.steps += 1
        print(f"{now - self.began:7.1f} s  (+{now - start:5.1f})  {what}", flush=True)
        self.page.wait_for_timeout(SETTLED_MS)
        name = re.sub(r"\W+", "-", what).strip("-").lower()[:60]
        self.page.screenshot(path=self.folder / f"{self.steps:02}-{name}.png")


def design(walk: Walk, url: str) -> None:
    """Three designs in a row, with lineage and comparison."""
    page = walk.page
    walk.step("open the design page", lambda: (page.goto(url), page.locator('button[data-symbol="Og"]').wait_for()))
    for number in range(1, DESIGNS + 1):
        walk.step(f"design {number}: Run, and see the results", lambda: run_to_results(page))
        walk.step("read the first candidate", lambda: choose_row(page, 0))
        walk.step("put it beside the others", lambda: press(page, "Compare"))
        if number < DESIGNS:
            walk.step("use it as the new base", lambda: press(page, "Use as new base"))
            page.locator('button[data-symbol="Og"]').wait_for()
    lineage = page.locator(".st-key-lineage")
    expect(lineage.get_by_role("link")).to_have_count(DESIGNS - 1)
    walk.step("see where the base comes from", lineage.scroll_into_view_if_needed)
    compared = page.locator(".compare").first
    expect(compared.locator("thead th")).to_have_count(DESIGNS + 1)
    walk.step("compare the candidates of all runs", compared.scroll_into_view_if_needed)
    way_back = lineage.get_by_role("link").first
    run = parse_qs(urlsplit(way_back.get_attribute("href") or "").query)["run"][0]
    walk.step("go back to the first run by the lineage", way_back.click)
    page.wait_for_url(re.compile(f"run={re.escape(run)}.*candidate="))  # so that a reload stays there


def run_to_results(page: Page) -> None:
    """Press Run, wait for the end, and open the results."""
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/run\?run="))
    results = page.get_by_role("button", name="See results")
    results.wait_for(timeout=RUN_LIMIT_MS)
    results.click()
    page.get_by_text(re.compile("Screening")).first.wait_for()
    page.locator(".js-plotly-plot").first.wait_for()


def choose_row(page: Page, row: int) -> None:
    """Click a row of the table of candidates, from the top, and wait for its card."""
    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 18, "y": HEADER_PX + (row + 0.5) * ROW_PX})
    page.get_by_role("button", name="Use as new base").wait_for()


def press(page: Page, label: str) -> None:
    """Click a button."""
    page.get_by_role("button", name=label, exact=True).first.click()


def generate(walk: Walk, url: str) -> None:
    """Crystals of niobium, titanium and carbon, screened."""
    page = walk.page
    start = page.get_by_role("button", name="Generate", exact=True)
    walk.step("open Generate", lambda: (page.goto(f"{url}/generate"), start.wait_for()))
    walk.step("forbid all elements", lambda: press(page, "Forbid all"))
    expect(start).to_be_disabled()
    for symbol in ("Nb", "Ti", "C"):
        walk.step(f"allow {symbol}", lambda symbol=symbol: allow(page, symbol))
    walk.step("ask for 16", lambda: select(page, "Crystals", "16"))
    expect(page.get_by_text("Without a graphics card")).to_be_visible()
    walk.step("Generate, and see the first crystals", lambda: (start.click(), first_crystals(page)))
    walk.step("wait for the screening", lambda: finished(page))
    walk.step("see it on its way from noise", lambda: page.get_by_role("radio", name="From noise").click())
    page.get_by_role("button", name="Play").wait_for()
    walk.step("play", lambda: page.get_by_role("button", name="Play").click())


def allow(page: Page, symbol: str) -> None:
    """A click on a forbidden element."""
    tile = page.locator(f'button[data-symbol="{symbol}"]')
    expect(tile).to_have_attribute("data-state", "forbidden")
    tile.click()
    expect(tile).to_have_attribute("data-state", "allowed")


def select(page: Page, field: str, option: str) -> None:
    """Choose in a menu."""
    page.get_by_role("combobox", name=field).click()
    page.get_by_role("option", name=option, exact=True).click()
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()


def first_crystals(page: Page) -> None:
    """Wait until the list has crystals."""
    page.get_by_test_id("stDataFrame").first.wait_for(timeout=RUN_LIMIT_MS)


def finished(page: Page) -> None:
    """Wait until all crystals are screened."""
    page.get_by_text("16 of 16 crystals screened").wait_for(timeout=SCREENING_LIMIT_MS)
    page.get_by_role("status").get_by_text("Finished").wait_for()


def teach(walk: Walk, url: str) -> None:
    """The lesson, in large type, by the arrow keys."""
    page = walk.page
    present = page.get_by_role("button", name="Present")
    walk.step("open Learn", lambda: (page.goto(f"{url}/learn"), present.wait_for()))
    walk.step("present", lambda: (present.click(), at_step(page, 1)))
    last = int((page.get_by_text(AT_STEP).inner_text()).split(":")[0].split()[-1])
    for number in range(2, last + 1):
        walk.step(f"next, step {number}", lambda number=number: next_step(page, number))
        name = parse_qs(urlsplit(page.url).query)["step"][0]
        if name in PLAYED:
            walk.step(f"play with {name}", lambda name=name: PLAYED[name](page))
    walk.step("leave", lambda: page.get_by_role("button", name="Leave").click())
    present.wait_for()


def at_step(page: Page, number: int) -> None:
    """Wait until this step is complete."""
    page.get_by_text(re.compile(f"Step {number} of")).wait_for()
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()


def next_step(page: Page, number: int) -> None:
    """The right arrow key."""
    page.keyboard.press("ArrowRight")
    at_step(page, number)


def forbid_oxygen(page: Page) -> None:
    """A click on oxygen, which the example forbids: the mask changes."""
    tile = page.locator('button[data-symbol="O"]')
    before = tile.get_attribute("data-state")
    tile.click()
    expect(tile).not_to_have_attribute("data-state", before or "")


def start_elsewhere(page: Page) -> None:
    """A click on the map of Tc: the path begins there, with another Tc."""
    tc = page.locator(".st-key-learn_step_climbing").get_by_text(re.compile("→ .* K")).first
    before = tc.inner_text()
    box = page.locator(".st-key-learn_step_climbing .nsewdrag").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.8 * box["height"])
    expect(tc).not_to_have_text(before)


def play_stages(page: Page) -> None:
    """The animation of the stages."""
    before = bars(page)
    page.locator(".st-key-learn_step_stages .updatemenu-button").first.click()
    page.wait_for_timeout(1500)
    assert bars(page) != before, "the bars do not move"


def bars(page: Page) -> list[str]:
    """The shapes of the bars on the chart of the stages."""
    paths = page.locator(".st-key-learn_step_stages .bars .point path")
    return paths.evaluate_all("all => all.map((each) => each.getAttribute('d'))")


PLAYED: dict[str, Callable[[Page], None]] = {
    "constraints": forbid_oxygen,
    "climbing": start_elsewhere,
    "stages": play_stages,
}
WALKS = {"design": design, "generate": generate, "teach": teach}


def main() -> None:
    """Walk, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walks", nargs="*", default=list(WALKS), help="which ones (default: all)")
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder of the pictures (default: build/walks)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as runs, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(BROWSER_OPTIONS))
        with running_server(APP, Path(runs) / "server.log", {"TC_STUDIO_RUNS": runs}) as url:
            for name in chosen.walks:
                folder = chosen.out / name
                folder.mkdir(parents=True, exist_ok=True)
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.set_default_timeout(LIMIT_MS)
                print(f"\n{name}: {' '.join((WALKS[name].__doc__ or '').split())}")
                walk = Walk(page, folder)
                WALKS[name](walk, url)
                print(f"{time.monotonic() - walk.began:7.1f} s in all; pictures in {folder}")
        browser.close()


if __name__ == "__main__":
    main()
