"""Initial guesses of all starts."""

import numpy as np

from core.chemistry.composition import composition_vector
from core.generation.initialization import MIXTURE, InitialGuesses, enumerated

BASE = composition_vector({"La": 1, "Fe": 1, "As": 1, "O": 1})


def initial_guesses(**changes) -> InitialGuesses:
    defaults = {
        "start": "base",
        "base": BASE,
        "allowed": np.ones(118, dtype=bool),
        "floors": np.zeros(118),
        "room": 1.0,
        "frequencies": np.arange(118.0),
        "mutate_probability": 0.22,
        "perturb_ratio": 0.3,
        "added_elements": (1, 4),
        "seed": 0,
    }
    return InitialGuesses(**{**defaults, **changes})


def test_a_guess_is_a_composition_of_allowed_elements():
    allowed = np.zeros(118, dtype=bool)
    allowed[20:60] = True
    x = initial_guesses(allowed=allowed).guesses(200)
    assert np.allclose(x.sum(1), 1) and (x >= 0).all() and not x[:, ~allowed].any()


def test_a_guess_depends_only_on_seed_candidate_and_restart():
    assert np.array_equal(initial_guesses().guesses(50)[7], initial_guesses().guess(7))
    assert not np.array_equal(initial_guesses().guess(7), initial_guesses().guess(7, restart=1))
    assert not np.array_equal(initial_guesses().guess(7), initial_guesses(seed=1).guess(7))


def test_without_mutation_and_additions_the_guess_is_the_base():
    assert np.allclose(initial_guesses(mutate_probability=0.0, added_elements=(0, 0)).guess(0), BASE)


def test_mutation_keeps_the_ratios_and_has_the_given_probability():
    x = initial_guesses(added_elements=(0, 0)).guesses(2000)
    kept = (x[:, np.flatnonzero(BASE)] > 0).mean()
    # 0.22 are replaced, in rare cases by another element of the base.
    assert 0.76 < kept < 0.82
    assert np.allclose(np.round(x * 4), x * 4)


def test_elements_are_drawn_by_frequency():
    frequencies = np.zeros(118)
    frequencies[28] = 1e6
    x = initial_guesses(base=np.zeros(118), frequencies=frequencies, added_elements=(1, 1)).guesses(100)
    assert (x[:, 28] > 0).mean() > 0.97


def test_a_substitution_starts_from_a_mixture_of_allowed_elements():
    allowed = np.zeros(118, dtype=bool)
    allowed[[38, 56, 57]] = True
    x = initial_guesses(start=MIXTURE, allowed=allowed, added_elements=(0, 3)).guesses(100)
    assert np.allclose(x.sum(1), 1) and not x[:, ~allowed].any()
    assert set((x > 0).sum(1)) == {1, 2, 3}


def test_a_single_allowed_element_is_enough():
    allowed = np.zeros(118, dtype=bool)
    allowed[0] = True
    assert initial_guesses(allowed=allowed, added_elements=(0, 0)).guess(3)[0] == 1.0


def test_guesses_contain_only_the_fractions_above_the_floors():
    """H3S with a floor of 0.4 for H: 0.35 of H and 0.25 of S are free, and x_const + 0.6 sigma is H3S."""
    floors = np.zeros(118)
    floors[0] = 0.4
    base = composition_vector({"H": 3, "S": 1})
    x = initial_guesses(base=base, floors=floors, mutate_probability=0.0, added_elements=(0, 0)).guess(0)
    assert np.allclose(floors + 0.6 * x, base)


# Other starts.


def vector(**amounts: float) -> np.ndarray:
    return composition_vector(amounts)


def test_a_random_start_has_as_many_elements_as_the_base_with_equal_probability():
    allowed = np.zeros(118, dtype=bool)
    allowed[20:40] = True
    x = initial_guesses(start="random", allowed=allowed).guesses(2000)
    assert ((x > 0).sum(1) == 4).all()
    frequency = (x > 0).mean(0)[allowed]  # 4 of 20 elements, within four standard deviations
    assert np.abs(frequency - 0.2).max() < 4 * np.sqrt(0.2 * 0.8 / 2000)


