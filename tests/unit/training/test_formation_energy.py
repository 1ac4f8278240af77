"""Training of the formation energy: the references of both databases, the order of the stages, resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.chemistry import elements
from core.predictors.formation_energy.attention import FormationEnergyAttention
from core.predictors.layers.composition_attention import AttentionSize
from core.training import formation_energy
from core.training.data import Table
from core.training.formation_energy import MP, OQMD, FormationEnergySettings, Stage

METALS, ANIONS = (2, 10, 18, 36), (7, 8, 15, 16)  # places in the element order
ENERGY = np.random.default_rng(0).normal(-1, 0.5, elements.N_ELEMENTS)  # eV/atom, linear in the composition
OFFSET = 0.7  # eV/atom by which energies of OQMD are higher for each anion


class Linear(nn.Module):
    """(batch, 118) -> (batch,)"""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(elements.N_ELEMENTS))

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        return composition @ self.weight


def binaries(seed: int, n: int = 256) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = np.zeros((n, elements.N_ELEMENTS))
    share = random.uniform(0.2, 0.8, n)
    x[np.arange(n), random.choice(METALS, n)] = share
    x[np.arange(n), random.choice(ANIONS, n)] = 1 - share
    return x


def table(x: np.ndarray, energy: np.ndarray) -> Table:
    return Table(x, energy, tuple(map(str, range(len(x)))), np.ones(len(x)))


@pytest.fixture(scope="module")
def learnt():
    mp, oqmd = binaries(0), binaries(1, n=512)
    return {
        MP: table(mp, mp @ ENERGY),
        OQMD: table(oqmd, oqmd @ ENERGY + OFFSET * oqmd[:, ANIONS].sum(1)),
    }


@pytest.fixture(scope="module")
def validation():
    x = binaries(2)
    return table(x, x @ ENERGY)


def trained(learnt, validation, folder, *stages: Stage) -> nn.Module:
    settings = FormationEnergySettings(stages, batch=8, weight_decay=0.0)
    recipe = replace(formation_energy.RECIPES["formation-energy"], settings=settings, build=lambda known: Linear())
    known = torch.ones(elements.N_ELEMENTS, dtype=torch.bool)
    (model,) = formation_energy._trained(learnt, validation, recipe, known, [0], [folder])
    return model


def error(model: nn.Module, of: Table) -> float:
    with torch.no_grad():
        return float(np.abs(model(torch.from_numpy(of.compositions).float()).numpy() - of.values).mean())


def test_energies_learnt_from_both_databases_are_on_the_reference_of_mp(learnt, validation, tmp_path):
    model = trained(learnt, validation, tmp_path, Stage((MP, OQMD), 50, 0.03))
    assert error(model, validation) < 0.1 < OFFSET * 0.5


def test_a_stage_continues_from_the_previous_one(learnt, validation, tmp_path):
    first, last = Stage((OQMD,), 20, 0.03), Stage((MP,), 1, 1e-9)
    alone = trained(learnt, validation, tmp_path / "alone", first)
    model = trained(learnt, validation, tmp_path / "both", first, last)
    torch.testing.assert_close(model.weight, alone.weight, rtol=0, atol=1e-5)
    assert alone.weight.abs().max() > 0.3


def test_the_last_stage_determines_the_reference(learnt, validation, tmp_path):
    model = trained(learnt, validation, tmp_path, Stage((OQMD,), 10, 0.03), Stage((MP,), 100, 0.03))
    assert error(model, validation) < 0.1


def test_a_finished_stage_is_not_repeated(learnt, validation, tmp_path, monkeypatch):
    stages = Stage((OQMD,), 5, 0.03), Stage((MP,), 5, 0.03)
    once = trained(learnt, validation, tmp_path, *stages)
    monkeypatch.setattr(formation_energy.ShuffledColumns, "__call__", lambda *_: pytest.fail("trained again"))
    assert torch.equal(trained(learnt, validation, tmp_path, *stages).weight, once.weight)


def test_a_training_of_the_ensemble_for_a_graph_gives_the_same(learnt, validation, tmp_path, as_on_a_gpu, monkeypatch):
    settings = FormationEnergySettings((Stage((MP, OQMD), 2, 0.01),), batch=32, weight_decay=0.01, members=2)
    size = AttentionSize(width=16, layers=1, heads=2, waves=4)
    known = torch.ones(elements.N_ELEMENTS, dtype=torch.bool)
    recipe = replace(
        formation_energy.RECIPES["formation-energy-ensemble"],
        settings=settings,
        build=lambda known: FormationEnergyAttention("test", size, known),
    )

    def members(folder):
        places = [folder / "0", folder / "1"]
        return formation_energy._trained(learnt, validation, recipe, known, [0, 1], places)

    there = members(tmp_path / "graph")
    monkeypatch.undo()
    x = torch.from_numpy(validation.compositions).float()
    for one, other in zip(there, members(tmp_path / "plain"), strict=True):
        torch.testing.assert_close(one(x), other(x), rtol=1e-3, atol=1e-3)


def test_a_batch_marks_the_rows_from_oqmd(learnt):
    batches = formation_energy._batches([learnt[MP], learnt[OQMD]], (MP, OQMD), 128)
    assert batches.steps == 6
    of_oqmd = 0
    for fractions, energy, source in batches(0):
        anions = fractions[:, ANIONS].sum(1)
        plain = fractions.double() @ torch.from_numpy(ENERGY)
        torch.testing.assert_close(energy.double(), plain + OFFSET * anions * source, rtol=0, atol=1e-5)
        of_oqmd += int(source.sum())
    assert of_oqmd == 512


@pytest.mark.parametrize(
    ("sources", "all_of_them"), [([(OQMD,), (MP,)], (MP, OQMD)), ([(MP,)], (MP,)), ([(MP, OQMD)], (MP, OQMD))]
)
def test_sources_are_named_mp_first(sources, all_of_them):
    settings = FormationEnergySettings(tuple(Stage(each, 1, 1e-3) for each in sources), 1, 0.0)
    assert settings.sources == all_of_them
