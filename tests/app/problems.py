"""Problems of all kinds, for tests of drafts and links."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.chemistry import elements
from core.problem.composition_constraints import Group
from core.problem.presets import GDMCD, HYDRIDE, PAPER
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site

KNOWN = frozenset(elements.symbols()[:86])  # elements that the models know
PROBLEMS = [
    DesignProblem("LaFeAsO"),
    DesignProblem("LaFeAsO", fixed={"Fe": 0.25, "As": 0.25}, forbidden=("He", "Tc")),
    DesignProblem("La1.85Sr0.15CuO4", fixed={"Cu": 1 / 7}, settings=PAPER, seed=7, device="cpu"),
    DesignProblem("LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3),)),
    DesignProblem("YBa2Cu3O7", task=SUBSTITUTE, sites=(Site("Y", 3),), fixed={"Cu": 3 / 13, "O": 7 / 13}),
    DesignProblem("LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3, by=2), Site("O", -2, by=-1))),
    DesignProblem(
        "LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3, among="metals"), Site("As", -3, may_return=False)), seed=2
    ),
    DesignProblem("Ti2O4", task=SUBSTITUTE, sites=(Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1.0))),
    DesignProblem(
        "YBa2Cu3O7",
        bounds={"O": (0.3, 0.6), "F": (0.0, 0.1)},
        groups=(Group(("O", "F"), 0.35), Group(("Cu", "Ag"), 0.0, 0.25)),
        ratios=({"Ba": 2.0, "Y": 1.0},),
    ),
    DesignProblem("H3S", settings=replace(OptimiserSettings(), n_unit=(1, 15), perturb_ratio=0.125)),
    DesignProblem("LaH10", settings=HYDRIDE, floors={"H": 0.4}, charge_rule=EVERY_ATOM),
    DesignProblem("YBa2Cu3O7", settings=GDMCD),
]


def is_close(a: DesignProblem, b: DesignProblem) -> bool:
    """Whether two problems are equal, except for rounding in the fixed fractions."""
    same = replace(a, fixed=None) == replace(b, fixed=None)
    return same and (a.fixed_fractions() == pytest.approx(b.fixed_fractions(), abs=1e-9))
