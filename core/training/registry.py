"""The registry of trainable artefacts: predictors that are trained, and tables that are built.

Listing imports neither torch nor the trainers, which are given as "module:function".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name

from core.errors import InputError
from core.predictors.registry import predictors


@dataclass(frozen=True)
class Trainable:
    """One trainable artefact.

    trainer : (folder of the raw data, folder of the checkpoints, seed, folder of resume points) -> card; for an
        artefact without `raw_data` () -> None
    continuation : the same as `trainer`, but goes on from the artefact in the folder of the checkpoints; None: it is
        always made from the beginning
    evaluator : (name, folder of the raw data, folder of the checkpoints) -> held-out figures; None: there are none
    sampler : (name, folder of the raw data, folder of the checkpoints, folder of resume points) -> figures of samples;
        None: there are none
    raw_data : whether the artefact is made from the raw data and has a card
    """

    name: str
    trainer: str
    evaluator: str | None = None
    raw_data: bool = True
    continuation: str | None = None
    sampler: str | None = None


LIBRARY = Trainable("prototypes", "core.training.prototypes:train")
# The networks that make crystal structures; the second one is tuned from the first. The figures of their samples, which
# take an hour on a CPU and need the prototypes, are on the cards beside the held-out figures.
CRYSTALS = (
    Trainable(
        "crystal-base",
        "core.training.crystal_base:train",
        "core.training.crystal_base:held_out_figures",
        continuation="core.training.crystal_base:train_on",
        sampler="core.training.crystal_samples:figures_again",
    ),
    Trainable(
        "crystal-tc",
        "core.training.crystal_tc:train",
        "core.training.crystal_tc:held_out_figures",
        sampler="core.training.crystal_samples:figures_again",
    ),
)
TABLES = (
    Trainable("large-cells", "core.training.large_cells:train"),
    Trainable(
        "structure-ranking", "core.training.structure_ranking:train", "core.training.structure_ranking:held_out_figures"
    ),
    Trainable(
        "metal-classifier", "core.training.metal_classifier:train", "core.training.metal_classifier:held_out_figures"
    ),
    Trainable("tc-structure", "core.training.tc_structure:train", "core.training.tc_structure:held_out_figures"),
    Trainable("references", "core.training.references:train", "core.training.references:held_out_figures"),
    Trainable("tc-reports", "core.training.tc_reports:train"),
    Trainable(
        "potential-references",
        "core.training.potential_references:train",
        continuation="core.training.potential_references:train_on",
    ),
    Trainable("elements", "core.training.element_table:write_element_table", raw_data=False),
)
# The networks of SuperDiff, one for each class of superconductors; the functions have the names of the classes.
SUPERDIFF, ALL = "superdiff", "all"
CLASSES = ("cuprate", "iron-based", "other")
DIFFUSION = tuple(
    Trainable(
        f"{SUPERDIFF}-{name}",
        f"core.training.superdiff:train_{name.replace('-', '_')}",
        "core.training.superdiff:held_out_figures",
    )
    for name in CLASSES
)
# In the order in which they are trained: each needs only those before it.
TRAINABLES = {
    each.name: each
    for each in (
        *(Trainable(info.name, info.trainer, info.evaluator) for info in predictors()),
        *DIFFUSION,
        LIBRARY,
        *CRYSTALS,
        *TABLES,
    )
}
EVALUATED = tuple(name for name, each in TRAINABLES.items() if each.evaluator is not None)
SAMPLED = tuple(name for name, each in TRAINABLES.items() if each.sampler is not None)


def names_of(name: str, of_class: str | None = None) -> tuple[str, ...]:
    """The artefacts that are meant: keys of TRAINABLES; the networks of SuperDiff for the name SUPERDIFF.

    of_class : one of CLASSES, or ALL, of SuperDiff; None: all

    Raises InputError for a class of another artefact.
    """
    if name != SUPERDIFF:
        if of_class is not None:
            raise InputError("class", of_class, f"only {SUPERDIFF} has classes", "Leave --class out")
        return (name,)
    return tuple(f"{SUPERDIFF}-{each}" for each in CLASSES if of_class in (None, ALL, each))


def train(name: str, data: Path | None, out: Path, seed: int, build: Path, continued: bool = False) -> dict:
    """Train or build an artefact, a key of TRAINABLES; returns its held-out figures.

    data : folder of the raw data, see `core.training.data.data_folder`
    out : folder of the checkpoints; build : folder of the resume points
    continued : whether to go on from the artefact in `out`

    Raises InputError if the raw data are missing or there is nothing to go on from, CheckpointError if `out`
    lacks a checkpoint that the training needs.
    """
    chosen = TRAINABLES[name]
    if continued and chosen.continuation is None:
        able = ", ".join(each.name for each in TRAINABLES.values() if each.continuation is not None)
        raise InputError("name", name, f"these can be continued: {able}", "Leave --continue out")
    trainer = resolve_name((continued and chosen.continuation) or chosen.trainer)
    if not chosen.raw_data:
        trainer()
        return {}
    from core.training.data import data_folder

    return trainer(data_folder(data), out, seed, build)["metrics_held_out"]


def sample_figures(name: str, data: Path, checkpoints: Path, build: Path) -> dict:
    """The figures of samples of an artefact in SAMPLED, sampled again. build : folder of the resume points

    Raises CheckpointError; InputError if the raw data are missing, or for an artefact that is not sampled.
    """
    if name not in SAMPLED:
        raise InputError("name", name, f"samples are drawn from {', '.join(SAMPLED)}", "Leave --samples out")
    return resolve_name(str(TRAINABLES[name].sampler))(name, data, checkpoints, build)


def held_out_figures(name: str, data: Path, checkpoints: Path) -> dict:
    """The held-out figures of an artefact in EVALUATED, computed from its weights and the raw data.

    Raises CheckpointError; InputError if the raw data are missing; ValueError for an artefact without figures.
    """
    evaluator = TRAINABLES[name].evaluator
    if evaluator is None:
        raise ValueError(f"{name} has no held-out figures")
    return resolve_name(evaluator)(name, data, checkpoints)
