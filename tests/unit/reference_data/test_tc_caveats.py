"""Caveats about a Tc: the list, and the rules for elements, hydrides and cuprates."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.reference_data.tc_caveats import LIST, caveats, copper_states


def kinds(formulas: dict[str, float]) -> list[str]:
    """ "p", "s" or "" for each formula with its Tc in K."""
    found = caveats(compositions(list(formulas)), np.array(list(formulas.values())))
    assert [bool(text) for text in found.text] == list(found.pressure | found.off_stoichiometry)
    return ["p" if p else "s" if s else "" for p, s in zip(found.pressure, found.off_stoichiometry, strict=True)]


@pytest.mark.parametrize(
    ("formulas", "expected"),
    [
        ({"Si": 6.7, "Bi": 6.8, "Y": 2.0, "GaAs": 4.8}, ["p"] * 4),
        ({"Nb": 8.9, "V": 5.3, "Hg": 4.2, "Si": 0.5}, [""] * 4),  # at or near what is known at ambient pressure
        ({"Nb": 12.0}, ["p"]),
        ({"FeSe": 8.5, "SrTiO3": 0.4}, [""] * 2),
        ({"La2CuO4": 34.0, "SrTiO3": 8.0, "LaFeAsO": 15.0, "C60": 18.0}, ["s"] * 4),
        ({"La1.85Sr0.15CuO4": 37.0, "La2CuO4.05": 34.0, "Nd1.85Ce0.15CuO4": 24.0}, [""] * 3),
        ({"YBa2Cu3O7": 92.0, "YBa2Cu3O6.5": 60.0, "Y0.8Ca0.2Ba2Cu3O6": 50.0, "YBa2Cu3O6.1": 50.0}, ["", "", "", "s"]),
        ({"Bi2Sr2CaCu2O8": 85.0, "Bi2Sr2CaCu2O8.16": 90.0}, ["s", ""]),  # the superconductor has more oxygen
        ({"LaH10": 240.0, "CaH6": 200.0, "Th4H15": 9.0, "H3S": 140.0}, ["p", "p", "", "p"]),
        ({"MgB2": 39.0, "Nb3Sn": 18.0, "CuO": 0.0}, [""] * 3),
    ],
)  # fmt: skip
def test_what_is_suspected(formulas, expected):
    assert kinds(formulas) == expected


def test_nothing_is_said_about_a_missing_tc():
    assert kinds({"Si": float("nan"), "La2CuO4": float("nan")}) == ["", ""]
    assert caveats(np.zeros((0, 118)), np.zeros(0)).text.shape == (0,)


def test_the_state_of_copper_by_hand():
    states = copper_states(compositions(["La2CuO4", "YBa2Cu3O7", "Nd1.85Ce0.15CuO4", "MgB2", "LaCuFeO4"]))
    assert states[:3] == pytest.approx([2, 7 / 3, 1.85])
    assert np.isnan(states[3:]).all()  # no cuprate; iron has several states


def test_every_entry_of_the_list_has_a_kind_and_a_source():
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["kind"] for row in rows} == {"pressure", "off_stoichiometry"}
    assert all(re.search(r"(19|20)\d\d, doi:10\.", row["source"]) and float(row["ambient_tc_K"]) >= 0 for row in rows)
    assert len({row["formula"] for row in rows}) == len(rows) > 60
