"""Training of ElemNet: the references of both databases, resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.predictors.interface import NetworkPredictor
from core.training import formation_energy
from core.training.data import Table
from core.training.formation_energy import FormationEnergySettings

METALS, ANIONS = (2, 10, 18, 36), (7, 8, 15, 16)  # places in the element order
ENERGY = np.random.default_rng(0).normal(-1, 0.5, elements.N_ELEMENTS)  # eV/atom, linear in the composition
OFFSET = 0.7  # eV/atom by which energies of OQMD are higher for each anion
SETTINGS = FormationEnergySettings(epochs=50, batch=8, learning_rate=0.03, weight_decay=0.0)


class Linear(NetworkPredictor):
    """(batch, 118) -> (batch,)"""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(elements.N_ELEMENTS))

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
def tables():
    mp, oqmd, others = binaries(0), binaries(1, n=512), binaries(2)
    validation = table(others, others @ ENERGY)
    of_oqmd = table(oqmd, oqmd @ ENERGY + OFFSET * oqmd[:, ANIONS].sum(1))
    return formation_energy._Tables(table(mp, mp @ ENERGY), of_oqmd, validation, validation, {})


def trained(tables, folder, settings: FormationEnergySettings = SETTINGS) -> Linear:
    (model,) = formation_energy._fitting(tables, settings, 0, Linear()).run([folder])
    return model.predictor


def test_energies_learnt_from_both_databases_are_on_the_reference_of_mp(tables, tmp_path):
    model, of = trained(tables, tmp_path), tables.validation
    with torch.no_grad():
        predicted = model(torch.from_numpy(of.compositions).float()).numpy()
    assert np.abs(predicted - of.values).mean() < 0.1 < OFFSET * 0.5


def test_a_finished_training_is_not_repeated(tables, tmp_path, monkeypatch):
    settings = replace(SETTINGS, epochs=5)
    once = trained(tables, tmp_path, settings)
    monkeypatch.setattr(formation_energy.ShuffledColumns, "__call__", lambda *_: pytest.fail("trained again"))
    assert torch.equal(trained(tables, tmp_path, settings).weight, once.weight)


def test_a_batch_marks_the_rows_from_oqmd(tables):
    batches = formation_energy._batches(tables, 128, seed=0)
    assert batches.steps == 6
    of_oqmd = 0
    for fractions, energy, is_oqmd in batches(0):
        anions = fractions[:, ANIONS].sum(1)
        plain = fractions.double() @ torch.from_numpy(ENERGY)
        torch.testing.assert_close(energy.double(), plain + OFFSET * anions * is_oqmd, rtol=0, atol=1e-5)
        of_oqmd += int(is_oqmd.sum())
    assert of_oqmd == 512