KNOWN = np.stack([vector(Mg=1, B=2), vector(Nb=3, Sn=1), vector(Fe=1, Se=1)])


def test_each_known_material_is_used_once_unchanged_before_perturbed_ones():
    x = initial_guesses(start="known", known=KNOWN).guesses(20)
    assert sorted(map(tuple, x[:3])) == sorted(map(tuple, KNOWN))
    assert not any(np.allclose(row, known) for row in x[3:] for known in KNOWN)
    orders = {tuple(initial_guesses(start="known", known=KNOWN, seed=seed).guesses(3).argmax(1)) for seed in range(20)}
    assert len(orders) > 3


def test_the_order_of_known_materials_has_its_own_random_stream():
    """Seeds [seed, n] and [seed, n, 0] give one stream, which candidate n also uses; the order must not."""
    known = np.eye(118)[:40]
    order = initial_guesses(start="known", known=known).guesses(40).argmax(1)
    assert sorted(order) == list(range(40))
    assert order.tolist() != np.random.default_rng([0, 40, 0]).permutation(40).tolist()


def test_interpolation_ratios_are_beta_distributed_between_two_known_materials():
    """Two materials without a common element: the ratio is the sum of the fractions of one."""
    x = initial_guesses(start="interpolated", known=KNOWN[:2]).guesses(4000)
    assert np.array_equal(x[0], KNOWN[0]) or np.array_equal(x[0], KNOWN[1])
    mixed = x[1::2]
    ratio = mixed[:, [11, 4]].sum(1)  # Mg and B
    assert np.allclose(mixed, ratio[:, None] * KNOWN[0] + (1 - ratio[:, None]) * KNOWN[1])
    # Beta(10, 10): mean 1/2, variance 1/84
    assert abs(ratio.mean() - 0.5) < 0.01 and abs(ratio.var() - 1 / 84) < 0.001


def test_binary_and_ternary_hydrides_by_hand():
    """H with a floor of 0.5, Pd and Y: eq. 16 for n = 2..10 twice, eq. 17 once."""
    allowed, floors = np.zeros(118, dtype=bool), np.zeros(118)
    allowed[[0, 38, 45]], floors[0] = True, 0.5
    x = floors + 0.5 * enumerated(allowed, floors, 0.5)
    expected = [vector(H=n - 1, **{metal: 1}) for metal in ("Y", "Pd") for n in range(2, 11)]
    expected.append(floors + 0.25 * (vector(Y=1) + vector(Pd=1)))
    assert np.allclose(x, expected, atol=1e-12)


def test_enumerated_starts_are_used_once_each_and_then_repeated():
    allowed, floors = np.zeros(118, dtype=bool), np.zeros(118)
    allowed[[0, 38, 45, 56]], floors[0] = True, 0.4
    starts = enumerated(allowed, floors, 0.6)
    assert len(starts) == 3 * 9 + 3
    x = initial_guesses(start="enumerated", allowed=allowed, floors=floors, room=0.6).guesses(60)
    assert np.allclose(sorted(map(tuple, x[:30])), sorted(map(tuple, starts)))
    assert np.array_equal(x[:30], x[30:])


def test_without_a_floor_single_elements_and_pairs_fill_the_room():
    allowed = np.zeros(118, dtype=bool)
    allowed[[2, 10, 18]] = True
    x = enumerated(allowed, np.zeros(118), 0.25)
    li, na, k = vector(Li=1), vector(Na=1), vector(K=1)
    assert np.allclose(x, [li, na, k, (li + na) / 2, (li + k) / 2, (na + k) / 2])


def test_every_free_part_has_its_own_random_stream():
    first, second = (initial_guesses(start=MIXTURE, part=part).guesses(5) for part in (0, 1))
    assert np.array_equal(first, initial_guesses(start=MIXTURE).guesses(5)) and not np.array_equal(first, second)
