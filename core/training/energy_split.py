"""The split of the formation energies of two databases: what is held out of one is in no other part of either.

Held out: the val part of the Materials Project (MP) by Bartel et al. 2020; whole chemical systems of OQMD; and
compositions of OQMD at random. No choice is made on them. Choices are made on the tuning parts, and the rest is learnt.
A composition of MP that is held out with OQMD's label, or belongs to a held-out chemical system, is in no part of MP,
and the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.training.data import Table

SYSTEMS_SHARE = 0.03  # of OQMD's chemical systems
COMPOSITIONS_SHARE = 0.05  # of OQMD's other compositions
TUNING_SHARE = 0.03  # of the remaining compositions of each database


@dataclass(frozen=True)
class EnergySplit:
    """Formation energies in eV/atom, each on the references of its database.

    mp_held_out : the val part of MP
    systems_held_out, compositions_held_out : of OQMD
    counts : rows of each database that are in no part, because of the parts of the other one
    """

    mp: Table
    oqmd: Table
    mp_tuning: Table
    oqmd_tuning: Table
    mp_held_out: Table
    systems_held_out: Table
    compositions_held_out: Table
    counts: dict[str, int]


def split_energies(mp: Table, mp_held_out: Table, oqmd: Table, seed: int) -> EnergySplit:
    """The split of MP train, MP val and OQMD; the three tables have different compositions than MP val."""
    random = np.random.default_rng(seed)
    whole = in_systems(oqmd, _drawn(random, sorted(set(systems(oqmd))), SYSTEMS_SHARE))
    others, chosen = oqmd.subset(~whole), oqmd.subset(whole)
    single = _share(random, others, COMPOSITIONS_SHARE)
    compositions_held_out, oqmd_rest = others.subset(single), others.subset(~single)
    held_out_keys = {*compositions_held_out.composition_keys(), *chosen.composition_keys()}
    leaking = in_keys(mp, held_out_keys) | in_systems(mp, set(systems(chosen)))
    mp_rest = mp.subset(~leaking)
    mp_tuned, oqmd_tuned = (_share(random, table, TUNING_SHARE) for table in (mp_rest, oqmd_rest))
    tuning_keys = {*mp_rest.subset(mp_tuned).composition_keys(), *oqmd_rest.subset(oqmd_tuned).composition_keys()}
    mp_learnt, oqmd_learnt = (~in_keys(table, tuning_keys) for table in (mp_rest, oqmd_rest))
    return EnergySplit(
        mp=mp_rest.subset(mp_learnt),
        oqmd=oqmd_rest.subset(oqmd_learnt),
        mp_tuning=mp_rest.subset(mp_tuned),
        oqmd_tuning=oqmd_rest.subset(oqmd_tuned),
        mp_held_out=mp_held_out,
        systems_held_out=chosen,
        compositions_held_out=compositions_held_out,
        counts={
            "MP train: held out with OQMD's label or in a chemical system that is held out": int(leaking.sum()),
            "MP train: in the tuning part of OQMD": int((~mp_learnt & ~mp_tuned).sum()),
            "OQMD: in the tuning part of MP": int((~oqmd_learnt & ~oqmd_tuned).sum()),
        },
    )


def systems(table: Table) -> list[tuple[int, ...]]:
    """The chemical system of each row: the indices of its elements."""
    return [tuple(np.flatnonzero(row).tolist()) for row in table.compositions]


def in_systems(table: Table, chosen: set[tuple[int, ...]]) -> np.ndarray:
    """(n,) bool: rows of these chemical systems."""
    return np.array([system in chosen for system in systems(table)], dtype=bool)


def in_keys(table: Table, keys: set[tuple]) -> np.ndarray:
    """(n,) bool: rows with these composition keys."""
    return np.array([key in keys for key in table.composition_keys()], dtype=bool)


def both_labels(first: Table, second: Table) -> tuple[np.ndarray, np.ndarray]:
    """Compositions (n, 118) that are in both tables, and the values (n,) of the second minus those of the first."""
    places = {key: i for i, key in enumerate(second.composition_keys())}
    pairs = [(i, places[key]) for i, key in enumerate(first.composition_keys()) if key in places]
    rows, others = (np.array(each, dtype=int) for each in (zip(*pairs, strict=True) if pairs else ((), ())))
    return first.compositions[rows], second.values[others] - first.values[rows]


def _drawn(random: np.random.Generator, names: list[tuple[int, ...]], share: float) -> set[tuple[int, ...]]:
    return {names[i] for i in random.permutation(len(names))[: round(share * len(names))]}


def _share(random: np.random.Generator, table: Table, share: float) -> np.ndarray:
    """(n,) bool: a random share of the rows."""
    chosen = np.zeros(len(table.values), dtype=bool)
    chosen[random.permutation(len(chosen))[: round(share * len(chosen))]] = True
    return chosen
