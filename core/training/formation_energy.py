"""Train formation-energy: ElemNet as published.

The data are the Materials Project (MP) and OQMD. The two databases differ by their elemental references and anion
corrections, and both differences are linear in the composition. So the network learns the energy on the reference of
MP, and the energy of OQMD is that energy plus a learned c . x with one number per element; c is discarded after
training.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from core.chemistry import elements
from core.predictors import checkpoint
from core.predictors.formation_energy import elemnet
from core.predictors.formation_energy.elemnet import ElemNet, FormationEnergyElemNet, elemnet_elements
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor, predict_in_batches
from core.predictors.registry import load_predictor
from core.training import data, energy_figures, loop, metrics
from core.training.batches import Batch, ShuffledColumns
from core.training.loop import FitSettings, Fitting, training_device

NAME = "formation-energy"
VALIDATION_SHARE = 0.05  # of MP train, to monitor the training; the MP val split is used once, at the end


@dataclass(frozen=True)
class FormationEnergySettings:
    """Settings of a training; all of them are written to the card."""

    epochs: int = 40
    batch: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 0.01


class TwoReferences(nn.Module):
    """A predictor on the MP reference, plus c . x for an energy from OQMD."""

    def __init__(self, predictor: NetworkPredictor):
        super().__init__()
        self.predictor = predictor
        self.offset = nn.Parameter(torch.zeros(elements.N_ELEMENTS))

    def forward(self, composition: torch.Tensor, is_oqmd: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, 118), source flag (batch,) of 0 or 1 -> formation energy (batch,) in eV/atom."""
        return self.predictor(composition) + is_oqmd * (composition @ self.offset)


def train(folder: Path, out: Path, seed: int, build: Path, settings: FormationEnergySettings | None = None) -> dict:
    """Train, evaluate on the MP val split, write weights and card; returns the card.

    Raises InputError if the raw data are missing.
    """
    settings, tables = settings or FormationEnergySettings(), _Tables.read(folder, seed)
    fitting = _fitting(tables, settings, seed, _new_elemnet(seed))
    (trained,) = fitting.run([build / f"{NAME}-{seed}" / "stage-1"])
    card = {
        "name": NAME,
        "architecture": elemnet.ARCHITECTURE,
        "role": Role.FORMATION_ENERGY,
        "what": "Formation energy (eV/atom, Materials Project reference) from the composition: ElemNet",
        "papers": ["Jha et al. 2018: doi:10.1038/s41598-018-35934-y", "KIAGO: doi:10.1039/d5dd00250h"],
        "data": {source: data.ATTRIBUTION[source] for source in ("mp", "oqmd")},
        "cleaning": tables.counts,
        "split": {
            "held_out": "MP val of Bartel et al. 2020",
            "validation": f"{VALIDATION_SHARE:.0%} of MP train",
            "by": "composition",
            "seed": seed,
        },
        "settings": asdict(settings),
        "known_elements": [s for s in elements.symbols() if s in elemnet_elements()],
        "date": datetime.date.today().isoformat(),
    }
    tensors = checkpoint.to_storage(_stored(cast(TwoReferences, trained).predictor))
    checkpoint.save(NAME, tensors, card, out)
    # The figures are those of the stored 16-bit weights, so they are loaded back first.
    card["metrics_held_out"] = energy_figures.by_size(elemnet.load_elemnet(NAME, out), tables.held_out)
    checkpoint.save(NAME, tensors, card, out)
    return card


def _new_elemnet(seed: int) -> FormationEnergyElemNet:
    """With new weights, and without the dropout of Jha et al.: the averaging of the weights regularises instead."""
    torch.manual_seed(seed)
    return FormationEnergyElemNet(NAME, ElemNet(dropout=False))


def _stored(predictor: NetworkPredictor) -> dict[str, torch.Tensor]:
    """The weights with the names of an ElemNet with dropout layers, which have no weights but are numbered too."""
    network = cast(FormationEnergyElemNet, predictor).network
    return dict(zip(ElemNet().state_dict(), network.state_dict().values(), strict=True))


