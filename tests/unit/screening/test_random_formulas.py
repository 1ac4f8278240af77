"""Random formulas and the share that is charge neutral."""

from __future__ import annotations

import numpy as np
import pytest

from core.chemistry import elements
from core.errors import InputError
from core.screening.charge_neutrality import charge_balance
from core.screening.random_formulas import random_counts, shares

POOL = ("Na", "Mg", "Fe", "O", "Cl", "As")


def test_formulas_have_the_elements_and_atoms_that_are_asked():
    counts = random_counts(POOL, 3, 10, 500, seed=1)
    assert counts.shape == (500, elements.N_ELEMENTS)
    assert (counts.sum(1) == 10).all() and ((counts > 0).sum(1) == 3).all()
    assert {elements.symbols()[i] for i in np.flatnonzero(counts.any(0))} == set(POOL)


def test_every_division_of_the_atoms_is_equally_likely():
    counts = random_counts(("Na", "Cl"), 2, 5, 8000, seed=0)
    found = np.bincount(counts[:, elements.element("Na").index], minlength=5)
    assert found[0] == 0 and np.allclose(found[1:5] / 8000, 1 / 4, atol=0.02)


def test_the_same_seed_gives_the_same_formulas_and_another_one_others():
    assert (random_counts(POOL, 3, 9, 20, 4) == random_counts(POOL, 3, 9, 20, 4)).all()
    assert (random_counts(POOL, 3, 9, 20, 4) != random_counts(POOL, 3, 9, 20, 5)).any()


def test_of_na_and_f_only_one_division_is_neutral():
    """Of NaF3, Na2F2 and Na3F only the second one."""
    exact = shares(random_counts(("Na", "F"), 2, 4, 6000, seed=2))
    assert exact.untested == 0 and exact.neutral == pytest.approx(1 / 3, abs=0.02)


def test_shares_are_those_of_the_charge_screen():
    counts = random_counts(POOL, 3, 8, 200, seed=3)
    balances = charge_balance(counts)
    alloys = np.array(["alloy" in balance.reason for balance in balances])
    passing = np.array([balance.pauling_ok for balance in balances])
    found = shares(counts)
    assert found.untested == alloys.mean() and found.neutral == (passing & ~alloys).mean()


@pytest.mark.parametrize(
    ("symbols", "k", "atoms", "field"),
    [(("Na",), 2, 9, "n_elements"), (POOL, 0, 9, "n_elements"), (POOL, 5, 4, "atoms")],
)
def test_impossible_formulas_are_refused(symbols, k, atoms, field):
    with pytest.raises(InputError) as error:
        random_counts(symbols, k, atoms, 3, 0)
    assert error.value.field == field
