"""A picture of every page, light and dark, in three widths: python -m tests.browser.screenshots [--out FOLDER]

Prints where a page is wider than its window, and ends with exit code 1 if one is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from core.paths import PROJECT
from tests.browser.accessibility import LIMIT_MS, PAGES, RUNS, settle
from tests.browser.server import APP, BROWSER_OPTIONS, CHROMIUM, running_server

PICTURES = PROJECT / "build" / "screenshots"
WIDTHS, HEIGHT, MOST_HEIGHT = (900, 1280, 1920), 800, 4000  # pixels
_WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
_LENGTH = "document.querySelector('.stMain').scrollHeight"


def picture(page: Page, width: int, path: Path) -> bool:
    """Store the whole page; whether it is wider than the window."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    settle(page)
    wider = page.evaluate(_WIDER)
    page.set_viewport_size({"width": width, "height": min(MOST_HEIGHT, max(HEIGHT, page.evaluate(_LENGTH)))})
    settle(page)
    page.screenshot(path=path)
    return wider


def main() -> int:
    """Take the pictures; the exit code."""
    from tests.browser.example_runs import example_run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=PICTURES, help="folder of the pictures (default: build/screenshots)"
    )
    out = parser.parse_args().out
    for folder in (RUNS, out):
        folder.mkdir(parents=True, exist_ok=True)
    run, too_wide = example_run(RUNS).id, 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(BROWSER_OPTIONS))
        with running_server(APP, Path(folder) / "server.log", {"TC_STUDIO_RUNS": str(RUNS)}) as url:
            page = browser.new_page()
            page.set_default_timeout(LIMIT_MS)
            for path in PAGES:
                name = path.format(run="").split("&")[0].replace("?", "-").replace("=", "-").strip("-") or "design"
                page.goto(f"{url}/{path.format(run=run)}")
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    for width in WIDTHS:
                        if picture(page, width, out / f"{name}-{scheme}-{width}.png"):
                            too_wide += 1
                            print(f"{name} is wider than {width} pixels ({scheme})", flush=True)
                print(name, flush=True)
        browser.close()
    print(f"pictures in {out}")
    return int(too_wide > 0)


if __name__ == "__main__":
    sys.exit(main())
