"""Rows of structures as features: cells without volume, formulas, the draw."""

from collections import Counter

import numpy as np

from core.training.structure_properties import drawn_formulas, read_properties


def test_cells_without_volume_are_counted_and_left_out():
    row = {"lattice": [4, 4, 4, 90, 90, 90], "species": ["Cl", "Na"], "frac_coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
           "spacegroup": 221, "gap": 2.0}  # fmt: skip
    counts = Counter()
    found = read_properties([row, row | {"lattice": [4, 4, 4, 200, 90, 90]}], lambda each: each["gap"], counts)
    assert len(found) == 1 and found.y.tolist() == [2.0] and found.formulas.tolist() == ["Cl1Na1"]
    assert counts == {"cell without volume": 1} and len(found.where(np.array([False]))) == 0


def test_the_draw_does_not_depend_on_the_order():
    formulas = [f"A{i}" for i in range(50)]
    drawn = drawn_formulas(formulas, 0.2, 3)
    assert len(drawn) == 10 and drawn == drawn_formulas(formulas[::-1] * 2, 0.2, 3) != drawn_formulas(formulas, 0.2, 4)
