"""What axe-core finds on every page, light and dark: python -m tests.browser.accessibility

Prints two lists: findings of the app, and those in the markup of Streamlit's own widgets, which the app cannot change.
Ends with exit code 1 if one of the app's is serious or critical.

axe-core (MPL-2.0) is in the package axe-playwright-python (MIT), which only tests need.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from core.paths import PROJECT
from tests.browser.server import APP, BROWSER_OPTIONS, CHROMIUM, running_server

RUNS = PROJECT / "build" / "page_times"
LIMIT_MS = 120_000
QUIET_MS = 1500  # without a running script: the page is complete
SERIOUS = ("serious", "critical")
PAGES = (
    "", "run?run={run}", "results?run={run}", "runs", "campaigns", "campaigns?new=1", "library",
    "predict?formula=MgB2&formula=YBCO", "structures?formula=MgB2", "generate", "learn",
    "models", "benchmarks",
)  # fmt: skip
# Of what the app chooses itself, wherever it stands: colours, headings, the names of buttons and pictures.
OUR_RULES = ("color-contrast", "heading-order", "link-in-text-block", "button-name", "link-name", "image-alt", "label",
             "page-has-heading-one", "empty-heading")  # fmt: skip
# Of other rules, only what stands in HTML or in a component of the app.
OUR_MARKUP = ".stHtml, [data-testid=stBidiComponentIsolated], [data-testid=stBidiComponentRegular]"
_RUN_AXE = """async (ours) => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const markup = ([first]) => document.querySelector([first].flat()[0])?.closest(ours) !== null;
    return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ target, html }) => ({
        rule: id, impact, target: target.flat().join(" "), html: html.slice(0, 160), in_our_markup: markup(target),
    })));
}"""


@dataclass(frozen=True)
class Finding:
    """One element that breaks one rule.

    rule : of axe; impact : minor, moderate, serious or critical; target : its selector; html : its beginning
    in_our_markup : whether it stands in HTML or a component of the app
    """

    rule: str
    impact: str
    target: str
    html: str
    in_our_markup: bool

    @property
    def ours(self) -> bool:
        """Whether the app can correct it."""
        return self.in_our_markup or self.rule in OUR_RULES

    @property
    def stops(self) -> bool:
        """Whether it is serious and the app can correct it."""
        return self.ours and self.impact in SERIOUS


def axe_source() -> str | None:
    """The text of axe-core; None where its package is not installed."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        return None
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


def findings(page: Page, source: str) -> list[Finding]:
    """What axe finds on the page as it is. source : see `axe_source`"""
    page.evaluate(f"() => {{ {source} }}")
    return [Finding(**found) for found in page.evaluate(_RUN_AXE, OUR_MARKUP)]


def settle(page: Page) -> None:
    """Wait until the script of the page has ended for some time."""
    idle = page.locator('.stApp[data-test-script-state="notRunning"]')
    for _ in range(3):
        idle.wait_for()
        page.wait_for_timeout(QUIET_MS / 3)


def main() -> int:
    """Look at every page; the exit code."""
    from tests.browser.example_runs import example_run

    source = axe_source()
    if source is None:
        print("axe-core is missing: pip install -r requirements.txt", file=sys.stderr)
        return 2
    RUNS.mkdir(parents=True, exist_ok=True)
    run = example_run(RUNS).id
    counted: dict[bool, Counter[tuple[str, str, str, str]]] = {True: Counter(), False: Counter()}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(BROWSER_OPTIONS))
        with running_server(APP, Path(folder) / "server.log", {"TC_STUDIO_RUNS": str(RUNS)}) as url:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(LIMIT_MS)
            for path in PAGES:
                page.goto(f"{url}/{path.format(run=run)}")
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    settle(page)
                    found = findings(page, source)
                    for each in found:
                        counted[each.ours][each.impact, each.rule, f"{path or 'design'} ({scheme})", each.html] += 1
                    print(f"{path or 'design'} ({scheme}): {sum(each.stops for each in found)} serious", flush=True)
        browser.close()
    for ours, heading in ((True, "Of the app"), (False, "Of Streamlit's own markup")):
        print(f"\n{heading}:")
        for (impact, rule, where, html), number in sorted(counted[ours].items()):
            print(f"  {impact:9} {rule:28} {where:40} {number} x {html}")
    return int(any(impact in SERIOUS for impact, *_ in counted[True]))


if __name__ == "__main__":
    sys.exit(main())
