"""The screens: charge rules, tests and texts."""

import pandas as pd
import pytest

from core.problem.settings import EVERY_ATOM, ONE_STATE
from core.screening.registry import SCREENS, find_screen, screens

GOOD = {
    "formula": "LaFeAsO",
    "n_elements": 4,
    "charge_neutral": True,
    "pauling_ok": True,
    "reason": "balanced",
    "formation_energy_eV_per_atom": -1.0,
}


def rows(*changes: dict[str, object]) -> pd.DataFrame:
    """A row that passes every screen, and one with each of the changes."""
    return pd.DataFrame([GOOD, *({**GOOD, "formula": f"X{i}"} | change for i, change in enumerate(changes))])


def test_the_screens_of_each_rule_in_order():
    names = ["distinct", "elements", "charge_neutral", "pauling_ok", "formation_energy"]
    assert [screen.name for screen in screens(ONE_STATE)] == names
    assert [screen.name for screen in screens(EVERY_ATOM)] == [name for name in names if name != "pauling_ok"]


def test_every_screen_has_texts_and_a_charge_rule():
    assert len({screen.label for screen in SCREENS}) == len(SCREENS)
    for screen in SCREENS:
        assert screen.label and screen.charge_rules
        assert screen.advice or screen.name == "distinct"


def test_the_label_of_charge_neutrality_names_the_rule():
    (free,) = (screen for screen in screens(EVERY_ATOM) if screen.name == "charge_neutral")
    assert (find_screen("charge_neutral").label, free.label) == ("Charge neutral", "Charge neutral, every atom free")


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("distinct", {"formula": "LaFeAsO"}, "the same formula was reached before"),
        ("elements", {"n_elements": 10}, "10 elements"),
        ("charge_neutral", {"charge_neutral": False, "reason": "charged"}, "charged"),
        ("pauling_ok", {"pauling_ok": False, "reason": "anions"}, "anions"),
        ("formation_energy", {"formation_energy_eV_per_atom": 0.0}, "predicted formation energy is not negative"),
        (
            "formation_energy",
            {"n_elements": 1, "formation_energy_eV_per_atom": -0.1},
            "a pure element has a formation energy of 0",
        ),
    ],
)
def test_each_screen_rejects_its_case_with_a_reason(name, change, reason):
    table, screen = rows(change), find_screen(name)
    assert screen.test(table).tolist() == [True, False]
    assert screen.reason(table.iloc[1:]).tolist() == [reason]
    others = [other for other in SCREENS if other.name != name]
    assert all(other.test(table).all() for other in others)
    assert screen.test(table.iloc[:0]).tolist() == screen.reason(table.iloc[:0]).tolist() == []


def test_nine_elements_pass():
    assert find_screen("elements").test(rows({"n_elements": 9})).all()


def test_find_screen_returns_none_for_an_unknown_name():
    assert find_screen("candidates") is None
