"""Train the formation-energy models: ElemNet as published, and an ensemble of networks with attention over elements.

The data are the Materials Project (MP) and OQMD. The two databases differ by their elemental references and anion
corrections, and both differences are linear in the composition. So a network learns the energy on the reference of MP,
and the energy of OQMD is that energy plus a learned c . x with one number per element; c is discarded after training.
ElemNet learns from both at once. A network with attention learns from OQMD first and then from MP, in two cycles.

MAE on validation in eV/atom: 0.0548 for one of the eight networks on average (0.0536 to 0.0560), 0.0554 without the
second cycle of MP, and no better with a third; of 2, 4 and 8 averaged 0.0513, 0.0494 and 0.0484. Other cycles of OQMD
and of MP, one network, in epochs: 0.0558 (20 and 40 at 1e-3), 0.0573 (20 and 40 at 5e-4), 0.0583 (12 of both, then 30
at 5e-4), 0.0590 (10 and 30 at 1e-3), 0.0617 (30 of MP alone at 1e-3). With a weight decay of 0.3 instead of 0.01 in
the second cycle the network forgets OQMD: 0.0559 instead of 0.0536.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from core.chemistry import elements
from core.predictors import checkpoint
from core.predictors.ensemble import SpreadScale, store_members
from core.predictors.formation_energy import attention, elemnet
from core.predictors.formation_energy.attention import FormationEnergyAttention, load_formation_energy_ensemble
from core.predictors.formation_energy.elemnet import ElemNet, FormationEnergyElemNet, elemnet_elements, load_elemnet
from core.predictors.interface import NetworkPredictor, Predictor, estimate_in_batches, predict_in_batches
from core.predictors.layers.composition_attention import AttentionSize
from core.predictors.registry import load_predictor
from core.training import data, loop, metrics
from core.training.batches import Batch, ShuffledColumns
from core.training.loop import FitSettings, Fitting, training_device

MP, OQMD = "mp", "oqmd"
NAME = "formation-energy"
ENSEMBLE_NAME = "formation-energy-ensemble"
VALIDATION_SHARE = 0.05  # of MP train, to monitor the training; the MP val split is used once, at the end
MEMBER_SEEDS = 1000  # between the seeds of two members
LEAST_COMPOSITIONS = 20  # in MP train, for an element to be known


@dataclass(frozen=True)
class Stage:
    """One cycle of the learning rate. `sources` : the databases, of MP and OQMD."""

    sources: tuple[str, ...]
    epochs: int
    learning_rate: float


@dataclass(frozen=True)
class FormationEnergySettings:
    """Settings of a training; all of them are written to the card."""

    stages: tuple[Stage, ...]  # in this order
    batch: int
    weight_decay: float
    members: int = 1  # of the ensemble; they differ in their initial weights and the order of the data

    @property
    def sources(self) -> tuple[str, ...]:
        """All databases that are used, MP first."""
        return tuple(source for source in (MP, OQMD) if any(source in stage.sources for stage in self.stages))


@dataclass(frozen=True)
class Recipe:
    """The differences between the two predictors.

    build(known) : a member with new weights that knows these elements (118,) bool
    stored(members) : their tensors for the checkpoint; load(name, folder) : the predictor of the checkpoint
    known : symbols of its elements; None: those with LEAST_COMPOSITIONS in the data
    """

    name: str
    architecture: str
    what: str
    papers: tuple[str, ...]
    settings: FormationEnergySettings
    build: Callable[[torch.Tensor], NetworkPredictor]
    stored: Callable[[list], dict[str, torch.Tensor]]
    load: Callable[[str, Path], Predictor]
    known: tuple[str, ...] | None = None


def _stored_elemnet(members: list[FormationEnergyElemNet]) -> dict[str, torch.Tensor]:
    """The weights with the names of an ElemNet with dropout layers, which have no weights but are numbered too."""
    (predictor,) = members
    return dict(zip(ElemNet().state_dict(), predictor.network.state_dict().values(), strict=True))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name=NAME,
            architecture=elemnet.ARCHITECTURE,
            what="Formation energy (eV/atom, Materials Project reference) from the composition: ElemNet",
            papers=("Jha et al. 2018: doi:10.1038/s41598-018-35934-y", "KIAGO: doi:10.1039/d5dd00250h"),
            settings=FormationEnergySettings((Stage((MP, OQMD), 40, 1e-3),), batch=512, weight_decay=0.01),
            # Without the dropout of Jha et al.; the averaging of the weights regularises instead.
            build=lambda known: FormationEnergyElemNet(NAME, ElemNet(dropout=False)),
            stored=_stored_elemnet,
            load=load_elemnet,
            known=elemnet_elements(),
        ),
        Recipe(
            name=ENSEMBLE_NAME,
            architecture=attention.ARCHITECTURE,
            what="Formation energy (eV/atom, Materials Project reference) from the composition: attention ensemble",
            papers=(
                "Roost, Goodall and Lee 2020: doi:10.1038/s41467-020-19964-7",
                "CrabNet, Wang et al. 2021: doi:10.1038/s41524-021-00545-1",
                "Deep ensembles, Lakshminarayanan et al. 2017: arXiv:1612.01474",
            ),
            settings=FormationEnergySettings(
                (Stage((OQMD,), 20, 1e-3), Stage((MP,), 60, 1.5e-3), Stage((MP,), 24, 1e-3)),
                batch=256,
                weight_decay=0.01,
                members=8,
            ),
            build=lambda known: FormationEnergyAttention(ENSEMBLE_NAME, AttentionSize(), known),
            stored=store_members,
            load=load_formation_energy_ensemble,
        ),
    )
}


class TwoReferences(nn.Module):
    """A predictor on the MP reference, plus c . x for an energy from OQMD."""

    def __init__(self, predictor: NetworkPredictor):
        super().__init__()
        self.predictor = predictor
        self.offset = nn.Parameter(torch.zeros(elements.N_ELEMENTS))

    def forward(self, composition: torch.Tensor, is_oqmd: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, 118), source flag (batch,) of 0 or 1 -> formation energy (batch,) in eV/atom."""
        return self.predictor(composition) + is_oqmd * (composition @ self.offset)


