"""The names that commands accept, as constants: the modules that define them import torch, and --help must not."""

from __future__ import annotations

PREDICTORS = ("best", "published")  # keys of core.problem.problem.MODELS

TRAINED = ("tc", "judge", "formation-energy", "formation-energy-ensemble", "tc-ensemble", "references", "elements")
EVALUATED = ("tc", "judge", "formation-energy", "formation-energy-ensemble", "tc-ensemble", "references")
