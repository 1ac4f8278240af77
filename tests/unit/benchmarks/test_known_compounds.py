"""The table of known compounds."""

from __future__ import annotations

import re

import pandas as pd

from core.benchmarks.known_compounds import LIST, sentences


def test_every_compound_has_a_source():
    known = pd.read_csv(LIST)
    assert len(known) == 35 and known["formula"].is_unique and (known["known_tc_K"] >= 0).all()
    assert all(re.search(r"(19|20)\d\d, (doi:10\.|[A-Z])", source) for source in known["source"])


def test_the_sentence_counts_what_is_inside_the_interval_or_suspected():
    table = pd.DataFrame(
        {
            "formula": ["Nb", "Si", "MgB2"],
            "known_tc_K": [9.0, 0.0, 39.0],
            "tc_K": [8.0, 6.0, 30.0],
            "tc_std_K": [1.0, 1.0, 1.0],
            "pressure_suspected": [False, True, False],
            "off_stoichiometry_suspected": [False, False, None],
        }
    )
    (found,) = sentences(table)
    assert found.startswith("The known Tc of 1 of 3 compounds") and found.endswith("Neither: MgB2.")
