"""Supercells: numbers of atoms, places of the dopants."""

import numpy as np
import pytest

from core.structures.match import Reduced
from core.structures.supercell import MOST_DEVIATION, doped_supercell, repeated
from tests import crystals

CUPRATE = crystals.layered_cuprate("La", 3.78, 13.2)


def test_a_supercell_is_the_same_crystal():
    cell = repeated(CUPRATE, (2, 1, 3))
    assert len(cell.symbols) == 6 * len(CUPRATE.symbols)
    assert cell.volume_A3 == pytest.approx(6 * CUPRATE.volume_A3)
    assert Reduced(cell).matches(Reduced(CUPRATE))


@pytest.mark.parametrize("share", [0.075, 0.1, 0.25, 0.5])
def test_dopants_have_their_share_of_the_sites(share):
    cell = doped_supercell(CUPRATE, {"Sr": "La"}, {"Sr": share})
    assert cell is not None
    sites = cell.symbols.count("La") + cell.symbols.count("Sr")
    assert abs(cell.symbols.count("Sr") / sites - share) <= MOST_DEVIATION
    assert cell.symbols.count("O") == 2 * sites and cell.symbols.count("Cu") * 2 == sites


def test_two_dopants_are_as_far_apart_as_possible():
    """Two of the four cells of a row: every second one."""
    from core.chemistry.structure import Structure

    row = Structure(np.diag([3.0, 20.0, 20.0]), ("Na",), np.zeros((1, 3)))
    cell = doped_supercell(repeated(row, (4, 1, 1)), {"K": "Na"}, {"K": 0.5}, most_sites=4)
    assert cell is not None and cell.symbols in (("K", "Na", "K", "Na"), ("Na", "K", "Na", "K"))


def test_a_share_that_needs_a_large_cell_has_no_supercell():
    assert doped_supercell(CUPRATE, {"Sr": "La"}, {"Sr": 0.002}) is None
    assert doped_supercell(CUPRATE, {}, {}) is None
