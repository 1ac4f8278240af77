"""The best formulas: their order, the limit for one set of elements, and the form in which a state stores them."""

import numpy as np

from core.generation.search.archive import Archive, Limit
from tests.unit.generation.search.test_formula_space import cells, space
from tests.unit.generation.search.test_scoring import Energies, scorer

FORMULAS = ("La2O3", "LaO3", "LaO", "FeO", "Fe2O3", "CuO")


def archive(most: int = 10, per_set: int = 0) -> Archive:
    return Archive.empty().merged(cells(*FORMULAS), scorer(), most, Limit(per_set) if per_set else None)


def test_the_best_are_first():
    found = archive(3)
    assert len(found) == 3 and (found.counts[:2] == cells("LaO3", "La2O3")).any(1).all()
    assert (np.diff(found.score) <= 0).all() and found.score[0] == scorer().score(found.values)[0]


def test_merging_in_parts_gives_the_same():
    ours, rows = scorer(), cells(*FORMULAS)
    parts = Archive.empty().merged(rows[:3], ours, 4).merged(rows[2:], ours, 4)
    assert parts.score.tolist() == archive(4).score.tolist()


def test_at_most_so_many_of_one_set_of_elements():
    found = archive(per_set=1)
    assert len(found) == 3 and len({(row > 0).tobytes() for row in found.counts}) == 3
    assert len(archive(per_set=2)) == 5


def test_formulas_of_positive_energy_are_left_out():
    assert len(Archive.empty().merged(cells("LaO"), scorer(Energies(0.0, 0.5)), 5)) == 0


def test_stored_and_restored():
    found = archive()
    again = Archive.from_padded(*found.padded(9))
    assert (again.counts == found.counts).all() and (again.score == found.score).all()
    assert all((a == b).all() for a, b in zip(again.values, found.values, strict=True))


def test_the_base_is_no_proposal_but_stays_a_parent():
    found, demands = archive(), space("La2O3")
    assert found.without(demands.base).counts.tolist() == [
        row for row in found.counts.tolist() if row != cells("La2O3")[0].tolist()
    ]
    result = found.candidates(9, demands)
    assert len(result.number) == len(FORMULAS) - 1 and list(result.lost.values()) == [1, 3]
    assert len(found.report(0, 1, 9, 0, demands).archive.objective_K) == len(FORMULAS) - 1


def test_a_report_has_a_row_for_each_place():
    found = archive()
    report = found.report(3, 1, 9, 40, space())
    assert report.composition.shape == (9, 118) and report.tc_K.isfinite().sum() == len(FORMULAS)
    assert report.integer_loss[:6].tolist() == [0.0] * 6
    assert report.archive.tested == 40 and (report.archive.amounts == found.counts).all()
    assert (report.archive.objective_K == found.score).all()
