"""Share of exchanged atoms, and the search for known compositions within a distance."""

import numpy as np
import pytest

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.screening.composition_distance import KnownCompositions, exchanged_share


def random_compositions(count: int, seed: int) -> np.ndarray:
    """Compositions of three of six elements, so that many are close to each other."""
    random = np.random.default_rng(seed)
    x = np.zeros((count, elements.N_ELEMENTS))
    for row in x:
        row[random.choice(6, size=3, replace=False) + 20] = random.integers(1, 8, size=3)
    return x / x.sum(1, keepdims=True)


def test_the_distance_is_the_share_of_exchanged_atoms():
    one, other = compositions(["La2CuO4", "LaSrCuO4"])
    assert exchanged_share(one, other) == pytest.approx(1 / 7)


@pytest.mark.parametrize("distance", [0.0, 0.02, 0.05, 0.2, 0.9])
def test_it_finds_what_a_comparison_of_all_pairs_finds(distance):
    known, asked = random_compositions(400, 0), random_compositions(300, 1)
    nearest = exchanged_share(asked[:, None], known[None]).min(1)
    expected = nearest < max(distance - 1e-9, 1e-9)
    assert expected.sum() > 0
    assert (KnownCompositions(known).any_within(asked, distance) == expected).all()


def test_a_composition_exactly_at_the_distance_is_far_enough():
    known, asked = compositions(["La2CuO4"]), compositions(["LaSrCuO4"])
    assert not KnownCompositions(known).any_within(asked, 1 / 7)[0]
    assert KnownCompositions(known).any_within(asked, 1 / 7 + 1e-6)[0]


def test_a_row_that_is_no_composition_is_refused():
    with pytest.raises(ValueError, match="row 0"):
        KnownCompositions(np.zeros((1, elements.N_ELEMENTS)))
