"""Formulas in pasted text."""

from __future__ import annotations

import pytest

from core.chemistry.formula_lists import split_formulas
from core.errors import InputError


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("", []),
        ("MgB2\n\n  Nb3Sn \r\n", ["MgB2", "Nb3Sn"]),
        ("MgB2,Nb3Sn;NbTi\tFeSe", ["MgB2", "Nb3Sn", "NbTi", "FeSe"]),
        ("FeSe, LiFeAs and MgB2", ["FeSe", "LiFeAs", "MgB2"]),
        ("La1,85Sr0,15CuO4", ["La1,85Sr0,15CuO4"]),
        ("La1,85Sr0,15CuO4,MgB2", ["La1,85Sr0,15CuO4", "MgB2"]),
        ("Ba(Fe 0.9 Co 0.1 ) 2 As 2", ["Ba(Fe 0.9 Co 0.1 ) 2 As 2"]),
        ("Y Ba2 Cu3 O7", ["Y Ba2 Cu3 O7"]),
        ("Ba(Fe,Co)2As2", ["Ba(Fe,Co)2As2"]),
        ("MgB2, Ba(Fe,Co)2As2, YBCO", ["MgB2", "Ba(Fe,Co)2As2", "YBCO"]),
        ("La2-xSrxCuO4, x = 0..0.3 in 7 steps\nMgB2", ["La2-xSrxCuO4, x = 0..0.3 in 7 steps", "MgB2"]),
        ("Nb3Sn 53", ["Nb3Sn 53"]),
        ("not a formula", ["not a formula"]),
        ("1, 2", ["1, 2"]),
    ],
)
def test_a_text_is_split_where_it_has_several_formulas(text, formulas):
    assert split_formulas(text) == formulas


@pytest.mark.parametrize(
    ("line", "suggestions"),
    [
        ("MgB2 Nb3Sn", ("MgB2, Nb3Sn", "MgB2Nb3Sn")),
        ("YBCO Bi2212", ("YBCO, Bi2212", "YBCOBi2212")),
        ("LaFeAsO\t26", ("LaFeAsO",)),
        ("MgB2, 39, NbTi", ("MgB2, NbTi",)),
    ],
)
def test_a_line_with_several_meanings_is_refused_with_proposals(line, suggestions):
    (error,) = split_formulas(line)
    assert isinstance(error, InputError) and error.suggestions == suggestions
    assert all(isinstance(found, str) for found in split_formulas(suggestions[0]))
