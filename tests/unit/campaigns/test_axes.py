"""Which fields of a problem have several values, and the problem of one combination."""

from __future__ import annotations

import pytest

from core.campaigns.axes import Axis, read_axes, with_values
from core.errors import InputError


def values(problem: dict) -> dict:
    return {axis.name: axis.values for axis in read_axes(problem)}


def test_a_list_is_several_values_where_a_problem_has_one_value():
    given = {"seed": [0, 1], "base": ["MgB2", "LaFeAsO"], "task": "raise_tc", "settings": {"risk_aversion": [0, 1.5]}}
    assert values(given) == {
        "base": ("MgB2", "LaFeAsO"), "seed": (0, 1), "task": ("raise_tc",), "settings.risk_aversion": (0, 1.5),
    }  # fmt: skip


def test_a_field_whose_value_is_a_list_has_several_values_where_its_entries_are_lists():
    assert values({"forbidden": ["As", "Hg"]}) == {"forbidden": (["As", "Hg"],)}
    assert values({"forbidden": [[], ["As"]]}) == {"forbidden": ([], ["As"])}
    assert values({"settings": {"steps": [75, 75]}}) == {"settings.steps": ([75, 75],)}
    assert values({"settings": {"steps": [[5, 5], [9, 9]]}}) == {"settings.steps": ([5, 5], [9, 9])}
    assert values({"fixed": [{"O": 0.25}, None]}) == {"fixed": ({"O": 0.25}, None)}


def test_the_base_comes_first_and_the_seed_last():
    given = {"seed": 0, "device": "cpu", "method": "gradient", "base": "MgB2", "settings": {"candidates": 8}}
    assert [axis.name for axis in read_axes(given)] == ["base", "method", "device", "settings.candidates", "seed"]


def test_a_method_may_bring_its_own_settings():
    method = {"name": "memetic", "settings": {"rounds": 5}}
    problem = with_values({"base": "MgB2", "method": method, "method_settings.kept": 32, "settings.candidates": 8})
    assert problem == {"base": "MgB2", "method": "memetic", "method_settings": {"kept": 32, "rounds": 5},
                       "settings": {"candidates": 8}}  # fmt: skip


@pytest.mark.parametrize(
    ("problem", "rule"),
    [
        ({"seed": []}, "leaves no run"),
        ({"seed": [1, 2, 1]}, "given twice"),
        ({"colour": "red"}, "unknown field"),
        ({"settings": {"colour": "red"}}, "unknown field"),
        ({"settings": [1, 2]}, "must be a JSON object"),
    ],
)
def test_wrong_axes_are_refused(problem, rule):
    with pytest.raises(InputError, match=rule):
        read_axes(problem)


def test_a_method_with_unknown_parts_is_refused():
    with pytest.raises(InputError, match="a name and settings"):
        with_values({"method": {"name": "memetic", "rounds": 5}})
    assert Axis("method", ("gradient",)).values == ("gradient",)
