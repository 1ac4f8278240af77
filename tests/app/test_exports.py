"""A candidate to take home: files and links."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from app.exports.candidate_files import bibtex, candidate_json, latex_formula, latex_row
from app.exports.external_links import external_links

ROW = pd.Series(
    {
        "formula": "La1.85Sr0.15CuO4", "rank": np.int64(7), "tc_K": 37.04, "tc_std_K": 2.16, "known": np.True_,
        "energy_above_hull_eV_per_atom": -0.0123, "energy_above_hull_std_eV_per_atom": np.nan,
        "formation_energy_eV_per_atom": -2.5, "formation_energy_std_eV_per_atom": 0.04,
        "nearest_known": "La2CuO4", "nearest_known_tc_K": 35.0, "control_disagrees": pd.NA,
    }
)  # fmt: skip
CREATED = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_json_has_every_column_as_a_plain_value():
    content = json.loads(candidate_json(ROW, "a-run"))
    assert list(content) == ["run", *ROW.index]
    assert content["rank"] == 7 and content["known"] is True and content["tc_K"] == 37.04
    assert content["energy_above_hull_std_eV_per_atom"] is None and content["control_disagrees"] is None


def test_the_row_of_a_latex_table_has_subscripts_errors_and_a_cell_for_each_column():
    header, row = latex_row(ROW).splitlines()
    assert header.startswith("%") and header.count("&") == row.count("&") == 4
    assert row.startswith(r"La$_{1.85}$Sr$_{0.15}$CuO$_{4}$ & 37.0 $\pm$ 2.2 & $-0.012$ & $-2.500$ $\pm$ 0.040 &")
    assert row.endswith(r"La$_{2}$CuO$_{4}$ (35.0 K) \\")
    assert latex_row(dict(ROW) | {"nearest_known": "", "tc_K": np.nan}).splitlines()[1].endswith(r"& -- \\")
    assert latex_formula("MgB2") == "MgB$_{2}$"


def test_the_bibtex_says_that_it_is_a_prediction_and_its_braces_match():
    text = bibtex(ROW, "a_run", CREATED, "0.2.0")
    assert text.count("{") == text.count("}") and text.startswith("@misc{La185Sr015CuO42026,")
    assert r"Run a\_run, rank 7" in text and "not a measurement" in text and "10.1039/d5dd00250h" in text


@pytest.mark.parametrize("formula", ["La1.85Sr0.15CuO4", "MgB2", "HgBa2Ca2Cu3O8"])
def test_links_lead_to_the_system_or_the_formula_by_https(formula):
    links = {link.label: link.url for link in external_links(formula)}
    assert list(links) == ["Materials Project", "OQMD", "COD", "Google Scholar"]
    assert all(url.startswith("https://") and " " not in url for url in links.values())
    assert f"%22{formula}%22" in links["Google Scholar"]
    assert (
        "chemsys=B-Mg" in external_links("MgB2")[0].url and "el1=B&el2=Mg&strictmin=2" in external_links("MgB2")[2].url
    )
