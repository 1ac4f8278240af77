"""The registry of predictors: the only place that lists them. Listing imports neither torch nor the networks.

To add a predictor, `register` it here; `core.predictors.info` describes the fields. Predictors are registered in
the order of their training: the training of each needs only those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from core.errors import InputError, shown
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.info import PredictorInfo, Role

if TYPE_CHECKING:
    from core.predictors.interface import Predictor

# Sets of models that belong together, best first: key -> label.
MODEL_SETS = {"best": "Best", "published": "As published"}

_REGISTERED: dict[str, PredictorInfo] = {}


def register(info: PredictorInfo) -> None:
    """Add a predictor. Raises ValueError if its name, or its role in its model set, is already taken."""
    if info.name in _REGISTERED:
        raise ValueError(f"a predictor named {info.name} is already registered")
    if info.model_set is not None and _in_set(info.model_set, info.role):
        raise ValueError(f"the model set “{info.model_set}” already has a predictor of the role {info.role}")
    _REGISTERED[info.name] = info


def predictors(role: Role | None = None) -> tuple[PredictorInfo, ...]:
    """All predictors, or those of one role, in the order of registration."""
    return tuple(info for info in _REGISTERED.values() if role in (None, info.role))


def predictor_info(name: str) -> PredictorInfo:
    """The registered predictor with this name. Raises CheckpointError for an unknown name."""
    if name not in _REGISTERED:
        raise checkpoint.CheckpointError(f"No predictor is named {shown(name)}. Registered: {', '.join(_REGISTERED)}.")
    return _REGISTERED[name]


def _in_set(model_set: str, role: Role) -> list[str]:
    return [info.name for info in predictors(role) if info.model_set == model_set]


register(
    PredictorInfo(
        name="tc",
        role=Role.TC,
        label="Critical temperature, as published",
        architecture="resnet18-periodic-table-v1",
        loader="core.predictors.tc.resnet_fused:load_fused_tc_resnet",
        loader_as_trained="core.predictors.tc.resnet:load_tc_resnet",
        trainer="core.training.tc:train",
        evaluator="core.training.tc:held_out_figures",
        model_set="published",
    )
)
register(
    PredictorInfo(
        name="judge",
        role=Role.CONTROL,
        label="Control model",
        architecture="tc-trees-v1",
        loader="core.predictors.control_model:load_control_model",
        trainer="core.training.control_model:train",
        evaluator="core.training.control_model:held_out_figures",
    )
)
register(
    PredictorInfo(
        name="formation-energy",
        role=Role.FORMATION_ENERGY,
        label="Formation energy, as published",
        architecture="elemnet-v1",
        loader="core.predictors.formation_energy.elemnet_pruned:load_pruned_elemnet",
        loader_as_trained="core.predictors.formation_energy.elemnet:load_elemnet",
        trainer="core.training.formation_energy:train",
        evaluator="core.training.formation_energy:held_out_figures",
        model_set="published",
    )
)
register(
    PredictorInfo(
        name="formation-energy-ensemble",
        role=Role.FORMATION_ENERGY,
        label="Formation energy",
        architecture="formation-energy-ensemble-v2",
        loader="core.predictors.formation_energy.attention:load_formation_energy_ensemble",
        trainer="core.training.formation_energy_ensemble:train",
        evaluator="core.training.formation_energy_ensemble:held_out_figures",
        model_set="best",
        member_count=lambda settings: settings["members"],
    )
)
register(
    PredictorInfo(
        name="tc-ensemble",
        role=Role.TC,
        label="Critical temperature",
        architecture="tc-ensemble-v5",
        loader="core.predictors.tc.ensemble:load_tc_ensemble",
        trainer="core.training.tc_ensemble:train",
        evaluator="core.training.tc_ensemble:held_out_figures",
        model_set="best",
        member_count=lambda settings: len(settings["heights"]) + len(settings["networks"]),
    )
)


@dataclass(frozen=True)
class Models:
    """Names of the checkpoints that predict the critical temperature and the formation energy."""

    tc: str
    formation_energy: str


def _models(model_set: str) -> Models:
    (tc,), (formation_energy,) = (_in_set(model_set, role) for role in (Role.TC, Role.FORMATION_ENERGY))
    return Models(tc, formation_energy)


MODELS = {model_set: _models(model_set) for model_set in MODEL_SETS}
BEST = MODELS["best"]
PUBLISHED = MODELS["published"]  # the architectures of the papers: ResNet18 and ElemNet
(CONTROL,) = (info.name for info in predictors(Role.CONTROL))


def check_models(models: Models) -> list[InputError]:
    """Errors of the models of a problem, each of which must be a registered predictor of its role."""
    return [
        *check_role(models.tc, Role.TC, "tc_predictor"),
        *check_role(models.formation_energy, Role.FORMATION_ENERGY, "formation_energy_predictor"),
    ]


def check_role(name: object, role: Role, field: str) -> list[InputError]:
    """An InputError for this field unless `name` is a registered predictor of this role."""
    info = _REGISTERED.get(name) if isinstance(name, str) else None
    if info is not None and info.role is role:
        return []
    wrong = "no predictor has this name" if info is None else f"this model predicts {info.role.predicts}"
    choices = ", ".join(each.name for each in predictors(role))
    rule = f"{wrong}; a model that predicts {role.predicts} is required"
    return [InputError(field, name, rule, f"Choose one of: {choices}")]


def load_predictor(name: str, folder: Path = CHECKPOINTS) -> Predictor:
    """The trained predictor with this name, ready for evaluation.

    Raises CheckpointError for an unknown name, for the control model, for a card with another architecture or role
    than the registered one, or without a role, and for the reasons listed in `checkpoint.load`.
    """
    info = _with_matching_card(name, folder)
    with checkpoint.refusing_what_does_not_fit(name):
        return resolve_name(info.loader)(name, folder)


def load_as_trained(name: str, folder: Path = CHECKPOINTS) -> Predictor:
    """As `load_predictor`, but with the network as trained instead of the version rewritten for speed."""
    info = _with_matching_card(name, folder)
    with checkpoint.refusing_what_does_not_fit(name):
        return resolve_name(info.loader_as_trained or info.loader)(name, folder)


def _with_matching_card(name: str, folder: Path) -> PredictorInfo:
    info = predictor_info(name)
    if info.role is Role.CONTROL:
        raise checkpoint.CheckpointError(
            f"{name} is the control model, which is not differentiable. Load it with load_control_model."
        )
    card = checkpoint.read_card(name, folder)
    checkpoint.check_architecture(name, card, info.architecture)
    checkpoint.check_role(name, card, info.role)
    return info


def member_count(name: str, folder: Path = CHECKPOINTS) -> int:
    """Number of members of this predictor (see `Predictor.members`), from its card. Raises CheckpointError."""
    info = predictor_info(name)
    with checkpoint.refusing_what_does_not_fit(name):
        return info.member_count(checkpoint.read_card(name, folder)["settings"])


def known_elements(name: str, folder: Path = CHECKPOINTS) -> frozenset[str]:
    """Symbols of the known elements of this predictor, from its card. Raises CheckpointError if the card lists none."""
    symbols = checkpoint.read_card(name, folder).get("known_elements")
    if symbols is None:
        raise checkpoint.CheckpointError(f"The card of {name} lists no known elements.")
    return frozenset(symbols)
