"""Train formation-energy-ensemble: networks with attention over the elements, on two databases at once.

The Materials Project (MP) and OQMD differ by their elemental references and anion corrections, c . x for a compound.
c is found first, from the compositions with a label of each; then every batch mixes both databases. Most of MP's
compounds are stable and most of OQMD's are not, and a search proposes compounds of both kinds. So neither database may
be forgotten, and what a network learns about MP alone, the rest d, must not be that MP lists stable compounds only:
d is drawn to 0 at the compositions of OQMD. A long first stage with dropout learns both databases alike. A short
second one, without dropout, sees all of MP and a quarter of OQMD in each epoch; there a negative d, which makes a
compound that MP does not list look stable, costs more than a positive one.

Compared on the tuning parts: MAE of MP, MAE of OQMD, and mean signed error of OQMD's compounds that are predicted at -1
to -0.3 eV/atom on the references of MP, all in eV/atom. The six networks together after the first stage 0.0555, 0.0454
and -0.048, after the second 0.0540, 0.0460 and -0.045. One network after the first stage 0.0589, 0.0509 and -0.050;
without dropout 0.0622, 0.0476 and -0.033. One network after second stages of 9 to 12 epochs: with a penalty of 0.1 on
|d| 0.0576, 0.0519 and -0.052; with half of OQMD and a penalty of 0.3 0.0592, 0.0514 and -0.030, if a positive d costs a
third of that 0.0588, 0.0511 and -0.028; the same with a peak learning rate of 2e-3 0.0593, 0.0518 and -0.028; with
dropout and a penalty of 0.05 0.0582, 0.0526 and -0.066; of MP alone 0.0569, 0.096 and -0.099; begun without dropout in
the first stage, with a penalty of 0.1 on |d|, 0.0611, 0.0492 and -0.044.

Compared earlier, with one network, half of the data, batches of 256 and 8 epochs: MAE of MP and of OQMD, and the share
of OQMD's compounds above +0.05 eV/atom that the energies on the references of MP, moved by c, call negative: 0.0870,
0.0722 and 2.3%; without d 0.0898, 0.0714 and 2.0%; with a linear loss 0.0897, 0.0732 and 2.5%. Before the split was
fixed, on 3,000 compositions of each database, some of which are now held out, with a linear loss: 0.0842, 0.0707 and
2.5%; with a rest penalty of 0.03 instead of 0.1 0.0800, 0.0698 and 7%; with a free output for each database 0.0801,
0.0723 and 30%; with 15% of the data and 6 epochs 0.134, 0.114 and 4.8% without d, and 0.128, 0.115 and 13% with a c
that is learnt with the network.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch.nn import functional

from core.chemistry import elements
from core.predictors import checkpoint
from core.predictors.ensemble import Ensemble, SpreadScale, store_members
from core.predictors.formation_energy.attention import (
    ARCHITECTURE,
    FormationEnergyAttention,
    load_formation_energy_ensemble,
    reference_change,
)
from core.predictors.info import MP, OQMD, Role
from core.predictors.interface import estimate_in_batches, predict_in_batches
from core.predictors.layers.bfloat16 import processor_has_bfloat16
from core.predictors.layers.composition_attention import AttentionSize
from core.training import data, energy_figures, energy_split, formation_energy, loop, metrics
from core.training.batches import Batch, DrawnColumns
from core.training.energy_split import EnergySplit
from core.training.loop import FitSettings, Fitting, training_device

NAME = "formation-energy-ensemble"
MEMBER_SEEDS = 1000  # between the seeds of two members
LEAST_COMPOSITIONS = 20  # in MP train, for an element to be known
RIDGE = 3.0  # of the regression for c: elements with few pairs have a c near 0
ROUNDS, LEAST_RESIDUAL = 30, 0.01  # of the reweighting; residuals in eV/atom


@dataclass(frozen=True)
class Stage:
    """Settings of one stage of the training.

    learning_rate : the highest of the one-cycle schedule
    dropout : see `CompositionAttention`
    mp_weight : weight of a compound of MP in the loss; one of OQMD has 1
    oqmd_share : share of the compositions of OQMD in an epoch, others in each epoch
    negative_rest_penalty, positive_rest_penalty : weights of |d| at the compositions of OQMD in the loss
    """

    epochs: int
    batch: int
    learning_rate: float
    dropout: float = 0.0
    mp_weight: float = 1.0
    oqmd_share: float = 1.0
    negative_rest_penalty: float = 0.1
    positive_rest_penalty: float = 0.1


STAGES = (
    Stage(64, 512, 2e-3, dropout=0.1, mp_weight=2.0, negative_rest_penalty=0.08, positive_rest_penalty=0.08),
    Stage(18, 256, 1e-3, oqmd_share=0.25, negative_rest_penalty=0.12, positive_rest_penalty=0.04),
)


@dataclass(frozen=True)
class EnsembleSettings:
    """Settings of the training; all of them are written to the card.

    stages : one after the other, each with an optimiser of its own
    linear_from_eV_per_atom : error above which the loss is linear, and below which it is quadratic
    averaging : decay per step of the averaged weights
    members : networks, which differ in their initial weights and the order of the data
    bfloat16_layers : see `CompositionAttention`; used on a processor with units for it, where a step takes
        0.69 times as long
    """

    stages: tuple[Stage, ...] = STAGES
    linear_from_eV_per_atom: float = 0.05
    weight_decay: float = 0.05
    averaging: float = 0.999
    members: int = 6
    size: AttentionSize = field(default_factory=AttentionSize)
    tf32: bool = True
    bfloat16_layers: bool = True


def train(folder: Path, out: Path, seed: int, build: Path, settings: EnsembleSettings | None = None) -> dict:
    """Train, evaluate on the held-out parts, write weights and card; returns the card.

    Raises InputError if the raw data are missing.
    """
    settings = settings or EnsembleSettings()
    split, known, left = _read(folder, seed)
    offset = reference_offset(*energy_split.both_labels(split.mp, split.oqmd))
    members = _trained(split, known, offset, settings, seed, build)
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "role": Role.FORMATION_ENERGY,
        "what": "Formation energy (eV/atom, Materials Project reference) from the composition: attention ensemble",
        "papers": [
            "Roost, Goodall and Lee 2020: doi:10.1038/s41467-020-19964-7",
            "CrabNet, Wang et al. 2021: doi:10.1038/s41524-021-00545-1",
            "Deep ensembles, Lakshminarayanan et al. 2017: arXiv:1612.01474",
        ],
        "data": {source: data.ATTRIBUTION[source] for source in (MP, OQMD)},
        "cleaning": {**split.mp.counts, **split.mp_held_out.counts, **split.oqmd.counts, **split.counts, **left},
        "split": _about(split, seed),
        "settings": asdict(settings),
        "known_elements": [s for s, k in zip(elements.symbols(), known.tolist(), strict=True) if k],
        "date": datetime.date.today().isoformat(),
    }
    tensors = checkpoint.to_storage(store_members(members))
    checkpoint.save(NAME, tensors, card, out)
    # The figures are those of the stored 16-bit weights, so they are loaded back first.
    card["error_scale"] = asdict(fit_error_scale(load_formation_energy_ensemble(NAME, out), split))
    checkpoint.save(NAME, tensors, card, out)
    card["metrics_tuning"] = _search_figures(
        load_formation_energy_ensemble(NAME, out), {MP: split.mp_tuning, OQMD: split.oqmd_tuning}
    )
    card["metrics_held_out"] = _figures(out, split)
    checkpoint.save(NAME, tensors, card, out)
    return card


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the weights. Raises CheckpointError; InputError for missing data."""
    seed = checkpoint.read_card(name, checkpoints)["split"]["seed"]
    return _figures(checkpoints, _read(folder, seed)[0])


