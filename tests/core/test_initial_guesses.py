"""Initial guesses."""

import numpy as np

from core.composition import composition_vector
from core.initial_guesses import GuessMaker

BASE = composition_vector({"La": 1, "Fe": 1, "As": 1, "O": 1})


def maker(**changes) -> GuessMaker:
    defaults = {
        "task": "raise_tc",
        "base": BASE,
        "allowed": np.ones(118, dtype=bool),
        "floors": np.zeros(118),
        "frequencies": np.arange(118.0),
        "mutate_probability": 0.22,
        "perturb_ratio": 0.3,
        "added_elements": (1, 4),
        "seed": 0,
    }
    return GuessMaker(**{**defaults, **changes})


def test_a_guess_is_a_composition_of_allowed_elements():
    allowed = np.zeros(118, dtype=bool)
    allowed[20:60] = True
    x = maker(allowed=allowed).guesses(200)
    assert np.allclose(x.sum(1), 1) and (x >= 0).all() and not x[:, ~allowed].any()


def test_a_guess_depends_on_its_own_number_only():
    assert np.array_equal(maker().guesses(50)[7], maker().guess(7))
    assert not np.array_equal(maker().guess(7), maker().guess(7, restart=1))
    assert not np.array_equal(maker().guess(7), maker(seed=1).guess(7))


def test_nothing_mutated_nothing_added_is_the_base():
    assert np.allclose(maker(mutate_probability=0.0, added_elements=(0, 0)).guess(0), BASE)


def test_mutation_keeps_the_ratio_and_happens_as_often_as_asked():
    x = maker(added_elements=(0, 0)).guesses(2000)
    kept = (x[:, np.flatnonzero(BASE)] > 0).mean()
    # 0.22 are replaced, and now and then by another element of the base itself.
    assert 0.76 < kept < 0.82
    assert np.allclose(np.round(x * 4), x * 4)


def test_elements_are_drawn_by_frequency():
    frequencies = np.zeros(118)
    frequencies[28] = 1e6
    x = maker(base=np.zeros(118), frequencies=frequencies, added_elements=(1, 1)).guesses(100)
    assert (x[:, 28] > 0).mean() > 0.97


def test_a_substitution_starts_from_a_mixture_of_the_allowed():
    allowed = np.zeros(118, dtype=bool)
    allowed[[38, 56, 57]] = True
    x = maker(task="substitute", allowed=allowed, added_elements=(0, 3)).guesses(100)
    assert np.allclose(x.sum(1), 1) and not x[:, ~allowed].any()
    assert set((x > 0).sum(1)) == {1, 2, 3}


def test_everything_forbidden_but_one_element_still_starts():
    allowed = np.zeros(118, dtype=bool)
    allowed[0] = True
    assert maker(allowed=allowed, added_elements=(0, 0)).guess(3)[0] == 1.0


def test_a_floor_is_taken_off_the_guess():
    """H3S with a floor of 0.4 for H: 0.35 of H and 0.25 of S are free, so that x_const + 0.6 sigma is H3S again."""
    floors = np.zeros(118)
    floors[0] = 0.4
    base = composition_vector({"H": 3, "S": 1})
    x = maker(base=base, floors=floors, mutate_probability=0.0, added_elements=(0, 0)).guess(0)
    assert np.allclose(floors + 0.6 * x, base)
