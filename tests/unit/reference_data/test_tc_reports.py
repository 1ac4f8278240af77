"""Reports of a measured Tc by composition."""

from __future__ import annotations

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.errors import InputError
from core.reference_data.references import load_references
from core.reference_data.tc_reports import TcReport, TcReports, load_tc_reports

NB3GE = (TcReport(3, "Ge1Nb3", 6.0, "A"), TcReport(2, "Ge1Nb3", 22.0, "B"), TcReport(1, "Nb3Ge1", 6.0, "C"))
MGB2 = (TcReport(4, "Mg1B2", 39.0, "D"),)


def test_reports_are_found_by_composition_the_highest_first():
    table = TcReports(compositions(["Nb3Ge", "MgB2"]), np.array([3, 1]), (*NB3GE, *MGB2))
    assert [report.number for report in table.of("Nb6Ge2")] == [2, 1, 3]
    assert table.of("B2Mg") == MGB2 and table.of("NaCl") == () and len(table) == 4
    with pytest.raises(InputError):
        table.of("Xx3")


def test_the_stored_reports_are_those_behind_the_known_superconductors():
    table, known = load_tc_reports(), load_references()
    chosen = np.flatnonzero(known.known_reports > 3)[::40]
    assert len(chosen) > 10
    for i in chosen:
        found = table.of(known.known_formulas[i])
        assert len(found) == known.known_reports[i]
        assert np.median([report.tc_K for report in found]) == pytest.approx(known.known_tc_K[i], abs=1e-3)
    assert {report.formula for report in table.of("Nb3Ge")} and all(report.reference for report in table.of("MgB2"))
