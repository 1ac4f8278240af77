"""Train `formation-energy`: ElemNet on the Materials Project and OQMD (Jha et al. 2018; KIAGO S.2).

The two databases differ by their elemental references and anion corrections, and both differences are linear in the
composition. So one network learns the energy on the reference of the Materials Project, and OQMD is that energy plus
a learned c . x with one number per element; after training c is thrown away.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core import elements
from core.predictors import checkpoint
from core.predictors.elemnet import (
    ARCHITECTURE,
    ElemNet,
    FormationEnergyElemNet,
    elemnet_elements,
    load_elemnet,
)
from core.training import data, metrics
from core.training.loop import Batch, FitSettings, fit

NAME = "formation-energy"
VALIDATION_SHARE = 0.05  # of MP train, to watch the training; the MP val split is touched once, at the end


@dataclass(frozen=True)
class FormationEnergySettings:
    """What can be set about this training; all of it goes into the card."""

    epochs: int = 40
    batch: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    dropout: bool = False  # 0.2, 0.1, 0.3, 0.2 as in Jha et al.; weight averaging regularises instead


class TwoReferences(nn.Module):
    """ElemNet on the MP reference, plus c . x where the energy is OQMD's."""

    def __init__(self, dropout: bool):
        super().__init__()
        self.network = ElemNet(dropout)
        self.offset = nn.Parameter(torch.zeros(len(elemnet_elements())))

    def forward(self, fractions: torch.Tensor, is_oqmd: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, 86), source flag (batch,) of 0 or 1 -> formation energy (batch,) in eV/atom."""
        return self.network(fractions) + is_oqmd * (fractions @ self.offset)


def train(folder: Path, out: Path, seed: int, build: Path, settings: FormationEnergySettings | None = None) -> dict:
    """Train, evaluate on the MP val split, write weights and card; returns the card."""
    settings = settings or FormationEnergySettings()
    mp, held_out, oqmd = data.read_formation_energies(folder)
    index = [elements.element(symbol).index for symbol in elemnet_elements()]
    mp, n_mp_left = _inside(mp, index)
    oqmd, n_oqmd_left = _inside(oqmd, index)
    held_out, n_held_left = _inside(held_out, index)
    train_rows, valid_rows = data.split(len(mp.values), (1 - VALIDATION_SHARE, VALIDATION_SHARE), seed)
    valid_keys = {data.composition_key(row) for row in mp.compositions[valid_rows]}
    oqmd_rows = np.array([i for i, key in enumerate(oqmd.composition_keys()) if key not in valid_keys])
    x = np.concatenate([mp.compositions[train_rows], oqmd.compositions[oqmd_rows]])[:, index].astype(np.float32)
    y = np.concatenate([mp.values[train_rows], oqmd.values[oqmd_rows]]).astype(np.float32)
    is_oqmd = np.repeat([0, 1], [len(train_rows), len(oqmd_rows)]).astype(np.float32)
    steps = len(y) // settings.batch
    torch.manual_seed(seed)
    model = TwoReferences(settings.dropout)

    def batches(epoch: int) -> Iterator[Batch]:
        order = np.random.default_rng([seed, epoch]).permutation(len(y))
        for k in range(steps):
            rows = order[k * settings.batch : (k + 1) * settings.batch]
            yield torch.from_numpy(x[rows]), torch.from_numpy(y[rows]), torch.from_numpy(is_oqmd[rows])

    def loss(network: TwoReferences, batch: Batch) -> torch.Tensor:
        fractions, energy, source = batch
        return (network(fractions, source) - energy).abs().mean()

    def report(network: TwoReferences) -> dict[str, float]:
        predictor = FormationEnergyElemNet(NAME, network.network)
        predicted = predict(predictor, mp.compositions[valid_rows])
        return {"validation_mae_eV_per_atom": metrics.mean_absolute_error(predicted, mp.values[valid_rows])}

    fit_settings = FitSettings(settings.epochs, steps, settings.learning_rate, settings.weight_decay)
    model = fit(model, batches, loss, fit_settings, build / f"{NAME}-{seed}", report)
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "what": "Formation energy (eV/atom, Materials Project reference) from the composition: ElemNet",
        "papers": ["Jha et al. 2018: doi:10.1038/s41598-018-35934-y", "KIAGO: doi:10.1039/d5dd00250h"],
        "data": {k: data.ATTRIBUTION[k] for k in ("mp", "oqmd")},
        "cleaning": {
            **mp.counts,
            **held_out.counts,
            **oqmd.counts,
            "with an element that ElemNet does not know: MP train": n_mp_left,
            "with an element that ElemNet does not know: MP val": n_held_left,
            "with an element that ElemNet does not know: OQMD": n_oqmd_left,
        },
        "split": {
            "held_out": "MP val of Bartel et al. 2020",
            "validation": f"{VALIDATION_SHARE:.0%} of MP train",
            "by": "composition",
            "seed": seed,
        },
        "settings": asdict(settings),
        "known_elements": list(elemnet_elements()),
        "date": datetime.date.today().isoformat(),
    }
    # The dropout layers hold no weights, but they shift the numbering of the layers: renumber for storage.
    checkpoint.save(NAME, checkpoint.to_storage(_numbered_with_dropout(model.network)), card, out)
    card["metrics_held_out"] = evaluate(load_elemnet(NAME, out), held_out)
    checkpoint.save(NAME, checkpoint.load(NAME, ARCHITECTURE, out)[0], card, out)
    return card


def _numbered_with_dropout(network: ElemNet) -> dict[str, torch.Tensor]:
    """The weights under the names that an ElemNet with dropout layers has."""
    return dict(zip(ElemNet().state_dict(), network.state_dict().values(), strict=True))


def _inside(table: data.Table, index: list[int]) -> tuple[data.Table, int]:
    """The rows made only of these elements, and how many others there were."""
    inside = np.isclose(table.compositions[:, index].sum(1), 1.0, atol=1e-9)
    return table.subset(inside), int((~inside).sum())


@torch.no_grad()
def predict(predictor: FormationEnergyElemNet, compositions: np.ndarray, batch: int = 4096) -> np.ndarray:
    """Formation energies in eV/atom (n,) of compositions (n, 118)."""
    predictor.eval()
    x = torch.tensor(compositions).float()
    return torch.cat([predictor(part) for part in x.split(batch)]).double().numpy()


def evaluate(predictor: FormationEnergyElemNet, held_out: data.Table) -> dict:
    """Every figure of the card on the MP val split."""
    predicted = predict(predictor, held_out.compositions)
    return {
        "formation_energy_mae_eV_per_atom": metrics.mean_absolute_error(predicted, held_out.values),
        "formation_energy_median_absolute_error_eV_per_atom": metrics.median_absolute_error(predicted, held_out.values),
        "formation_energy_r2": metrics.r_squared(predicted, held_out.values),
        "n": len(held_out.values),
    }