def train_elemnet(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """`train` by the recipe of ElemNet."""
    return train(folder, out, seed, build, RECIPES[NAME])


def train_ensemble(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """`train` by the recipe of the ensemble."""
    return train(folder, out, seed, build, RECIPES[ENSEMBLE_NAME])


def train(folder: Path, out: Path, seed: int, build: Path, recipe: Recipe) -> dict:
    """Train, evaluate on the MP val split, write weights and card; returns the card.

    Raises InputError if the raw data are missing.
    """
    settings, tables = recipe.settings, _Tables.read(folder, recipe, seed)
    held_out, known, validation = tables.held_out, tables.known, tables.validation
    places = [build / place for place in _resume_points(recipe, seed)]
    members = _trained(tables.learnt, validation, recipe, torch.from_numpy(known), _seeds(recipe, seed), places)
    card = {
        "name": recipe.name,
        "architecture": recipe.architecture,
        "what": recipe.what,
        "papers": list(recipe.papers),
        "data": {k: data.ATTRIBUTION[k] for k in settings.sources},
        "cleaning": {
            **tables.counts,
        },
        "split": {
            "held_out": "MP val of Bartel et al. 2020",
            "validation": f"{VALIDATION_SHARE:.0%} of MP train",
            "by": "composition",
            "seed": seed,
        },
        "settings": asdict(settings),
        "known_elements": [s for s, k in zip(elements.symbols(), known, strict=True) if k],
        "date": datetime.date.today().isoformat(),
    }
    tensors = checkpoint.to_storage(recipe.stored(members))
    checkpoint.save(recipe.name, tensors, card, out)
    # The figures are those of the stored 16-bit weights, so they are loaded back first.
    if settings.members > 1:
        card["error_scale"] = asdict(fit_spread_scale(recipe.load(recipe.name, out), validation))
        checkpoint.save(recipe.name, tensors, card, out)
    card["metrics_held_out"] = evaluate(recipe.load(recipe.name, out), held_out)
    checkpoint.save(recipe.name, tensors, card, out)
    return card


@dataclass(frozen=True)
class _Tables:
    """The data, with the rows of unknown elements left out.

    learnt : by database, without the compositions of `validation`
    known : (118,) bool
    counts : of the cleaning
    """

    learnt: dict[str, data.Table]
    validation: data.Table
    held_out: data.Table
    known: np.ndarray
    counts: dict[str, int]

    @classmethod
    def read(cls, folder: Path, recipe: Recipe, seed: int) -> _Tables:
        mp, held_out, oqmd = data.read_formation_energies(folder)
        known, with_oqmd = _known(recipe, mp), OQMD in recipe.settings.sources
        (mp, n_mp), (oqmd, n_oqmd), (held_out, n_held_out) = (_inside(t, known) for t in (mp, oqmd, held_out))
        train_rows, valid_rows = data.split(len(mp.values), (1 - VALIDATION_SHARE, VALIDATION_SHARE), seed)
        validation = mp.subset(valid_rows)
        valid_keys = set(validation.composition_keys())
        counts = {
            **mp.counts,
            **held_out.counts,
            **(oqmd.counts if with_oqmd else {}),
            "with an element that the network does not know: MP train": n_mp,
            "with an element that the network does not know: MP val": n_held_out,
            **({"with an element that the network does not know: OQMD": n_oqmd} if with_oqmd else {}),
        }
        learnt = {
            MP: mp.subset(train_rows),
            OQMD: oqmd.subset(np.array([key not in valid_keys for key in oqmd.composition_keys()])),
        }
        return cls(learnt, validation, held_out, known, counts)


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fits of a training, one for each stage, as they begin; each trains all members. `out` is not used.

    Raises InputError if the raw data are missing.
    """
    tables, recipe = _Tables.read(folder, RECIPES[name], seed), RECIPES[name]
    return _stages(tables.learnt, tables.validation, recipe, torch.from_numpy(tables.known), _seeds(recipe, seed))


def _seeds(recipe: Recipe, seed: int) -> list[int]:
    return [seed + MEMBER_SEEDS * k for k in range(recipe.settings.members)]


def _resume_points(recipe: Recipe, seed: int) -> list[str]:
    """Names of the folders of the members' resume points."""
    if recipe.settings.members == 1:
        return [f"{recipe.name}-{seed}"]
    return [f"{recipe.name}-{seed}-{k}" for k in range(recipe.settings.members)]


def _trained(
    learnt: dict[str, data.Table],
    validation: data.Table,
    recipe: Recipe,
    known: torch.Tensor,
    seeds: Sequence[int],
    resumes: Sequence[Path],
) -> list[NetworkPredictor]:
    """One member for each seed, trained in the stages of the recipe on the tables by their source."""
    models = None
    for number, stage in enumerate(_stages(learnt, validation, recipe, known, seeds), start=1):
        models = stage.run([resume / f"stage-{number}" for resume in resumes], models)
    return [model.predictor for model in cast(list[TwoReferences], models)]


def _stages(
    learnt: dict[str, data.Table], validation: data.Table, recipe: Recipe, known: torch.Tensor, seeds: Sequence[int]
) -> list[Fitting]:
    """The fits of the stages, each beginning with new members, one for each seed."""
    models = []
    for seed in seeds:
        torch.manual_seed(seed)
        models.append(TwoReferences(recipe.build(known)))
    if loop.captures_steps():
        most = max(int((table.compositions > 0).sum(1).max()) for table in learnt.values())
        for model in models:
            model.predictor = cast(NetworkPredictor, model.predictor.capturable(most))
    x = torch.from_numpy(validation.compositions).float().to(training_device())

    def report(network: TwoReferences) -> dict[str, float]:
        predicted = predict_in_batches(network.predictor, x)
        return {"validation_mae_eV_per_atom": metrics.mean_absolute_error(predicted, validation.values)}

    stages = []
    for stage in recipe.settings.stages:
        batches = _batches([learnt[source] for source in stage.sources], stage.sources, recipe.settings.batch)
        fitting = FitSettings(stage.epochs, batches.steps, stage.learning_rate, recipe.settings.weight_decay)
        name = f"{recipe.name} on {' and '.join(stage.sources)}"
        stages.append(Fitting(name, models, [batches.with_seed(seed) for seed in seeds], _loss, fitting, report))
    return stages


def _loss(network: TwoReferences, batch: Batch) -> torch.Tensor:
    fractions, energy, source = batch
    return (network(fractions, source) - energy).abs().mean()


def _batches(tables: Sequence[data.Table], sources: tuple[str, ...], batch: int) -> ShuffledColumns:
    """The batches of each epoch: fractions (batch, 118), energies (batch,), flags of OQMD (batch,)."""
    columns = (
        np.concatenate([table.compositions for table in tables]).astype(np.float32),
        np.concatenate([table.values for table in tables]).astype(np.float32),
        np.repeat(np.array([source == OQMD for source in sources], np.float32), [len(t.values) for t in tables]),
    )
    return ShuffledColumns(tuple(torch.from_numpy(column) for column in columns), batch, seed=0)


def _known(recipe: Recipe, table: data.Table) -> np.ndarray:
    """The known elements of this recipe, (118,) bool."""
    if recipe.known is None:
        return (table.compositions > 0).sum(0) >= LEAST_COMPOSITIONS
    return np.array([symbol in recipe.known for symbol in elements.symbols()])


def _inside(table: data.Table, known: np.ndarray) -> tuple[data.Table, int]:
    """The rows that contain only known elements, and the number of other rows."""
    inside = np.isclose(table.compositions[:, known].sum(1), 1.0, atol=1e-9)
    return table.subset(inside), int((~inside).sum())


def fit_spread_scale(ensemble: Predictor, validation: data.Table) -> SpreadScale:
    """Expected error of the mean from the spread of the members, fitted on compositions outside the training set."""
    x = torch.from_numpy(validation.compositions).float()
    members = np.stack([predict_in_batches(member, x) for member in ensemble.members()])
    return spread_scale(members.mean(0) - validation.values, members.std(0, ddof=1))


def spread_scale(error: np.ndarray, spread: np.ndarray) -> SpreadScale:
    """The scale of errors (n,) from spreads (n,), both in eV/atom."""
    fitted = metrics.fit_scale(error, lambda p: SpreadScale(*p)(spread), [0.02, 0.8])
    return SpreadScale(*(float(value) for value in fitted))


def evaluate(predictor: Predictor, held_out: data.Table) -> dict:
    """Every figure of the card on the MP val split."""
    estimates = estimate_in_batches(predictor, torch.from_numpy(held_out.compositions).float())
    predicted, size = estimates.value, (held_out.compositions > 0).sum(1)
    error = np.abs(predicted - held_out.values)
    inside = {}
    if predictor.gives_error:
        inside = {"inside_intervals": metrics.inside_intervals(error, estimates.std / 2**0.5)}
    return {
        "formation_energy_mae_eV_per_atom": metrics.mean_absolute_error(predicted, held_out.values),
        "formation_energy_median_absolute_error_eV_per_atom": metrics.median_absolute_error(predicted, held_out.values),
        "formation_energy_r2": metrics.r_squared(predicted, held_out.values),
        **inside,
        "n": len(held_out.values),
        "by_number_of_elements": {
            str(count): {
                "n": int((size == count).sum()),
                "formation_energy_mae_eV_per_atom": float(error[size == count].mean()),
                "formation_energy_median_absolute_error_eV_per_atom": float(np.median(error[size == count])),
            }
            for count in np.unique(size)
        },
    }


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the weights. Raises CheckpointError; InputError for missing data."""
    predictor = load_predictor(name, checkpoints)
    _, held_out, _ = data.read_formation_energies(folder)
    return evaluate(predictor, _inside(held_out, predictor.known_elements.numpy())[0])
