"""Bounds, groups and ratios: what is wrong with them, and which numbers of atoms can keep them."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.chemistry import elements
from core.problem.composition_constraints import ConstraintRequest, Group, in_lowest_terms, read
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site
from core.problem.validation import check as check_problem
from core.problem.validation import check_atom_counts

ALL = {"model": set(elements.symbols())}
PROBLEM = DesignProblem(base="YBa2Cu3O7")


def problem(**demands) -> DesignProblem:
    return replace(PROBLEM, **demands)


def test_a_problem_with_demands_comes_back_from_json():
    asked = problem(bounds={"O": (0.2, 0.6)}, groups=(Group(("O", "F"), 0.3),), ratios=({"Ba": 2, "Y": 1},))
    assert check_problem(asked, ALL) == [] and DesignProblem.from_json(asked.to_json()) == asked
    assert DesignProblem.from_json('{"base": "MgB2"}').composition_constraints(elements.symbols()) is None


@pytest.mark.parametrize(
    ("demands", "field", "words"),
    [
        ({"bounds": {"Oo": (0, 1)}}, "bounds", "not an element"),
        ({"bounds": {"O": (0.6, 0.3)}}, "bounds", "the least first"),
        ({"bounds": {"O": (0.0, 1.2)}}, "bounds", "from 0 to 1"),
        ({"bounds": {"O": (float("nan"), 1)}}, "bounds", "a least and a most"),
        ({"bounds": {"O": (0, 0)}}, "bounds", "forbids"),
        ({"bounds": {"O": (0.2, 1)}, "forbidden": ("O",)}, "bounds", "not allowed"),
        ({"bounds": {"O": (0.2, 1)}, "fixed": {"O": 0.3}}, "bounds", "is fixed"),
        ({"bounds": {"O": (0.7, 1), "Cu": (0.5, 1)}}, "groups", "adds up to 1.2"),
        ({"groups": (Group(()),)}, "groups", "without elements"),
        ({"groups": (Group(("O", "O")),)}, "groups", "named twice"),
        ({"groups": (Group(("O", "F"), 0.3), Group(("F", "Cl"), 0.1))}, "groups", "overlaps"),
        ({"groups": (Group(("O", "F"), 0.3, 0.5), Group(("F", "O"), 0.6))}, "groups", "contradicts"),
        ({"groups": (Group(("O", "F"), 0.0, 0.3),), "bounds": {"O": (0.4, 1)}}, "groups", "adds up to 0.4"),
        ({"groups": (Group(("O", "F"), 0.9),), "bounds": {"O": (0, 0.4), "F": (0, 0.4)}}, "groups", "can have 0.8"),
        ({"groups": (Group(("O", "F"), 0.5),), "forbidden": ("O", "F")}, "groups", "none of them is allowed"),
        ({"ratios": ({"Ba": 2},)}, "ratios", "two elements"),
        ({"ratios": ({"Ba": 2, "Y": 0},)}, "ratios", "above zero"),
        ({"ratios": ({"Ba": 3.14159, "Y": 1},)}, "ratios", "whole atoms"),
        ({"ratios": ({"Ba": 2, "Y": 1}, {"Y": 1, "Cu": 1})}, "ratios", "in two ratios"),
        ({"ratios": ({"Ba": 2, "Y": 1},), "fixed": {"Y": 0.1}}, "ratios", "is fixed"),
        ({"ratios": ({"Ba": 2, "Y": 1},), "forbidden": ("Y",)}, "ratios", "not allowed"),
        ({"ratios": ({"Ba": 2, "Y": 1},), "groups": (Group(("Ba", "O"), 0.3),)}, "groups", "in a ratio with"),
        ({"bounds": {"O": (0.51, 0.52)}, "settings": OptimiserSettings(n_unit=(1, 20))}, "n_unit", "whole atoms"),
        ({"bounds": dict.fromkeys(("O", "Cu", "Ba"), (0.1, 1)), "settings": OptimiserSettings(max_elements=2)},
         "max_elements", "needs 3"),
        ({"bounds": {"O": (0.1, 1)}, "settings": OptimiserSettings(exempt_elements=2)},
         "exempt_elements", "whole atoms"),
    ],
)  # fmt: skip
def test_messages(demands, field, words):
    asked = problem(**demands)
    found = check_problem(asked, ALL) or check_atom_counts(asked)
    assert [e.field for e in found][:1] == [field] and words in found[0].message, [e.message for e in found]


def test_a_substitution_at_one_site_may_have_bounds():
    asked = problem(task=SUBSTITUTE, sites=(Site("Y", 3),), bounds={"La": (0.0, 0.04)})
    assert check_problem(asked, ALL) == []


def test_ratios_in_lowest_terms():
    assert in_lowest_terms({"Ba": 1.5, "Y": 1}) == {"Ba": 3, "Y": 2}
    assert in_lowest_terms({"Ba": 4, "Y": 2, "Cu": 6}) == {"Ba": 2, "Y": 1, "Cu": 3}


def test_which_numbers_of_atoms_can_keep_the_demands():
    """As found by trying all numbers of atoms of four elements."""
    bounds = {"O": (0.3, 0.45), "Cu": (0.1, 0.2)}
    groups, ratios = (Group(("O", "F"), 0.35, 0.5),), ({"Ba": 2, "Y": 1},)
    names = ("O", "F", "Cu", "Ba", "Y")
    demands = read(ConstraintRequest(bounds, groups, ratios, names, {}, {}))
    for n in range(1, 21):
        numbers = np.array([c for c in product(range(n + 1), repeat=5) if sum(c) == n])
        o, f, cu, ba, y = numbers.T
        good = (o >= 0.3 * n - 1e-9) & (o <= 0.45 * n + 1e-9) & (cu >= 0.1 * n - 1e-9) & (cu <= 0.2 * n + 1e-9)
        good &= (o + f >= 0.35 * n - 1e-9) & (o + f <= 0.5 * n + 1e-9) & (ba == 2 * y)
        assert demands.can_be_whole(n) == good.any(), n
        counts = np.zeros((len(numbers), 118), dtype=np.int64)
        counts[:, [elements.element(s).index for s in names]] = numbers
        assert (demands.met(counts) == good).all()


def test_sets_that_the_elements_present_cannot_fill():
    demands = read(ConstraintRequest({"O": (0, 0.4)}, (Group(("O", "F"), 0.5),), (), ("La", "O", "F"), {}, {}))
    assert demands.lacking({"La", "O"}).members == {"O", "F"}
    assert demands.lacking({"La", "F"}) is None
    only = read(ConstraintRequest({"O": (0, 0.4)}, (), (), ("La", "O"), {}, {}))
    assert only.lacking({"O"}) is only.root
