"""The simplex method against scipy's solver, and by hand."""

import numpy as np
import pytest
from scipy.optimize import linprog

from core.screening.simplex import solve


def test_a_mixture_by_hand():
    """A compound AB at -1 eV/atom: the composition A3B is half AB, half A."""
    matrix = np.array([[1, 0, 0.5], [0, 1, 0.5]])
    assert solve(np.array([0, 0, -1.0]), matrix, np.array([0.75, 0.25])) == pytest.approx([0.5, 0, 0.5])


@pytest.mark.parametrize("m", [2, 3, 5, 8])
def test_same_optimum_as_a_general_solver(m):
    random = np.random.default_rng(m)
    for _ in range(40):
        phases = random.dirichlet(np.ones(m), 60).T * (random.random((m, 60)) < 0.6)
        phases = phases[:, phases.sum(0) > 0]
        matrix = np.hstack([np.eye(m), phases / phases.sum(0)])
        costs = np.concatenate([np.zeros(m), random.normal(-1, 0.5, phases.shape[1])])
        target = random.dirichlet(np.ones(m))
        found = solve(costs, matrix, target)
        assert matrix @ found == pytest.approx(target, abs=1e-12) and (found >= 0).all()
        assert costs @ found == pytest.approx(linprog(costs, A_eq=matrix, b_eq=target).fun, abs=1e-9)


def test_a_composition_that_is_a_phase_is_that_phase():
    matrix = np.array([[1, 0, 0.5, 0.25], [0, 1, 0.5, 0.75]])
    assert solve(np.array([0, 0, -1.0, -0.6]), matrix, np.array([0.25, 0.75])) == pytest.approx([0, 0, 0, 1])


def test_many_equal_phases_end():
    matrix = np.hstack([np.eye(3), np.full((3, 50), 1 / 3)])
    found = solve(np.concatenate([np.zeros(3), np.full(50, -1.0)]), matrix, np.full(3, 1 / 3))
    assert found.sum() == pytest.approx(1) and found[:3].sum() == pytest.approx(0)
