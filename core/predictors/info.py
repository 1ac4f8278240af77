"""Description of a predictor in the registry: plain data, so that predictors can be listed without importing torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Role of a predictor in a design."""

    TC = "tc"
    FORMATION_ENERGY = "formation_energy"
    CONTROL = "control"

    @property
    def predicts(self) -> str:
        """The predicted property with its unit, and for the control model its purpose."""
        return _PREDICTS[self]


# Databases whose references a formation energy may be on: those of the elements, and corrections of anions.
MP, OQMD = "mp", "oqmd"
ENERGY_REFERENCES = (MP, OQMD)  # the default first

_PREDICTS = {
    Role.TC: "the critical temperature (K)",
    Role.FORMATION_ENERGY: "the formation energy (eV/atom)",
    Role.CONTROL: "the critical temperature (K) as a control that is never optimised",
}


def _one(settings: Mapping) -> int:
    return 1


@dataclass(frozen=True)
class PredictorInfo:
    """Description of one predictor. Functions are given as "module:function" and imported on first use.

    name : checkpoint name, as stored in a problem
    role : predicted property
    label : name on pages
    architecture : value that the card must have
    loader : (name, folder of the checkpoints) -> predictor
    trainer : (folder of the raw data, folder of the checkpoints, seed, folder of resume points) -> card
    evaluator : (name, folder of the raw data, folder of the checkpoints) -> held-out figures
    model_set : key of the set of models to which the predictor belongs; None: none
    loader_as_trained : like `loader`, but for the network as trained; None: `loader` does not rewrite the network
    member_count : settings on the card -> number of members, see `Predictor.members`
    """

    name: str
    role: Role
    label: str
    architecture: str
    loader: str
    trainer: str
    evaluator: str
    model_set: str | None = None
    loader_as_trained: str | None = None
    member_count: Callable[[Mapping], int] = _one
