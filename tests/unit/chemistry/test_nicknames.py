"""Nicknames and what they stand for."""

import pytest

from core.chemistry.exact_formula import exact_reading
from core.chemistry.nicknames import NICKNAMES, formula_of_nickname


@pytest.mark.parametrize("name", NICKNAMES)
def test_every_nickname_stands_for_a_formula_that_can_be_read(name):
    assert formula_of_nickname(name) == NICKNAMES[name]
    assert exact_reading(NICKNAMES[name]).read_as == NICKNAMES[name]


def test_there_are_at_least_40_nicknames():
    assert len(NICKNAMES) >= 40


@pytest.mark.parametrize("text", ["LaO", "SrO", "HBr", "MgB2", "Y", "C60", "Nb123Ti", "BiPb"])
def test_formulas_are_no_nicknames(text):
    assert formula_of_nickname(text) is None
