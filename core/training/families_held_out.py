"""Families of superconductors to leave out of the training of `tc-ensemble`, and its fit without one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.chemistry import elements
from core.predictors.registry import load_predictor
from core.predictors.tc.ensemble import TcEnsemble
from core.training import tc, tc_ensemble
from core.training.systems_held_out import predict_held_out
from core.training.tc_chance import fit_chance
from core.training.tc_regression import Regression, TcEnsembleSettings
from core.training.tc_reliability import HeldOut

RARE_EARTHS = "Sc Y La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Th U"
A15_FIRST = "Ti Zr V Nb Ta Cr Mo W"
A15_SECOND = "Al Ga In Tl Si Ge Sn Pb As Sb Bi Be Pt Ir Os Rh Ru Re Tc Pd Au Hg"

Rule = Callable[[Callable[[str], np.ndarray]], np.ndarray]  # share of elements (n,) -> members (n,) bool


@dataclass(frozen=True)
class Family:
    """A family, and the rule on the shares of elements by which a composition is a member."""

    name: str
    rule: Rule

    def members(self, x: np.ndarray) -> np.ndarray:
        """(n,) bool: whether compositions (n, 118) are members."""

        def share(symbols: str) -> np.ndarray:
            return x[:, [elements.element(symbol).index for symbol in symbols.split()]].sum(1)

        return self.rule(share)


FAMILIES = (
    Family(
        "borocarbides",
        lambda s: (s("B") > 0.1) & (s("C") > 0.05) & (s("Ni Pd Pt Co Rh Ru Ir Cu") > 0.1) & (s(RARE_EARTHS) > 0.05),
    ),
    Family("A15", lambda s: (abs(s(A15_FIRST) - 0.75) < 0.04) & (s(A15_FIRST) + s(A15_SECOND) > 0.999)),
    Family("Chevrel phases", lambda s: (s("Mo") > 0.25) & (abs(s("Mo") - 0.75 * s("S Se Te")) < 0.1 * s("S Se Te"))),
    Family(
        "bismuthates",
        lambda s: (
            (s("Bi") > 0)
            & (abs(s("O") - 0.6) < 0.03)
            & (s("Ba Sr K Rb") > 0.1)
            & (s("Cu") == 0)
            & (s("Bi Pb Sb") > 0.1)
        ),
    ),
    Family("iron chalcogenides", lambda s: (s("Fe") > 0.15) & (s("S Se Te") > 0.2) & (s("As P O") == 0)),
    Family("at least 20% hydrogen", lambda s: s("H") >= 0.2),
)


def fit_without(family: Family, tables: tc.Tables, predictor: TcEnsemble, pretrained: Path, build: Path) -> HeldOut:
    """Predictions for all members of a family by a fit to the training part without them.

    predictor : gives the gate; pretrained : folder with `formation-energy-ensemble`; build : folder of resume points

    Raises CheckpointError without the pretrained networks.
    """
    (table, parts), (cod, cod_parts) = tables
    settings, seed = TcEnsembleSettings(gate=predictor.gate), 0
    member, cod_member = family.members(table.compositions), family.members(cod.compositions)
    learnt, others = parts[0][~member[parts[0]]], cod_parts[0][~cod_member[cod_parts[0]]]
    x, y = table.compositions[learnt], table.values[learnt]
    networks = tc_ensemble.tuning(settings, seed, tc_ensemble.load_pretrained(pretrained), build)
    regression = Regression.fit(x, y, settings, seed, networks(family.name))
    every = np.concatenate([x, cod.compositions[others]])
    chance = fit_chance(every, len(x), regression, settings, seed)
    rows = np.concatenate(parts)
    held_out = np.sort(rows[member[rows]])
    return predict_held_out(regression, chance, table.compositions[held_out], table.values[held_out])


def load(name: str, checkpoints: Path) -> TcEnsemble:
    """The trained ensemble. Raises CheckpointError; TypeError for another model."""
    predictor = load_predictor(name, checkpoints)
    if not isinstance(predictor, TcEnsemble):
        raise TypeError(f"{name} is no TcEnsemble")
    return predictor
