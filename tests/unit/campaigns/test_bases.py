"""Bases by list, by family and Tc range, and from a CSV file."""

from __future__ import annotations

import numpy as np
import pytest

from core.campaigns.bases import known_bases, read_bases
from core.chemistry.composition import composition_vector
from core.chemistry.families import families
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.reference_data.references import load_references


def test_bases_by_list(tmp_path):
    assert read_bases("MgB2", tmp_path) == ("MgB2",)
    assert read_bases(["MgB2", "LaFeAsO"], tmp_path) == ("MgB2", "LaFeAsO")


def test_bases_by_family_and_tc_are_in_the_range_with_the_highest_tc_first():
    found = known_bases("iron-based", [20, 30])
    references = load_references()
    tc_K = dict(zip(references.known_formulas, references.known_tc_K, strict=True))
    x = np.array([composition_vector(parse_formula(formula)) for formula in found])
    assert len(found) > 50 and set(families(x)) == {"iron-based"}
    measured = [tc_K[formula] for formula in found]
    assert measured == sorted(measured, reverse=True) and 20 <= measured[-1] <= measured[0] <= 30
    assert known_bases("iron-based", [20, 30], 5) == found[:5]
    assert len(known_bases("any", [20, 30])) > len(found)


def test_bases_from_a_csv_file_beside_the_campaign(tmp_path):
    (tmp_path / "bases.csv").write_text("name,formula\na,MgB2\nb,LaFeAsO\n")
    assert read_bases({"csv": "bases.csv"}, tmp_path) == ("MgB2", "LaFeAsO")


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ([], "no base materials"),
        (["MgB2", 3], "no base materials"),
        ({"csv": "a.csv", "family": "any"}, "no base materials"),
        ({"csv": "none.csv"}, "no such file"),
        ({"family": "organic"}, "unknown family"),
        ({"family": "any", "tc_K": [60, 20]}, "lowest and the highest"),
        ({"family": "any", "tc_K": 20}, "lowest and the highest"),
        ({"family": "any", "most": 0}, "1 or more"),
        ({"family": "hydride", "tc_K": [900, 1000]}, "no known superconductor"),
    ],
)
def test_wrong_bases_are_refused(given, rule, tmp_path):
    with pytest.raises(InputError, match=rule):
        read_bases(given, tmp_path)
