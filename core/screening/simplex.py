"""The simplex method for the small linear programmes of the convex hull.

    min c x    subject to    A x = b,   x >= 0,

where the first columns of A are the identity (the elements), so that they are a feasible basis for b >= 0. A general
solver spends most of its time on setting up such a programme; here it takes about a tenth of a millisecond.
"""

from __future__ import annotations

import numpy as np

OPTIMAL = 1e-10  # reduced costs above minus this are not negative, in the unit of the costs
_PIVOT = 1e-11  # smaller pivots are rounding errors
_BLAND_AFTER, _MOST_PIVOTS = 40, 400  # pivots per row: first by the largest gain, then by Bland's rule, which ends


def solve(costs: np.ndarray, matrix: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """The solution x (n,) for costs (n,), matrix (m, n) that starts with the identity, and target (m,) >= 0.

    None if no optimum was reached, which rounding errors may cause; a general solver is then needed.
    """
    found = solve_with_prices(costs, matrix, target)
    return None if found is None else found[0]


def solve_with_prices(
    costs: np.ndarray, matrix: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """As `solve`, with the dual prices (m,): the derivative of the optimum in the target, within its facet."""
    m, n = matrix.shape
    basis = np.arange(m)
    inverse, values = np.eye(m), target.astype(np.float64).copy()
    for pivot in range(_MOST_PIVOTS * m):
        reduced = costs - (costs[basis] @ inverse) @ matrix
        reduced[basis] = 0.0
        entering = int(reduced.argmin()) if pivot < _BLAND_AFTER * m else int(np.argmax(reduced < -OPTIMAL))
        if reduced[entering] >= -OPTIMAL:
            solution = _checked(matrix, target, basis, n)
            return None if solution is None else (solution, costs[basis] @ inverse)
        column = inverse @ matrix[:, entering]
        ratios = np.full(m, np.inf)
        np.divide(np.maximum(values, 0.0), column, out=ratios, where=column > _PIVOT)
        leaving = int(ratios.argmin())
        if ratios[leaving] == np.inf:
            return None
        if pivot >= _BLAND_AFTER * m:
            ties = np.flatnonzero(ratios <= ratios[leaving])
            leaving = int(ties[basis[ties].argmin()])
        row = inverse[leaving] / column[leaving]
        inverse = inverse - np.outer(column, row)
        inverse[leaving] = row
        step = ratios[leaving]
        values = values - step * column
        values[leaving] = step
        basis[leaving] = entering
    return None


def _checked(matrix: np.ndarray, target: np.ndarray, basis: np.ndarray, n: int) -> np.ndarray | None:
    """The solution of a basis, computed afresh; None if it is not feasible within rounding errors."""
    try:
        values = np.linalg.solve(matrix[:, basis], target)
    except np.linalg.LinAlgError:
        return None
    if not (values >= -OPTIMAL).all():
        return None
    solution = np.zeros(n)
    solution[basis] = np.maximum(values, 0.0)
    return solution