def reference_offset(compositions: np.ndarray, difference: np.ndarray) -> torch.Tensor:
    """c (118,) in eV/atom: energies of OQMD minus those of MP (n,) at compositions (n, 118) are c . reference_change.

    By least absolute deviations, as reweighted least squares: some pairs are different crystal structures.
    """
    factors = reference_change(torch.from_numpy(compositions)).numpy()
    offset, weight = np.zeros(elements.N_ELEMENTS), np.ones(len(factors))
    for _ in range(ROUNDS):
        weighted = (factors * weight[:, None]).T
        offset = np.linalg.solve(weighted @ factors + RIDGE * np.eye(len(offset)), weighted @ difference)
        weight = 1 / np.maximum(np.abs(difference - factors @ offset), LEAST_RESIDUAL)
    return torch.from_numpy(offset).float()


def fit_error_scale(ensemble: Ensemble, split: EnergySplit) -> SpreadScale:
    """Expected error of the mean from the spread of the members, fitted on the tuning parts of both databases."""
    errors, spreads = [], []
    for source, tuning in ((MP, split.mp_tuning), (OQMD, split.oqmd_tuning)):
        x = torch.from_numpy(tuning.compositions).float()
        members = np.stack([predict_in_batches(each, x) for each in ensemble.on_reference(source).members()])
        errors.append(members.mean(0) - tuning.values)
        spreads.append(members.std(0, ddof=1))
    return energy_figures.spread_scale(np.concatenate(errors), np.concatenate(spreads))


