"""The registry of trainable artefacts: predictors that are trained, and tables that are built.

Listing imports neither torch nor the trainers, which are given as "module:function".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name

from core.predictors.registry import predictors


@dataclass(frozen=True)
class Trainable:
    """One trainable artefact.

    trainer : (folder of the raw data, folder of the checkpoints, seed, folder of resume points) -> card; for an
        artefact without `raw_data` () -> None
    evaluator : (name, folder of the raw data, folder of the checkpoints) -> held-out figures; None: there are none
    raw_data : whether the artefact is made from the raw data and has a card
    """

    name: str
    trainer: str
    evaluator: str | None = None
    raw_data: bool = True


# The networks that make crystal structures; the second one is tuned from the first. The figures of their samples, which
# take hours on a CPU, are on the cards beside the held-out figures, and are not computed again.
CRYSTALS = (
    Trainable("crystal-base", "core.training.crystal_base:train", "core.training.crystal_base:held_out_figures"),
    Trainable("crystal-tc", "core.training.crystal_tc:train", "core.training.crystal_tc:held_out_figures"),
)
TABLES = (
    Trainable("prototypes", "core.training.prototypes:train"),
    Trainable(
        "structure-ranking", "core.training.structure_ranking:train", "core.training.structure_ranking:held_out_figures"
    ),
    Trainable(
        "metal-classifier", "core.training.metal_classifier:train", "core.training.metal_classifier:held_out_figures"
    ),
    Trainable("tc-structure", "core.training.tc_structure:train", "core.training.tc_structure:held_out_figures"),
    Trainable("references", "core.training.references:train", "core.training.references:held_out_figures"),
    Trainable("tc-reports", "core.training.tc_reports:train"),
    Trainable("potential-references", "core.training.potential_references:train"),
    Trainable("elements", "core.training.element_table:write_element_table", raw_data=False),
)
# The networks of SuperDiff, one for each class of superconductors; the functions have the names of the classes.
DIFFUSION = tuple(
    Trainable(
        f"superdiff-{name}",
        f"core.training.superdiff:train_{name.replace('-', '_')}",
        "core.training.superdiff:held_out_figures",
    )
    for name in ("cuprate", "iron-based", "other")
)
# In the order in which they are trained: each needs only those before it.
TRAINABLES = {
    each.name: each
    for each in (
        *(Trainable(info.name, info.trainer, info.evaluator) for info in predictors()),
        *DIFFUSION,
        *CRYSTALS,
        *TABLES,
    )
}
EVALUATED = tuple(name for name, each in TRAINABLES.items() if each.evaluator is not None)


def train(name: str, data: Path | None, out: Path, seed: int, build: Path) -> dict:
    """Train or build an artefact, a key of TRAINABLES; returns its held-out figures.

    data : folder of the raw data, see `core.training.data.data_folder`
    out : folder of the checkpoints; build : folder of the resume points

    Raises InputError if the raw data are missing, CheckpointError if `out` lacks a checkpoint that the training needs.
    """
    chosen = TRAINABLES[name]
    trainer = resolve_name(chosen.trainer)
    if not chosen.raw_data:
        trainer()
        return {}
    from core.training.data import data_folder

    return trainer(data_folder(data), out, seed, build)["metrics_held_out"]


def held_out_figures(name: str, data: Path, checkpoints: Path) -> dict:
    """The held-out figures of an artefact in EVALUATED, computed from its weights and the raw data.

    Raises CheckpointError; InputError if the raw data are missing; ValueError for an artefact without figures.
    """
    evaluator = TRAINABLES[name].evaluator
    if evaluator is None:
        raise ValueError(f"{name} has no held-out figures")
    return resolve_name(evaluator)(name, data, checkpoints)
