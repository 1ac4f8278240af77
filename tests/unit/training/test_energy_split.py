"""The split of two databases: nothing that is held out, or in a tuning part, is learnt from either."""

import numpy as np
import pytest

from core.chemistry import elements
from core.training.data import Table
from core.training.energy_split import EnergySplit, both_labels, in_keys, in_systems, split_energies, systems


def table(seed: int, n: int) -> Table:
    """Distinct binaries and ternaries of ten elements with few ratios, so that two tables share many."""
    random = np.random.default_rng(seed)
    found = {}
    while len(found) < n:
        chosen = random.choice(10, random.integers(2, 4), replace=False)
        amounts = random.integers(1, 4, len(chosen))
        row = np.zeros(elements.N_ELEMENTS)
        row[chosen] = amounts / amounts.sum()
        found[tuple(row.round(6))] = row
    x = np.stack(list(found.values()))
    return Table(x, random.normal(size=n), tuple(map(str, range(n))), np.ones(n))


@pytest.fixture(scope="module")
def split() -> EnergySplit:
    mp, oqmd, held_out = table(0, 800), table(1, 1200), table(2, 100)
    keys = set(held_out.composition_keys())
    return split_energies(mp.subset(~in_keys(mp, keys)), held_out, oqmd.subset(~in_keys(oqmd, keys)), seed=0)


def test_the_databases_share_compositions_or_the_test_shows_nothing(split):
    assert len(both_labels(split.mp, split.oqmd)[0]) > 50
    assert all(count > 0 for count in split.counts.values())


@pytest.mark.parametrize(
    "part", ["mp_held_out", "systems_held_out", "compositions_held_out", "mp_tuning", "oqmd_tuning"]
)
def test_no_composition_of_another_part_is_learnt(split, part):
    keys = set(getattr(split, part).composition_keys())
    assert keys
    for learnt in (split.mp, split.oqmd):
        assert not keys & set(learnt.composition_keys())


@pytest.mark.parametrize("part", ["systems_held_out", "compositions_held_out", "mp_held_out"])
def test_no_choice_is_made_on_what_is_held_out(split, part):
    keys = set(getattr(split, part).composition_keys())
    for tuning in (split.mp_tuning, split.oqmd_tuning):
        assert not keys & set(tuning.composition_keys())


def test_no_system_that_is_held_out_is_in_another_part_of_either_database(split):
    chosen = set(systems(split.systems_held_out))
    for other in (split.mp, split.oqmd, split.mp_tuning, split.oqmd_tuning, split.compositions_held_out):
        assert not in_systems(other, chosen).any()


def test_every_row_is_in_one_part_or_counted(split):
    of_mp = len(split.mp.values) + len(split.mp_tuning.values)
    assert of_mp + sum(n for name, n in split.counts.items() if name.startswith("MP")) > 700
    parts = [split.oqmd, split.oqmd_tuning, split.systems_held_out, split.compositions_held_out]
    keys = [key for part in parts for key in part.composition_keys()]
    assert len(keys) == len(set(keys))


def test_the_split_depends_on_the_seed_only(split):
    tables = table(0, 200), table(2, 10), table(1, 300)
    one, same, other = (split_energies(*tables, seed) for seed in (1, 1, 2))
    assert one.compositions_held_out.formulas == same.compositions_held_out.formulas
    assert one.compositions_held_out.formulas != other.compositions_held_out.formulas


def test_pairs_are_the_compositions_with_both_labels():
    x = table(0, 5).compositions
    first = Table(x[:3], np.array([1.0, 2.0, 3.0]), ("a", "b", "c"), np.ones(3))
    second = Table(x[[4, 2, 0]], np.array([9.0, 3.5, 1.25]), ("e", "c", "a"), np.ones(3))
    compositions, difference = both_labels(first, second)
    np.testing.assert_array_equal(compositions, x[[0, 2]])
    np.testing.assert_allclose(difference, [0.25, 0.5])
