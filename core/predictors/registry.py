"""From a predictor's name to the predictor: the card says which architecture loads it."""

from __future__ import annotations

from pathlib import Path

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.formation_energy import elemnet
from core.predictors.formation_energy.elemnet_pruned import LeanElemNet
from core.predictors.interface import Predictor
from core.predictors.layers import composition_attention
from core.predictors.tc import ensemble, resnet
from core.predictors.tc.resnet_fused import FoldedTcResNet


def _folded_tc_resnet(name: str, folder: Path) -> Predictor:
    return FoldedTcResNet(resnet.load_tc_resnet(name, folder)).eval().requires_grad_(False)


def _lean_elemnet(name: str, folder: Path) -> Predictor:
    return LeanElemNet(elemnet.load_elemnet(name, folder)).eval().requires_grad_(False)


LOADERS = {
    resnet.ARCHITECTURE: _folded_tc_resnet,
    ensemble.ARCHITECTURE: ensemble.load_tc_ensemble,
    elemnet.ARCHITECTURE: _lean_elemnet,
    composition_attention.FORMATION_ENERGY: composition_attention.load_formation_energy,
}


def load_predictor(name: str, folder: Path = CHECKPOINTS) -> Predictor:
    """The trained predictor of this name, ready for evaluation. Raises CheckpointError."""
    architecture = checkpoint.read_card(name, folder)["architecture"]
    if architecture not in LOADERS:
        raise checkpoint.CheckpointError(
            f"The card of {name} names an unknown architecture, “{architecture}”. Known: {', '.join(LOADERS)}."
        )
    return LOADERS[architecture](name, folder)


# In how many steps each member has been climbed once, from the settings on the card; 1 for what is one network.
TURNS = {
    ensemble.ARCHITECTURE: lambda settings: len(settings["heights"]) + len(settings["networks"]),
    composition_attention.FORMATION_ENERGY: lambda settings: settings["members"],
}


def turns(name: str, folder: Path = CHECKPOINTS) -> int:
    """How many members of this predictor are climbed in turn (see `interface.climbed`); loads no weights."""
    card = checkpoint.read_card(name, folder)
    return TURNS.get(card["architecture"], lambda settings: 1)(card["settings"])


def known_elements(name: str, folder: Path = CHECKPOINTS) -> frozenset[str]:
    """Symbols of the elements that this predictor knows, from its card; loads no weights."""
    return frozenset(checkpoint.read_card(name, folder)["known_elements"])
