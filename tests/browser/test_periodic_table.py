"""The periodic table in a real browser: clicks, keys, focus, races with the server, size."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.chemistry import elements

pytestmark = pytest.mark.browser

DEMO = Path(__file__).with_name("periodic_table_demo.py")
PRESET_FORBIDDEN, PRESET_FIXED = ["Cd", "Hg", "Pb", "Tl"], {"Cu": 1, "O": 4}
SLOW_S = 0.7
LIMIT_MS = 20_000

# Every message of the server reaches the page 1.5 s late.
DELAYED_ANSWERS = """
    const late = (listener) => (event) => setTimeout(() => listener(event), 1500);
    const add = WebSocket.prototype.addEventListener;
    WebSocket.prototype.addEventListener = function (type, listener, ...rest) {
        return add.call(this, type, type === 'message' ? late(listener) : listener, ...rest);
    };
    const {set} = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
    Object.defineProperty(WebSocket.prototype, 'onmessage', {
        set(listener) { set.call(this, listener && late(listener)); },
    });
"""


@pytest.fixture(scope="module")
def url(serve):
    return serve(DEMO)


@pytest.fixture(scope="module")
def slow_url(serve):
    """A page that works for SLOW_S before it draws the table."""
    return serve(DEMO, {"DEMO_DELAY_S": str(SLOW_S)})


class Page:
    """The demo page, with the actions of a user."""

    def __init__(self, page):
        self.page = page
        self.focus_css = "() => { let a = document.activeElement; while (a?.shadowRoot) a = a.shadowRoot"
        self.focus_css += ".activeElement; return a?.dataset?.symbol ?? a?.dataset?.line ?? a?.ariaLabel }"

    def tile(self, symbol):
        return self.page.locator(f'button[data-symbol="{symbol}"]')

    def line(self, name):
        return self.page.locator(f'button[data-line="{name}"]')

    def shown(self, symbol):
        return self.tile(symbol).get_attribute("data-state")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def find(self):
        return self.page.get_by_label("Find element by symbol or name")

    @property
    def amount(self):
        return self.page.locator("input.amount")

    def focused(self):
        return self.page.evaluate(self.focus_css)

    def text(self, word):
        return self.page.locator('[data-testid="stText"]').filter(has_text=re.compile(f"^{word} ")).inner_text()

    def state(self):
        """The state that Python returned, as printed by the page."""
        return json.loads(self.text("STATE").removeprefix("STATE "))

    def runs(self):
        return int(self.text("RUNS").removeprefix("RUNS "))

    def wait_for(self, forbidden=(), fixed=None, substituted=()):
        """Until Python has returned this state and the tiles show it."""
        wanted = {"forbidden": sorted(forbidden), "fixed": fixed or {}, "substituted": sorted(substituted)}
        names = {name: sorted(symbols) for name, symbols in wanted.items()}
        self.wait_until(lambda: self.state() == wanted, lambda: f"{self.state()} is not {wanted}")
        self.wait_until(lambda: self.drawn() == names, lambda: f"{self.drawn()} is not {names}")

    def drawn(self):
        """State -> symbols of the tiles that show it."""
        pairs = self.page.locator("button[data-symbol]").evaluate_all(
            "tiles => tiles.map(tile => [tile.dataset.symbol, tile.dataset.state])"
        )
        states = ("forbidden", "fixed", "substituted")
        return {name: sorted(symbol for symbol, state in pairs if state == name) for name in states}

    def wait_until(self, holds, complaint=lambda: "the condition was never met"):
        for _ in range(LIMIT_MS // 50):
            if holds():
                return
            self.page.wait_for_timeout(50)
        pytest.fail(complaint())

    def button(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def rerun(self):
        """Have the server run once more, and wait until it has."""
        before = self.runs()
        self.button("Just rerun")
        self.wait_until(lambda: self.runs() > before)


@pytest.fixture(scope="module")
def context(chromium):
    """Tabs of one context load the scripts of Streamlit once; nothing else of theirs is kept."""
    with chromium.new_context() as context:
        yield context


@pytest.fixture
def open_page(context):
    pages = []

    def start(address, width=1280, scheme="light", init=None):
        page = context.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.set_default_timeout(LIMIT_MS)
        if init:
            page.add_init_script(init)
        page.goto(address)
        page.wait_for_selector('button[data-symbol="Og"]', timeout=60_000)
        page.get_by_text("RUNS 1", exact=True).wait_for()
        return Page(page)

    yield start
    for page in pages:
        page.close()


@pytest.fixture
def table(open_page, url):
    return open_page(url)


def test_all_elements_are_buttons_with_number_symbol_count_and_a_label(table):
    assert table.page.locator("button[data-symbol]").count() == 118
    assert re.split(r"\s+", table.tile("Fe").inner_text().strip())[:2] == ["26", "Fe"]
    label = table.tile("Fe").get_attribute("aria-label")
    assert re.fullmatch(r"Iron \(Fe\), allowed, in [\d,]+ training compositions", label)


def test_clicks_cycle_through_the_states_and_shift_goes_back(table):
    for expected in ("forbidden", "fixed", "allowed"):
        table.tile("Fe").click()
        assert table.shown("Fe") == expected
    for expected in ("forbidden", "fixed", "substituted", "allowed"):
        table.tile("Cu").click()
        assert table.shown("Cu") == expected
    for expected in ("substituted", "fixed", "forbidden"):
        table.tile("Cu").click(modifiers=["Shift"])
        assert table.shown("Cu") == expected
    assert "(Cu), forbidden, in" in table.tile("Cu").get_attribute("aria-label")
    assert table.focused() == "Cu"
    table.wait_for(forbidden=["Cu"])


def test_enter_and_space_step_on_and_shift_enter_steps_back(table):
    table.tile("Fe").focus()
    for key, expected in [("Enter", "forbidden"), ("Space", "fixed"), ("Shift+Enter", "forbidden")]:
        table.press(key)
        assert table.shown("Fe") == expected
    table.wait_for(forbidden=["Fe"])


def test_an_unavailable_element_gives_its_reason_is_reachable_and_cannot_be_changed(table):
    table.tile("At").focus()
    table.press("ArrowRight", "Enter")
    assert table.focused() == "Rn"
    assert table.shown("Rn") == "unavailable"
    table.tile("Rn").click(force=True)  # Playwright would wait for it to become enabled
    assert table.shown("Rn") == "unavailable"
    assert table.tile("Rn").get_attribute("aria-disabled") == "true"
    assert "the formation-energy model does not know Rn" in table.tile("Rn").get_attribute("aria-label")
    table.rerun()
    table.wait_for()


def click_fast(table, chosen, pause_ms=60):
    """Click at this pace from within the page, and note every change of a tile: each should change once."""
    table.page.evaluate(
        """([chosen, pause]) => {
            const root = document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot;
            window.changes = [];
            new MutationObserver((records) => records.forEach(({target, oldValue}) => {
                if (target.dataset.state !== oldValue) window.changes.push(target.dataset.symbol);
            })).observe(root, {subtree: true, attributeFilter: ['data-state'], attributeOldValue: true});
            chosen.forEach((symbol, number) => setTimeout(
                () => root.querySelector(`[data-symbol=${symbol}]`).click(), number * pause));
        }""",
        [chosen, pause_ms],
    )


def test_five_fast_clicks_are_kept_when_answers_are_late(open_page, url):
    """Every click causes a script run of its own, whose answer arrives after the last click."""
    table = open_page(url, init=DELAYED_ANSWERS)
    chosen = ["Fe", "Co", "Ni", "La", "Se"]
    click_fast(table, chosen, pause_ms=250)
    table.wait_for(forbidden=chosen)
    assert table.page.evaluate("window.changes") == chosen


def test_five_fast_clicks_are_kept_on_a_slow_server(open_page, slow_url):
    table = open_page(slow_url)
    chosen = ["Fe", "Co", "Ni", "La", "Se"]
    click_fast(table, chosen)
    table.wait_for(forbidden=chosen)
    assert table.page.evaluate("window.changes") == chosen


def test_clicks_during_several_runs_of_a_slow_server_are_kept(open_page, slow_url):
    table = open_page(slow_url)
    chosen = ["Fe", "Co", "Ni", "Zn", "Ga", "Ge", "As", "Se"]
    for number, symbol in enumerate(chosen):
        table.tile(symbol).evaluate("tile => tile.click()")
        table.page.wait_for_timeout(150 + 190 * (number % 5))
    table.wait_for(forbidden=chosen)


def test_a_preset_overrides_earlier_clicks_and_the_next_click_starts_from_it(table):
    table.tile("Fe").click()
    table.wait_for(forbidden=["Fe"])
    table.button("Cuprate preset")
    table.wait_for(PRESET_FORBIDDEN, PRESET_FIXED)
    table.tile("Ba").click()
    table.wait_for([*PRESET_FORBIDDEN, "Ba"], PRESET_FIXED)
    table.button("Clear")
    table.wait_for()


def test_a_preset_overrides_a_click_that_python_receives_with_it(open_page, slow_url):
    table = open_page(slow_url)
    table.tile("Fe").click()
    table.button("Cuprate preset")
    table.wait_for(PRESET_FORBIDDEN, PRESET_FIXED)
    table.page.wait_for_timeout(2000 * SLOW_S)
    table.wait_for(PRESET_FORBIDDEN, PRESET_FIXED)


def test_focus_and_half_typed_text_are_kept_in_reruns(table):
    table.tile("Fe").click()
    table.wait_for(forbidden=["Fe"])
    assert table.focused() == "Fe"
    table.press("ArrowRight", "Enter")
    table.wait_for(forbidden=["Co", "Fe"])
    assert table.focused() == "Co"
    table.press("Enter")
    table.amount.fill("0.")
    table.wait_for(forbidden=["Fe"], fixed={"Co": 1})
    assert table.amount.input_value() == "0."
    table.press("2", "Enter")
    table.wait_for(forbidden=["Fe"], fixed={"Co": 0.2})


def test_arrows_skip_empty_places_and_reach_the_f_block_and_the_headers(table):
    steps = [
        ("H", "ArrowRight", "He"),
        ("Be", "ArrowRight", "B"),
        ("Lr", "ArrowDown", "La"),
        ("La", "ArrowUp", "Lr"),
        ("Fr", "ArrowDown", "La"),
        ("Og", "ArrowDown", "Yb"),
        ("Sc", "ArrowUp", "Group 3"),
        ("Fe", "Home", "K"),
        ("Fe", "End", "Kr"),
        ("Gd", "Home", "La"),
        ("Gd", "End", "Yb"),
        ("K", "ArrowLeft", "Period 4"),
        ("Ac", "ArrowLeft", "Actinoids"),
        ("Kr", "ArrowRight", "Kr"),
    ]
    for start, key, end in steps:
        table.tile(start).focus()
        table.press(key)
        assert table.focused() == end, (start, key)


def test_one_tile_is_in_the_tab_order(table):
    table.tile("Fe").focus()
    table.press("ArrowDown")
    stops = table.page.locator('button[data-symbol][tabindex="0"], button[data-line][tabindex="0"]')
    assert stops.evaluate_all("l => l.map(t => t.dataset.symbol)") == ["Ru"]


def test_every_element_can_be_reached_by_arrows(table):
    """From H, breadth first over the four arrows, as the keys would go."""
    reached = table.page.evaluate("""() => {
        const root = document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot;
        const seen = new Set(), queue = [root.querySelector('[data-symbol=H]')];
        while (queue.length) {
            const cell = queue.shift();
            if (seen.has(cell)) continue;
            seen.add(cell);
            for (const key of ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']) {
                cell.focus();
                cell.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, composed: true}));
                queue.push(root.activeElement);
            }
        }
        return seen.size;
    }""")
    assert reached == 118 + 18 + 7 + 2


def test_find_highlights_while_typing_and_jumps_on_enter(table):
    for typed, symbol in [
        ("Fe", "Fe"),
        ("fe", "Fe"),
        ("iro", "Fe"),
        ("ir", "Ir"),
        ("s", "S"),
        ("tungs", "W"),
    ]:
        table.find.press_sequentially(typed)
        assert table.page.locator("button.found").get_attribute("data-symbol") == symbol
        table.press("Enter")
        assert table.focused() == symbol
        assert table.shown(symbol) == "allowed"  # the same Enter does not click the tile
        assert table.find.input_value() == ""


def test_letters_typed_on_a_tile_jump_to_the_symbol_or_name_and_are_no_shortcuts_of_streamlit(table):
    table.tile("H").focus()
    before = table.runs()
    for typed, symbol in [("cr", "Cr"), ("tungs", "W"), ("fe", "Fe"), ("fq", "F")]:
        table.press(*typed)
        assert table.focused() == symbol
        table.page.wait_for_timeout(1050)  # then another symbol begins
    assert table.shown("Fe") == "allowed" and table.runs() == before
    assert table.page.get_by_role("dialog").count() == 0


def test_find_reports_an_unknown_element(table):
    table.find.press_sequentially("Xx")
    assert table.find.get_attribute("aria-invalid") == "true"
    table.page.get_by_text("No such element").wait_for()
    table.press("Enter")
    assert table.find.input_value() == "Xx"
    table.press("Escape")
    assert table.find.input_value() == ""


def test_letters_typed_into_find_are_no_shortcuts_of_streamlit(table):
    before = table.runs()
    table.find.press_sequentially("rc")
    table.page.wait_for_timeout(1500)
    assert table.runs() == before
    assert table.page.get_by_role("dialog").count() == 0
    assert table.find.input_value() == "rc"


def test_an_amount_is_sent_on_enter_and_kept_when_the_element_is_fixed_again(table):
    table.tile("Sr").click()
    table.tile("Sr").click()
    assert table.amount.input_value() == "1"
    table.press("Tab")  # the field follows the tiles in the tab order
    table.amount.fill("0.15")
    table.press("Enter")
    assert table.focused() == "Sr"
    table.wait_for(fixed={"Sr": 0.15})
    assert "×0.15" in table.tile("Sr").inner_text()
    assert "fixed at 0.15 per formula unit" in table.tile("Sr").get_attribute("aria-label")
    table.press("Enter", "Enter", "Enter")
    table.wait_for(fixed={"Sr": 0.15})


def test_an_invalid_amount_is_marked_explained_and_not_sent(table):
    table.tile("Sr").click()
    table.tile("Sr").click()
    table.wait_for(fixed={"Sr": 1})
    for bad in ("", "0", "-1", "much", "1e3", "1,5", "1.2.3", "Infinity"):
        table.amount.fill(bad)
        table.press("Enter")
        assert table.amount.get_attribute("aria-invalid") == "true", bad
        table.page.get_by_text("Write a number above 0, like 1.5; it stays 1").wait_for()
    table.rerun()
    table.wait_for(fixed={"Sr": 1})
    assert table.amount.input_value() == "Infinity"  # the invalid text stays visible
    table.amount.focus()
    table.press("Escape")
    assert table.amount.input_value() == "1"
    assert table.amount.get_attribute("aria-invalid") == "false"
    table.amount.fill("bad")
    table.tile("Ba").click()
    table.tile("Ba").click()
    assert table.amount.input_value() == "1"
    table.wait_for(fixed={"Ba": 1, "Sr": 1})


def test_headers_forbid_allowed_elements_then_allow_forbidden_ones_and_change_no_others(table):
    table.tile("Fe").click()
    table.tile("Fe").click()
    table.line("Group 8").click()
    table.wait_for(forbidden=["Hs", "Os", "Ru"], fixed={"Fe": 1})
    table.line("Group 8").click()
    table.wait_for(fixed={"Fe": 1})
    table.tile("Ru").click()
    table.line("Group 8").click()  # some still allowed: forbid them
    table.wait_for(forbidden=["Hs", "Os", "Ru"], fixed={"Fe": 1})
    table.line("Period 1").click()
    table.wait_for(forbidden=["H", "He", "Hs", "Os", "Ru"], fixed={"Fe": 1})


def test_family_headers_act_on_fifteen_elements_and_rows_leave_unavailable_ones(table):
    table.line("Lanthanoids").click()
    lanthanoids = [e.symbol for e in elements.all_elements() if 57 <= e.atomic_number <= 71]
    table.wait_for(forbidden=lanthanoids)
    table.line("Lanthanoids").click()
    table.line("Group 18").click()
    table.wait_for(forbidden=["He", "Ne", "Ar", "Kr", "Xe"])


def test_it_fits_without_scrolling_sideways(open_page, url):
    table = open_page(url, width=1280)
    for width in (1280, 1120, 992, 732):
        table.page.set_viewport_size({"width": width, "height": 800})
        table.page.wait_for_timeout(300)
        box = table.page.locator(".periodic-table").bounding_box()
        assert table.page.evaluate("document.documentElement.scrollWidth") <= width
        assert table.tile("He").bounding_box()["x"] + table.tile("He").bounding_box()["width"] <= width
        if box["width"] <= 960:
            assert box["height"] <= 480, width


def test_a_tile_shows_the_limit_of_its_amount_while_it_is_allowed(open_page, url):
    table = open_page(url)
    hydrogen = table.tile("H")
    assert hydrogen.locator(".mark").inner_text() == "≥40%"
    assert "allowed, at least 0.4 of all atoms" in hydrogen.get_attribute("aria-label")
    hydrogen.click()
    assert table.shown("H") == "forbidden" and hydrogen.locator(".mark").inner_text() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tiles_have_readable_contrast_and_follow_the_theme(open_page, url, scheme):
    table = open_page(url, scheme=scheme)
    for symbol, clicks in [("Fe", 0), ("Co", 1), ("Ni", 2), ("Cu", 3)]:
        for _ in range(clicks):
            table.tile(symbol).click()
    table.page.wait_for_timeout(300)
    for symbol in ("Fe", "Co", "Ni", "Cu"):
        for part in (".symbol", ".number", ".count"):
            assert _contrast(table.tile(symbol), part) >= 4.5, (scheme, symbol, part)


def test_the_values_on_the_tiles_can_be_chosen(table):
    expected = [
        ("electronegativity", "Fe", "1.83", "electronegativity 1.83 (Pauling)"),
        ("price", "Rh", "147k", "about $150,000 per kg of the element"),
        ("exposure", "Pb", "5", "5 µg a day permitted by mouth (ICH Q3D"),
        ("exposure", "Te", "–", "does not mean harmless; one of the group “toxic”"),
        ("exposure", "Fe", "–", "which does not mean harmless"),
    ]
    for values, symbol, shown, label in expected:
        table.page.get_by_label("Values on the tiles").select_option(values)
        assert table.tile(symbol).locator(".count").inner_text() == shown
        assert label in table.tile(symbol).get_attribute("aria-label")


def _contrast(tile, part):
    """WCAG contrast of a text in a tile against the tile's plain background, as painted."""
    colours = tile.evaluate(
        """(tile, part) => {
            const paint = (colour) => {
                const context = document.createElement('canvas').getContext('2d');
                context.fillStyle = colour;
                context.fillRect(0, 0, 1, 1);
                return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
            };
            const style = (node) => getComputedStyle(node);
            return [paint(style(tile.querySelector(part)).color), paint(style(tile).backgroundColor)];
        }""",
        part,
    )

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted(map(luminance, colours), reverse=True)
    return (bright + 0.05) / (dark + 0.05)
