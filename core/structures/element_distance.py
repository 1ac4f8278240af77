"""How different two elements are for a crystal structure."""

from __future__ import annotations

import numpy as np

from core.chemistry import elements

_MENDELEEV_STEP = 10.0  # numbers that weigh as much as 1 Å of radius and 1 of electronegativity
_UNKNOWN_MENDELEEV, _UNKNOWN_ELECTRONEGATIVITY, _UNKNOWN_RADIUS_A = 103, 1.6, 1.5


def element_distances(radii_A: np.ndarray) -> np.ndarray:
    """(118, 118) |difference of Mendeleev numbers| / 10 + |of atomic radii in Å| + |of electronegativities|.

    radii_A : (118,), NaN where unknown
    """
    columns = np.stack([mendeleev_numbers() / _MENDELEEV_STEP, filled_radii_A(radii_A), electronegativities()], axis=1)
    return np.abs(columns[:, None] - columns[None]).sum(-1)


def mendeleev_numbers() -> np.ndarray:
    """(118,) Pettifor's scale as modified in pymatgen; hydrogen's number where there is none."""
    numbers = [e.mendeleev_number for e in elements.all_elements()]
    return np.array([_UNKNOWN_MENDELEEV if number is None else number for number in numbers], dtype=float)


def electronegativities() -> np.ndarray:
    """(118,) on Pauling's scale; 1.6 where there is none."""
    values = [e.electronegativity for e in elements.all_elements()]
    return np.array([_UNKNOWN_ELECTRONEGATIVITY if value is None else value for value in values])


def filled_radii_A(radii_A: np.ndarray) -> np.ndarray:
    """(118,) atomic radii, 1.5 Å where unknown."""
    return np.where(np.isnan(radii_A), _UNKNOWN_RADIUS_A, radii_A)


def share_of_common_states() -> np.ndarray:
    """(118, 118) probability that two elements, each in a state drawn from its ICSD entries, are in the same state.

    0.5 for an element without listed states.
    """
    states = list(range(-5, 10))
    shares = np.zeros((elements.N_ELEMENTS, len(states)))
    for e in elements.all_elements():
        for state, count in e.icsd_states:
            if state in states:
                shares[e.index, states.index(state)] += count
    totals = shares.sum(1, keepdims=True)
    shares = shares / np.maximum(totals, 1)
    common = shares @ shares.T
    unknown = totals[:, 0] == 0
    common[unknown] = common[:, unknown] = 0.5
    return common
