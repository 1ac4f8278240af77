"""Bounds, groups and ratios: error messages, feasible atom counts, and sets out of reach."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.chemistry import elements
from core.problem.composition_constraints import ConstraintRequest, Group, in_lowest_terms, nested_constraints
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site
from core.problem.validation import check as check_problem
from core.problem.validation import check_atom_counts

ALL = {"model": set(elements.symbols())}
PROBLEM = DesignProblem(base="YBa2Cu3O7")


def problem(**constraints) -> DesignProblem:
    return replace(PROBLEM, **constraints)


def test_constraints_survive_a_json_round_trip():
    given = problem(bounds={"O": (0.2, 0.6)}, groups=(Group(("O", "F"), 0.3),), ratios=({"Ba": 2, "Y": 1},))
    assert check_problem(given, ALL) == [] and DesignProblem.from_json(given.to_json()) == given
    assert DesignProblem.from_json('{"base": "MgB2"}').composition_constraints(elements.symbols()) is None


@pytest.mark.parametrize(
    ("constraints", "field", "words"),
    [
        ({"bounds": {"Oo": (0, 1)}}, "bounds", "not an element"),
        ({"bounds": {"O": (0.6, 0.3)}}, "bounds", "lower ≤ upper"),
        ({"bounds": {"O": (0.0, 1.2)}}, "bounds", "upper ≤ 1"),
        ({"bounds": {"O": (float("nan"), 1)}}, "bounds", "a lower and an upper bound"),
        ({"bounds": {"O": (0, 0)}}, "bounds", "forbids"),
        ({"bounds": {"O": (0.2, 1)}, "forbidden": ("O",)}, "bounds", "not allowed"),
        ({"bounds": {"O": (0.2, 1)}, "fixed": {"O": 0.3}}, "bounds", "is fixed"),
        ({"bounds": {"O": (0.7, 1), "Cu": (0.5, 1)}}, "groups", "lower bounds of its elements add up to 1.2"),
        ({"groups": (Group(()),)}, "groups", "at least one element"),
        ({"groups": (Group(("O", "O")),)}, "groups", "listed twice"),
        ({"groups": (Group(("O", "F"), 0.3), Group(("F", "Cl"), 0.1))}, "groups", "overlaps"),
        ({"groups": (Group(("O", "F"), 0.3, 0.5), Group(("F", "O"), 0.6))}, "groups", "contradicts"),
        ({"groups": (Group(("O", "F"), 0.0, 0.3),), "bounds": {"O": (0.4, 1)}}, "groups", "add up to 0.4"),
        ({"groups": (Group(("O", "F"), 0.9),), "bounds": {"O": (0, 0.4), "F": (0, 0.4)}}, "groups",
         "upper bounds of its elements add up to 0.8"),
        ({"groups": (Group(("O", "F"), 0.5),), "forbidden": ("O", "F")}, "groups", "none of its elements is allowed"),
        ({"ratios": ({"Ba": 2},)}, "ratios", "two elements"),
        ({"ratios": ({"Ba": 2, "Y": 0},)}, "ratios", "positive numbers"),
        ({"ratios": ({"Ba": 3.14159, "Y": 1},)}, "ratios", "integers up to 60"),
        ({"ratios": ({"Ba": 2, "Y": 1}, {"Y": 1, "Cu": 1})}, "ratios", "in more than one ratio"),
        ({"ratios": ({"Ba": 2, "Y": 1},), "fixed": {"Y": 0.1}}, "ratios", "is fixed"),
        ({"ratios": ({"Ba": 2, "Y": 1},), "forbidden": ("Y",)}, "ratios", "not allowed"),
        ({"ratios": ({"Ba": 2, "Y": 1},), "groups": (Group(("Ba", "O"), 0.3),)}, "groups", "contains Ba of a ratio"),
        ({"bounds": {"O": (0.51, 0.52)}, "settings": OptimiserSettings(n_unit=(1, 20))}, "n_unit", "whole atoms"),
        ({"bounds": dict.fromkeys(("O", "Cu", "Ba"), (0.1, 1)), "settings": OptimiserSettings(max_elements=2)},
         "max_elements", "need 3"),
        ({"bounds": {"O": (0.1, 1)}, "settings": OptimiserSettings(fractional_elements=2)},
         "fractional_elements", "whole atoms"),
    ],
)  # fmt: skip
def test_messages(constraints, field, words):
    invalid = problem(**constraints)
    errors = check_problem(invalid, ALL) or check_atom_counts(invalid)
    assert [e.field for e in errors][:1] == [field] and words in errors[0].message, [e.message for e in errors]


def test_a_substitution_at_one_site_may_have_bounds():
    bounded = problem(task=SUBSTITUTE, sites=(Site("Y", 3),), bounds={"La": (0.0, 0.04)})
    assert check_problem(bounded, ALL) == []


def test_ratios_in_lowest_terms():
    assert in_lowest_terms({"Ba": 1.5, "Y": 1}) == {"Ba": 3, "Y": 2}
    assert in_lowest_terms({"Ba": 4, "Y": 2, "Cu": 6}) == {"Ba": 2, "Y": 1, "Cu": 3}


def test_feasible_atom_counts_match_an_enumeration():
    """All formulas of five elements with up to 20 atoms."""
    bounds = {"O": (0.3, 0.45), "Cu": (0.1, 0.2)}
    groups, ratios = (Group(("O", "F"), 0.35, 0.5),), ({"Ba": 2, "Y": 1},)
    names = ("O", "F", "Cu", "Ba", "Y")
    constraints = nested_constraints(ConstraintRequest(bounds, groups, ratios, names, {}, {}))
    for n in range(1, 21):
        numbers = np.array([(*c, n - sum(c)) for c in product(range(n + 1), repeat=4) if sum(c) <= n])
        o, f, cu, ba, y = numbers.T
        good = (o >= 0.3 * n - 1e-9) & (o <= 0.45 * n + 1e-9) & (cu >= 0.1 * n - 1e-9) & (cu <= 0.2 * n + 1e-9)
        good &= (o + f >= 0.35 * n - 1e-9) & (o + f <= 0.5 * n + 1e-9) & (ba == 2 * y)
        assert constraints.feasible_atom_count(n) == good.any(), n
        counts = np.zeros((len(numbers), 118), dtype=np.int64)
        counts[:, [elements.element(s).index for s in names]] = numbers
        assert (constraints.satisfied(counts) == good).all()


def test_sets_out_of_reach_of_the_elements_present():
    request = ConstraintRequest({"O": (0, 0.4)}, (Group(("O", "F"), 0.5),), (), ("La", "O", "F"), {}, {})
    constraints = nested_constraints(request)
    unreachable = constraints.unreachable_set({"La", "O"})
    assert unreachable is not None and unreachable.members == {"O", "F"}
    assert constraints.unreachable_set({"La", "F"}) is None
    bounded = nested_constraints(ConstraintRequest({"O": (0, 0.4)}, (), (), ("La", "O"), {}, {}))
    assert bounded.unreachable_set({"O"}) is bounded.root
