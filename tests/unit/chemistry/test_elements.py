"""The element table and its order."""

import json

import pytest

from core.chemistry import elements
from core.paths import ASSETS
from core.training.element_table import element_table


def test_order_is_by_atomic_number():
    assert elements.symbols()[:4] == ("H", "He", "Li", "Be")
    assert [e.atomic_number for e in elements.all_elements()] == list(range(1, 119))
    assert elements.element("Fe").index == 25


def test_the_committed_table_matches_its_sources():
    assert json.loads((ASSETS / "elements.json").read_text(encoding="utf-8")) == element_table()


def test_prices_and_permitted_exposures_are_known_where_chemists_ask():
    """Osmium and rhodium cost thousands of times what iron costs; lead and cadmium are the least permitted."""
    table = elements.all_elements()
    price = {e.symbol: e.price_USD_per_kg for e in table if e.price_USD_per_kg}
    exposure = {e.symbol: e.permitted_daily_exposure_ug for e in table if e.permitted_daily_exposure_ug}
    assert set(price) >= {e.symbol for e in table if not e.radioactive}
    assert min(price["Os"], price["Rh"]) > 1000 * price["Fe"]
    assert len(exposure) == 24 and {s for s, ug in exposure.items() if ug == min(exposure.values())} == {"Cd", "Pb"}
    toxic = {e.symbol for e in table if e.toxic}
    assert {s for s, ug in exposure.items() if ug <= 30} <= toxic  # the group that one click forbids


@pytest.mark.parametrize(
    ("symbol", "block", "period", "column"),
    [("H", "s", 1, 1), ("He", "s", 1, 32), ("Cl", "p", 3, 31), ("La", "f", 6, 3), ("Yb", "f", 6, 16),
     ("Lu", "d", 6, 17), ("Zn", "d", 4, 26), ("Og", "p", 7, 32), ("Ac", "f", 7, 3), ("Sc", "d", 4, 17)],
)  # fmt: skip
def test_period_block_and_column(symbol, block, period, column):
    element = elements.element(symbol)
    assert (element.block, element.period, element.column) == (block, period, column)


def test_positions_in_the_periodic_table_are_distinct():
    assert len({(e.period, e.column) for e in elements.all_elements()}) == 118


def test_oxidation_states():
    assert elements.element("O").oxidation_states == (-2, -1, 1, 2)
    plus_three = elements.with_oxidation_state(3)
    assert {"La", "Fe", "As", "Bi", "Y"} <= set(plus_three)
    assert not {"Na", "Ca", "He"} & set(plus_three)


def test_unknown_symbol():
    assert not elements.is_element("Xx")
    with pytest.raises(KeyError):
        elements.element("Xx")