@dataclass(frozen=True)
class _Tables:
    """The data, with the rows of unknown elements left out.

    mp, oqmd : what is learnt, without the compositions of `validation`
    counts : of the cleaning
    """

    mp: data.Table
    oqmd: data.Table
    validation: data.Table
    held_out: data.Table
    counts: dict[str, int]

    @classmethod
    def read(cls, folder: Path, seed: int) -> _Tables:
        mp, held_out, oqmd = data.read_formation_energies(folder)
        known = np.array([symbol in elemnet_elements() for symbol in elements.symbols()])
        (mp, n_mp), (oqmd, n_oqmd), (held_out, n_held_out) = (inside(t, known) for t in (mp, oqmd, held_out))
        train_rows, valid_rows = data.split(len(mp.values), (1 - VALIDATION_SHARE, VALIDATION_SHARE), seed)
        validation = mp.subset(valid_rows)
        valid_keys = set(validation.composition_keys())
        counts = {
            **mp.counts,
            **held_out.counts,
            **oqmd.counts,
            "with an element that the network does not know: MP train": n_mp,
            "with an element that the network does not know: MP val": n_held_out,
            "with an element that the network does not know: OQMD": n_oqmd,
        }
        oqmd = oqmd.subset(np.array([key not in valid_keys for key in oqmd.composition_keys()]))
        return cls(mp.subset(train_rows), oqmd, validation, held_out, counts)


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fit of the training, as it begins. `out` is not used. Raises InputError if the raw data are missing."""
    return [_fitting(_Tables.read(folder, seed), FormationEnergySettings(), seed, _new_elemnet(seed))]


def _fitting(tables: _Tables, settings: FormationEnergySettings, seed: int, predictor: NetworkPredictor) -> Fitting:
    model = TwoReferences(predictor)
    if loop.captures_steps():
        most = max(int((table.compositions > 0).sum(1).max()) for table in (tables.mp, tables.oqmd))
        model.predictor = cast(NetworkPredictor, predictor.capturable(most))
    x = torch.from_numpy(tables.validation.compositions).float().to(training_device())

    def report(network: TwoReferences) -> dict[str, float]:
        predicted = predict_in_batches(network.predictor, x)
        return {"validation_mae_eV_per_atom": metrics.mean_absolute_error(predicted, tables.validation.values)}

    batches = _batches(tables, settings.batch, seed)
    fitting = FitSettings(settings.epochs, batches.steps, settings.learning_rate, settings.weight_decay)
    return Fitting(NAME, [model], [batches], _loss, fitting, report)


def _loss(network: TwoReferences, batch: Batch) -> torch.Tensor:
    fractions, energy, is_oqmd = batch
    return (network(fractions, is_oqmd) - energy).abs().mean()


def _batches(tables: _Tables, batch: int, seed: int) -> ShuffledColumns:
    """The batches of each epoch: fractions (batch, 118), energies (batch,), flags of OQMD (batch,)."""
    columns = (
        np.concatenate([tables.mp.compositions, tables.oqmd.compositions]).astype(np.float32),
        np.concatenate([tables.mp.values, tables.oqmd.values]).astype(np.float32),
        np.repeat(np.array([0, 1], np.float32), [len(tables.mp.values), len(tables.oqmd.values)]),
    )
    return ShuffledColumns(tuple(torch.from_numpy(column) for column in columns), batch, seed)


def inside(table: data.Table, known: np.ndarray) -> tuple[data.Table, int]:
    """The rows that contain only known elements, and the number of other rows."""
    inside = np.isclose(table.compositions[:, known].sum(1), 1.0, atol=1e-9)
    return table.subset(inside), int((~inside).sum())


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the weights. Raises CheckpointError; InputError for missing data."""
    predictor = load_predictor(name, checkpoints)
    _, held_out, _ = data.read_formation_energies(folder)
    return energy_figures.by_size(predictor, inside(held_out, predictor.known_elements.numpy())[0])