def _read(folder: Path, seed: int) -> tuple[EnergySplit, torch.Tensor, dict[str, int]]:
    """The split, the known elements (118,) bool, and counts of the rows with other elements."""
    mp, held_out, oqmd = data.read_formation_energies(folder)
    known = (mp.compositions > 0).sum(0) >= LEAST_COMPOSITIONS
    tables, left = [], {}
    for name, table in (("MP train", mp), ("MP val", held_out), ("OQMD", oqmd)):
        inside, others = formation_energy.inside(table, known)
        compounds = (inside.compositions > 0).sum(1) > 1
        tables.append(inside.subset(compounds))
        left[f"with an element that the network does not know: {name}"] = others
        left[f"elements: {name}"] = int((~compounds).sum())
    return energy_split.split_energies(*tables, seed), torch.from_numpy(known), left


def _about(split: EnergySplit, seed: int) -> dict:
    """The parts of the split, for the card."""
    return {
        "seed": seed,
        "by": "composition: one that is held out of a database, or in its tuning part, is not learnt from the other",
        "held_out": "MP val of Bartel et al. 2020; parts of OQMD",
        "systems held out": f"{energy_split.SYSTEMS_SHARE:.0%} of OQMD's chemical systems, left out of MP too: "
        f"{len(split.systems_held_out.values)} compositions",
        "compositions held out": f"{energy_split.COMPOSITIONS_SHARE:.0%} of OQMD's other compositions: "
        f"{len(split.compositions_held_out.values)}",
        "tuning": f"{energy_split.TUNING_SHARE:.0%} of the remaining compositions, for every choice and the expected "
        f"error: {len(split.mp_tuning.values)} of MP, {len(split.oqmd_tuning.values)} of OQMD",
        "learnt": {MP: len(split.mp.values), OQMD: len(split.oqmd.values)},
    }


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fits of all members, one for each stage, all with the weights that the first begins with.

    `out` is not used. Raises InputError if the raw data are missing.
    """
    split, known, _ = _read(folder, seed)
    offset = reference_offset(*energy_split.both_labels(split.mp, split.oqmd))
    settings = EnsembleSettings()
    models = _new_members(split, known, offset, settings, seed)
    return [_fitting(split, models, settings, stage, seed) for stage in settings.stages]


def _trained(
    split: EnergySplit, known: torch.Tensor, offset: torch.Tensor, settings: EnsembleSettings, seed: int, build: Path
) -> list[FormationEnergyAttention]:
    """All members after all stages; `build` : folder of the resume points."""
    members = _new_members(split, known, offset, settings, seed)
    for n, stage in enumerate(settings.stages, start=1):
        places = [build / f"{NAME}-{seed}-{k}" / f"stage-{n}" for k in range(settings.members)]
        trained = _fitting(split, members, settings, stage, seed).run(places)
        members = [cast(FormationEnergyAttention, member) for member in trained]
    return members


def _new_members(
    split: EnergySplit, known: torch.Tensor, offset: torch.Tensor, settings: EnsembleSettings, seed: int
) -> list[FormationEnergyAttention]:
    models, on_cpu = [], training_device().type == "cpu"
    in_bfloat16 = settings.bfloat16_layers and on_cpu and processor_has_bfloat16()
    for k in range(settings.members):
        torch.manual_seed(seed + MEMBER_SEEDS * k)
        models.append(FormationEnergyAttention(NAME, settings.size, known, offset))
        models[-1].network.bfloat16_layers = in_bfloat16
    if loop.captures_steps():
        most = max(int((table.compositions > 0).sum(1).max()) for table in (split.mp, split.oqmd))
        models = [model.capturable(most) for model in models]
    return models


def _fitting(
    split: EnergySplit, models: Sequence[FormationEnergyAttention], settings: EnsembleSettings, stage: Stage, seed: int
) -> Fitting:
    """The fit of all members to both databases in one stage."""
    for model in models:
        model.train()
        model.network.dropout = stage.dropout
    columns, whole = _columns(split, models[0].offset), len(split.mp.values)
    batches = [
        DrawnColumns(columns, stage.batch, seed + MEMBER_SEEDS * k, whole, stage.oqmd_share)
        for k in range(settings.members)
    ]
    fit_settings = FitSettings(
        stage.epochs, batches[0].steps, stage.learning_rate, settings.weight_decay, settings.averaging,
        tf32=settings.tf32,
    )  # fmt: skip
    tuning = [
        (torch.from_numpy(table.compositions).float().to(training_device()), table.values, source)
        for table, source in ((split.mp_tuning, MP), (split.oqmd_tuning, OQMD))
    ]

    def report(network: FormationEnergyAttention) -> dict[str, float]:
        return {
            f"tuning_mae_{source}_eV_per_atom": metrics.mean_absolute_error(
                predict_in_batches(network.on_reference(source), x), values
            )
            for x, values, source in tuning
        }

    def loss(network: FormationEnergyAttention, batch: Batch) -> torch.Tensor:
        fractions, target, is_mp = batch
        energy, rest = network.energy_and_rest(fractions).unbind(1)
        linear_from = settings.linear_from_eV_per_atom
        error = functional.smooth_l1_loss(energy + is_mp * rest, target, reduction="none", beta=linear_from)
        weight = 1 + (stage.mp_weight - 1) * is_mp
        penalty = stage.negative_rest_penalty * (-rest).relu() + stage.positive_rest_penalty * rest.relu()
        return (weight * error + (1 - is_mp) * penalty).mean()

    return Fitting(f"{NAME} on {MP} and {OQMD}", models, batches, loss, fit_settings, report)


def _columns(split: EnergySplit, offset: torch.Tensor) -> Batch:
    """What is learnt: fractions (n, 118), energies (n,) moved to the references of OQMD by c, flags of MP (n,)."""
    x = torch.from_numpy(np.concatenate([split.mp.compositions, split.oqmd.compositions])).float()
    energy = torch.from_numpy(np.concatenate([split.mp.values, split.oqmd.values])).float()
    is_mp = (torch.arange(len(energy)) < len(split.mp.values)).float()
    return x, energy + is_mp * (reference_change(x) @ offset), is_mp


def _search_figures(ensemble: Ensemble, tables: Mapping[str, data.Table]) -> dict:
    """`energy_figures.search_figures` of tables, whose names begin with their database, on its references.

    For tables of OQMD also of the energies on the references of MP, with the labels moved there by c: a search uses
    these, and nothing in MP is like most compounds of OQMD.
    """
    parts = {}
    for name, table in tables.items():
        source = MP if name.startswith(MP) else OQMD
        x = torch.from_numpy(table.compositions).float()
        parts[name] = (estimate_in_batches(ensemble.on_reference(source), x), table.values)
        if source == OQMD:
            offset = cast(FormationEnergyAttention, ensemble.members()[0]).offset
            moved = table.values - (reference_change(x) @ offset).numpy()
            parts[f"{name}_on_{MP}"] = (estimate_in_batches(ensemble, x), moved)
    return energy_figures.search_figures(parts)


def _figures(checkpoints: Path, split: EnergySplit) -> dict:
    """Every figure of the card: on MP val on the references of MP, on the parts of OQMD on its own."""
    ensemble = load_formation_energy_ensemble(NAME, checkpoints)
    parts = {
        f"{MP}_val": split.mp_held_out,
        f"{OQMD}_compositions": split.compositions_held_out,
        f"{OQMD}_systems": split.systems_held_out,
    }
    return {
        **energy_figures.by_size(ensemble, split.mp_held_out),
        "largest_at_elements_eV_per_atom": _largest_at_elements(ensemble),
        **_search_figures(ensemble, parts),
    }


def _largest_at_elements(ensemble: Ensemble) -> float:
    """Largest absolute energy of a known element, in eV/atom."""
    pure = torch.eye(elements.N_ELEMENTS)[ensemble.known_elements]
    return float(np.abs(predict_in_batches(ensemble, pure)).max())
