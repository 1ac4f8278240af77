"""Screens on demand: new, near the base, few of the same elements."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.chemistry.composition import compositions
from core.evaluation.demands import add_demands
from core.evaluation.funnel import first_failed
from core.problem.problem import DesignProblem
from core.problem.settings import NEAR, NEW, OptimiserSettings
from core.screening.registry import screens

FORMULAS = ("La2CuO4", "La11Sr9Cu8O32", "NdFeAsO", "LaFeAsO", "La4Cu3O10", "La7Cu3O12", "La2Cu5O8")


def failed(**settings) -> list[str]:
    """The first failed screen of each formula, with Tc descending, from the base La2CuO4."""
    problem = DesignProblem(base="La2CuO4", settings=replace(OptimiserSettings(), **settings))
    table = pd.DataFrame({"formula": FORMULAS, "tc_K": np.arange(len(FORMULAS), 0, -1.0)})
    table["tc_std_K"] = 1.0
    table["n_elements"], table["formation_energy_eV_per_atom"] = 3, -1.0
    table["charge_neutral"] = table["pauling_ok"] = True
    table.loc[4, "formation_energy_eV_per_atom"] = 1.0
    add_demands(table, compositions(FORMULAS), problem)
    return first_failed(table, screens(problem.charge_rule, problem.settings)).tolist()


def test_nothing_is_demanded_by_default():
    assert [name for name in failed() if name] == ["formation_energy"]


def test_near_the_base():
    assert [name == "near_base" for name in failed(change=NEAR, most_changed=0.3)] == [0, 0, 1, 1, 0, 0, 0]


def test_new_excludes_known_superconductors_and_the_base():
    found = failed(novelty=NEW)
    assert [found[k] == "new" for k in (0, 2, 3, 6)] == [True, True, True, False]


@pytest.mark.parametrize(("most", "left_out"), [(0, 0), (1, 2), (2, 1), (3, 0)])
def test_the_best_formulas_of_the_same_elements_are_kept(most, left_out):
    """Of La, Cu and O three formulas pass the other screens."""
    found = failed(per_element_set=most)
    assert found.count("few_of_elements") == left_out and found[0] == "" and found[4] == "formation_energy"
