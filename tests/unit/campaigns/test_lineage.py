"""The line of bases that leads to a candidate, by hand."""

from __future__ import annotations

import pyarrow as pa

from core.campaigns.lineage import MOST_STEPS, lineage
from core.campaigns.query import CandidateQueries


def of(formulas: list[str], bases: list[str], tc_K: list[float] | None = None) -> CandidateQueries:
    n = len(formulas)
    tc_K = tc_K or [float(i) for i in range(n)]
    columns = {"run": [f"r{i}" for i in range(n)], "rank": [1] * n, "base": bases, "formula": formulas, "tc_K": tc_K}
    return CandidateQueries(pa.table(columns | {"tc_minus_error_K": tc_K, "elements": [["B"]] * n}))


def test_a_line_leads_over_bases_that_were_found_themselves():
    with of(["MgB3", "CaB2", "CaB6"], ["MgB2", "MgB3", "CaB2"]) as found:
        assert lineage(found, "CaB6") == ("MgB2", "MgB3", "CaB2", "CaB6")
        assert lineage(found, "FeSe") == ("FeSe",)


def test_the_run_with_the_highest_tc_minus_error_counts():
    with of(["CaB6", "CaB6"], ["MgB2", "LaB6"], [20.0, 30.0]) as found:
        assert lineage(found, "CaB6") == ("LaB6", "CaB6")


def test_a_base_may_be_written_in_another_order_or_with_fractions():
    with of(["MgB3", "CaB6", "CaB4"], ["MgB2", "B3Mg", "Mg0.5B1.5"]) as found:
        assert lineage(found, "CaB6") == ("MgB2", "B3Mg", "CaB6")
        assert lineage(found, "CaB4") == ("MgB2", "Mg0.5B1.5", "CaB4")


def test_a_circle_ends_and_a_line_is_bounded():
    with of(["MgB2", "CaB2"], ["CaB2", "MgB2"]) as found:
        assert lineage(found, "MgB2") == ("CaB2", "MgB2")
    names = [f"MgB{i}" for i in range(2, 60)]
    with of(names[1:], names[:-1]) as found:
        assert len(lineage(found, names[-1])) == MOST_STEPS + 1
