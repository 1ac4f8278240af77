"""Training of the ensemble: the difference of the references, what is learnt from each database, resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.predictors.formation_energy.attention import FormationEnergyAttention, reference_change
from core.predictors.info import MP, OQMD
from core.predictors.layers.composition_attention import AttentionSize
from core.training import formation_energy_ensemble
from core.training.data import Table
from core.training.energy_split import EnergySplit
from core.training.formation_energy_ensemble import EnsembleSettings, Stage, reference_offset

METALS, ANIONS = (2, 10, 18, 36), (7, 8, 15, 16)  # places in the element order
BOND = -2.0  # eV/atom, of a mixture of one half of each
OFFSET = torch.zeros(elements.N_ELEMENTS).index_fill(0, torch.tensor(ANIONS), 0.7)  # eV/atom, of OQMD minus MP
KNOWN = torch.ones(elements.N_ELEMENTS, dtype=torch.bool)
STAGE = Stage(epochs=30, batch=32, learning_rate=0.01)
SETTINGS = EnsembleSettings((STAGE,), members=2, size=AttentionSize(width=16, layers=1, heads=2, waves=4))


def in_stages(*stages: Stage, **changes) -> EnsembleSettings:
    return replace(SETTINGS, stages=stages, **changes)


def binaries(seed: int, n: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = np.zeros((n, elements.N_ELEMENTS))
    share = random.uniform(0.2, 0.8, n)
    x[np.arange(n), random.choice(METALS, n)] = share
    x[np.arange(n), random.choice(ANIONS, n)] = 1 - share
    return x


def table(x: np.ndarray, source: str) -> Table:
    energy = 4 * BOND * x[:, METALS].sum(1) * x[:, ANIONS].sum(1)
    if source == MP:
        energy = energy - (reference_change(torch.from_numpy(x)) @ OFFSET.double()).numpy()
    return Table(x, energy, tuple(map(str, range(len(x)))), np.ones(len(x)))


@pytest.fixture(scope="module")
def split() -> EnergySplit:
    mp, oqmd, tuning = binaries(0, 256), binaries(1, 256), binaries(2, 64)
    return EnergySplit(
        mp=table(mp, MP), oqmd=table(oqmd, OQMD), mp_tuning=table(tuning, MP), oqmd_tuning=table(tuning, OQMD),
        mp_held_out=table(tuning, MP), systems_held_out=table(tuning, OQMD), compositions_held_out=table(tuning, OQMD),
        counts={},
    )  # fmt: skip


def trained(split: EnergySplit, settings: EnsembleSettings, folder) -> list[FormationEnergyAttention]:
    return formation_energy_ensemble._trained(split, KNOWN, OFFSET, settings, 0, folder)


def error(model: FormationEnergyAttention, of: Table, source: str) -> float:
    with torch.no_grad():
        predicted = model.on_reference(source)(torch.from_numpy(of.compositions).float())
    return float(np.abs(predicted.numpy() - of.values).mean())


def test_the_difference_of_the_references_is_found_despite_outliers():
    x = binaries(3, 400)
    difference = (reference_change(torch.from_numpy(x)) @ OFFSET.double()).numpy()
    difference[::10] += 1.0  # another crystal structure
    found = reference_offset(x, difference)
    torch.testing.assert_close(found[[*METALS, *ANIONS]], OFFSET[[*METALS, *ANIONS]], rtol=0, atol=0.05)
    assert found.abs().sum() == found[[*METALS, *ANIONS]].abs().sum()


def test_without_pairs_there_is_no_difference():
    none = reference_offset(np.zeros((0, elements.N_ELEMENTS)), np.zeros(0))
    assert torch.count_nonzero(none) == 0


def test_energies_are_learnt_on_both_references(split, tmp_path):
    (member,) = trained(split, in_stages(replace(STAGE, epochs=20), averaging=0.9, members=1), tmp_path)
    assert error(member, split.mp_tuning, MP) < 0.15 and error(member, split.oqmd_tuning, OQMD) < 0.15
    assert error(member, split.mp_tuning, OQMD) > 0.2  # eV/atom, the offset


def test_what_is_learnt_are_the_labels_moved_to_the_references_of_oqmd(split):
    x, energy, is_mp = formation_energy_ensemble._columns(split, OFFSET)
    assert is_mp.sum() == len(split.mp.values) and len(energy) == len(split.mp.values) + len(split.oqmd.values)
    expected = 4 * BOND * x[:, METALS].sum(1) * x[:, ANIONS].sum(1)
    torch.testing.assert_close(energy, expected, rtol=1e-4, atol=1e-4)


def test_the_rest_is_drawn_to_zero_at_the_compositions_of_oqmd(split, tmp_path):
    shifted = replace(split, mp=replace(split.mp, values=split.mp.values - 0.3))
    sizes = []
    for penalty in (0.0, 10.0):
        stage = replace(STAGE, epochs=10, negative_rest_penalty=penalty, positive_rest_penalty=penalty)
        settings = in_stages(stage, members=1, averaging=0.9)
        (member,) = trained(shifted, settings, tmp_path / str(penalty))
        with torch.no_grad():
            rest = member.energy_and_rest(torch.from_numpy(split.oqmd.compositions).float())[:, 1]
        sizes.append(float(rest.abs().mean()))
    assert sizes[1] < 0.2 * sizes[0]


def test_only_a_negative_rest_is_drawn_to_zero_if_a_positive_one_costs_nothing(split, tmp_path):
    rests = []
    for shift in (-0.3, 0.3):
        shifted = replace(split, mp=replace(split.mp, values=split.mp.values + shift))
        stage = replace(STAGE, epochs=10, negative_rest_penalty=10.0, positive_rest_penalty=0.0)
        (member,) = trained(shifted, in_stages(stage, members=1, averaging=0.9), tmp_path / str(shift))
        with torch.no_grad():
            rest = member.energy_and_rest(torch.from_numpy(split.oqmd.compositions).float())[:, 1]
        rests.append(float(rest.mean()))
    assert abs(rests[0]) < 0.05 and rests[1] > 0.1


def test_the_second_stage_begins_with_the_averaged_weights_of_the_first_and_without_dropout(split, tmp_path):
    first, still = replace(STAGE, epochs=2, dropout=0.5), replace(STAGE, epochs=1, learning_rate=0.0)
    once = trained(split, in_stages(first), tmp_path)
    both = trained(split, in_stages(first, still), tmp_path)  # finds the first stage finished
    for one, other in zip(once, both, strict=True):
        torch.testing.assert_close(one.network.vectors.weight, other.network.vectors.weight)
        assert (one.network.dropout, other.network.dropout) == (0.5, 0.0)


def test_members_differ_and_a_finished_training_is_not_repeated(split, tmp_path, monkeypatch):
    settings = in_stages(replace(STAGE, epochs=2))
    once = trained(split, settings, tmp_path)
    assert not torch.equal(once[0].network.vectors.weight, once[1].network.vectors.weight)
    monkeypatch.setattr(formation_energy_ensemble.DrawnColumns, "__call__", lambda *_: pytest.fail("trained again"))
    again = trained(split, settings, tmp_path)
    assert torch.equal(again[0].network.vectors.weight, once[0].network.vectors.weight)


def test_a_training_for_a_graph_gives_the_same(split, tmp_path, as_on_a_gpu, monkeypatch):
    settings = in_stages(replace(STAGE, epochs=2))
    there = trained(split, settings, tmp_path / "graph")
    monkeypatch.undo()
    x = torch.from_numpy(split.mp_tuning.compositions).float()
    for one, other in zip(there, trained(split, settings, tmp_path / "plain"), strict=True):
        torch.testing.assert_close(one(x), other(x), rtol=1e-3, atol=1e-3)
