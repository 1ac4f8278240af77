"""Groups of near-duplicates, and the member that stands for each."""

import numpy as np

from core.chemistry.composition import compositions
from core.evaluation.near_duplicates import GROUPED_BY, VARIANT_COLUMNS, near_duplicates, with_variants
from tests.unit.evaluation.rows import row, table


def centres(*formulas: str, most: float = 0.1) -> list[int]:
    return near_duplicates(compositions(formulas), most).tolist()


def test_compositions_within_a_tenth_of_the_atoms_are_one_group():
    # Nb3Sn -> Nb19Sn6 exchanges 0.01 of the atoms, Nb3Sn -> Nb2Sn 0.083, Nb3Sn -> Nb3Ge 0.25.
    assert centres("Nb3Sn", "Nb19Sn6", "Nb3Ge", "Nb2Sn") == [0, 0, 2, 0]
    assert centres("Nb9Sn", "Nb4Sn") == [0, 0]  # exactly 0.1
    assert centres("Nb9Sn", "Nb4Sn", most=0.099) == [0, 1]


def test_a_chain_of_small_steps_is_cut_at_the_distance_to_the_centre():
    # 0.90, 0.82, 0.74 of Nb: neighbours are 0.08 apart, the ends 0.16.
    assert centres("Nb0.9Sn0.1", "Nb0.82Sn0.18", "Nb0.74Sn0.26") == [0, 0, 2]
    assert centres("Nb0.82Sn0.18", "Nb0.74Sn0.26", "Nb0.9Sn0.1") == [0, 0, 0]


def test_without_candidates_there_are_no_groups():
    assert near_duplicates(np.zeros((0, 118))).shape == (0,)
    assert with_variants(table().head(0)).empty


def test_the_smallest_cell_within_the_error_of_the_best_stands_for_the_group():
    candidates = table(
        row(formula="Nb19Sn6", n_atoms=25, tc_K=18.4, tc_std_K=0.5, candidate=7),
        row(formula="Nb3Sn", n_atoms=4, tc_K=18.0, tc_std_K=0.5, candidate=3),
        row(formula="Nb2Sn", n_atoms=3, tc_K=15.0, tc_std_K=0.5, candidate=5),  # smaller, but its Tc is too low
        row(formula="MgB2", n_atoms=3, tc_K=12.0, tc_std_K=0.5, candidate=1),
    )
    found = with_variants(candidates[list(GROUPED_BY)])
    assert tuple(found) == GROUPED_BY + VARIANT_COLUMNS
    assert found["group"].tolist() == [7, 7, 7, 1] and found["variants"].tolist() == [3, 3, 3, 1]
    assert found["shown_first"].tolist() == [False, True, False, True]
    assert "group" not in candidates


def test_a_failing_member_does_not_stand_for_one_that_passes():
    candidates = table(
        row(formula="Nb19Sn6", n_atoms=25, tc_K=18.4, candidate=7),
        row(formula="Nb3Sn", n_atoms=4, tc_K=18.4, candidate=3, passes=False),
    )
    assert with_variants(candidates)["shown_first"].tolist() == [True, False]


def test_of_equally_small_cells_the_better_one_stands_for_the_group():
    candidates = table(
        row(formula="La9SrCu5O20", n_atoms=35, candidate=2), row(formula="La8Sr2Cu5O20", n_atoms=35, candidate=1)
    )
    assert with_variants(candidates)["shown_first"].tolist() == [True, False]
