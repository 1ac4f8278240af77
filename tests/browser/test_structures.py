"""Crystal structures in a real browser: the canvas shows the atoms, and its buttons and the list change the picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from core.structures.files import read_cif, to_cif
from tests import crystals

pytestmark = pytest.mark.browser

LIMIT_MS = 60_000
HEADER_PX, ROW_PX = 35, 33  # heights in the list, which is drawn on a canvas
RED = (255, 13, 13)  # oxygen


@pytest.fixture
def page(chromium, app_url):
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page.set_default_timeout(LIMIT_MS)
    page.outside = []
    page.on("request", lambda request: page.outside.append(request.url))
    page.goto(f"{app_url}/structures?formula=LaFeAsO")
    page.locator(".stage[data-atoms] canvas").first.wait_for()
    yield page
    page.close()


def picture(page) -> Image.Image:
    """What the button PNG saves."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PNG").click()
    assert waiting.value.suggested_filename.endswith(".png")
    return Image.open(io.BytesIO(waiting.value.path().read_bytes())).convert("RGBA")


def atoms(page, number):
    """Wait until so many atoms are drawn."""
    page.locator(f'.stage[data-atoms="{number}"]').wait_for()


def reddish(image: Image.Image) -> int:
    """Number of pixels in the colour of oxygen, in any brightness."""
    return sum(n for n, (r, g, b, a) in image.getcolors(1 << 24) if a > 200 and r > 90 and g < 0.3 * r and b < 0.3 * r)


def test_a_structure_is_seen_turned_repeated_and_saved(page):
    atoms(page, 23)  # 8 of the cell, and those on the opposite faces
    first = picture(page)
    assert first.width >= 400 and reddish(first) > 200
    page.get_by_role("button", name="c: View along c").click()
    along_c = picture(page)
    assert along_c.tobytes() != first.tobytes()
    page.locator(".stage").focus()
    page.keyboard.press("ArrowLeft")
    assert picture(page).tobytes() != along_c.tobytes()
    page.get_by_role("button", name="2×2×2").click()
    atoms(page, 113)  # O 27 + 12, Fe 18 + 8, La 24, As 24
    rotate = page.get_by_role("button", name="Rotate")
    rotate.click()
    assert rotate.get_attribute("aria-pressed") == "true"
    rotate.click()
    assert rotate.get_attribute("aria-pressed") == "false"
    assert page.locator(".legend .item").all_inner_texts() == ["La", "Fe", "As", "O"]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    own = page.url.split("/structures")[0]
    assert [url for url in page.outside if not url.startswith((own, "data:", f"blob:{own}"))] == []


def test_another_row_is_drawn_and_its_cif_saved(page):
    atoms(page, 23)
    page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": HEADER_PX + 2.5 * ROW_PX})
    page.locator("dl.described dd").get_by_text("R-3m (166)").wait_for()
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CIF", exact=True).click()
    assert waiting.value.suggested_filename.endswith("-3.cif")
    text = waiting.value.path().read_text(encoding="utf-8")
    assert "rank 3" in text.splitlines()[0] and read_cif(text).formula == "LaFeAsO"


def test_a_file_is_drawn(page, tmp_path):
    path = tmp_path / "salt.cif"
    path.write_text(to_cif(crystals.rock_salt("Na", "Cl", 5.64)), encoding="utf-8")
    page.get_by_role("button", name="CIF file").click()
    page.locator('input[type="file"]').set_input_files(path)
    atoms(page, 27)
    assert page.locator(".legend .item").all_inner_texts() == ["Na", "Cl"]
