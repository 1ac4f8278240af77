"""Design problems: defaults, JSON round trip, and every error message."""

import json
import math
from dataclasses import replace

import pytest

from core.chemistry import elements
from core.errors import InputError
from core.problem.origin import Origin
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.problem.substitution_sites import Replacement, Site
from core.problem.validation import check as check_problem
from core.problem.validation import check_atom_counts

ALL = {"Tc model": set(elements.symbols()), "formation-energy model": set(elements.symbols()) - {"Rn"}}
RAISE = DesignProblem(base="LaFeAsO")
SUBSTITUTE = DesignProblem(base="LaFeAsO", task="substitute", sites=(Site("La", 3),))


def messages(problem: DesignProblem) -> dict[str, str]:
    errors = check_problem(problem, ALL) or check_atom_counts(problem)
    return {error.field: error.message for error in errors}


def test_defaults_and_the_settings_of_the_paper_are_valid():
    for problem in (RAISE, SUBSTITUTE, replace(RAISE, settings=PAPER)):
        assert check_problem(problem, ALL) == []


def test_substitution_keeps_the_rest():
    assert SUBSTITUTE.fixed_fractions() == {"Fe": 0.25, "As": 0.25, "O": 0.25}
    allowed = SUBSTITUTE.allowed_symbols(elements.symbols())
    assert "Y" in allowed and "La" in allowed and "Fe" not in allowed and "Na" not in allowed


def test_a_replaced_element_returns_and_non_metals_take_part_unless_the_site_says_otherwise():
    known = {"La", "Y", "Bi", "N", "As", "Fe", "O"}
    for changes, allowed in (
        ({}, {"N", "Y", "La", "Bi"}),
        ({"may_return": False}, {"N", "Y", "Bi"}),
        ({"among": "metals"}, {"Y", "La", "Bi"}),
        ({"among": "non_metals", "may_return": False}, {"N"}),
    ):
        problem = replace(SUBSTITUTE, sites=(replace(SUBSTITUTE.sites[0], **changes),))
        assert set(problem.allowed_symbols(known)) == allowed and check_problem(problem, ALL) == []


def test_an_element_that_must_not_return_takes_no_other_site_either():
    """Y 3+ and La 3+ share one free part; La for Y would be La again."""
    sites = (Site("Y", 3), Site("La", 3, may_return=False))
    problem = DesignProblem("LaYO3", task="substitute", sites=sites)
    assert set(problem.allowed_symbols({"La", "Y", "Nd"})) == {"Y", "Nd"}
    assert "La" in replace(problem, task="raise_tc").allowed_symbols({"La", "Y", "Nd"})  # without sites


def test_two_sites_with_different_groups_have_a_free_part_each():
    sites = (Site("La", 3, among="metals"), Site("Y", 3, among="non_metals"))
    problem = DesignProblem("LaYO3", task="substitute", sites=sites)
    assert problem.free_parts() == ((Replacement(3, "metals"), 0.2), (Replacement(3, "non_metals"), 0.2))
    assert [problem.allowed_symbols({"Nd", "N"}, part) for part in (0, 1)] == [("Nd",), ("N",)]
    no_metal = replace(problem, forbidden=tuple(Replacement(3, "metals").symbols()))
    assert "no element is allowed for the free part of +3 metals" in messages(no_metal)["forbidden"]


def test_a_site_is_written_with_its_later_fields_only_if_they_matter():
    """The text of an earlier problem stays the same: stored results are found by it."""
    (written,) = json.loads(SUBSTITUTE.to_json())["sites"]
    assert written == {"element": "La", "state": 3, "by": None, "atoms": None}
    chosen = replace(SUBSTITUTE, sites=(Site("La", 3, among="metals", may_return=False),))
    (written,) = json.loads(chosen.to_json())["sites"]
    assert (written["among"], written["may_return"]) == ("metals", False)
    assert DesignProblem.from_json(chosen.to_json()) == chosen


# KIAGO 3.5: two Ti4+ and one O2- of Ti2O4 by two X3+.
TI2O4 = DesignProblem("Ti2O4", task="substitute", sites=(Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1)))
# Two sites at once: La3+ by X2+, O2- by X1-.
TWO = (Site("La", 3, by=2), Site("O", -2, by=-1))
FLUORIDE = DesignProblem("LaFeAsO", task="substitute", sites=TWO)


def test_several_sites_keep_the_charge_and_define_the_free_parts():
    assert check_problem(TI2O4, ALL) == [] and check_problem(FLUORIDE, ALL) == []
    assert TI2O4.fixed_fractions() == {"O": 0.6} and TI2O4.free_parts() == ((Replacement(3), pytest.approx(0.4)),)
    assert TI2O4.atom_counts() == (5, 10, 15, 20, 25)
    assert FLUORIDE.fixed_fractions() == {"Fe": 0.25, "As": 0.25}
    assert FLUORIDE.free_parts() == ((Replacement(2), 0.25), (Replacement(-1), 0.25))
    assert FLUORIDE.atom_counts() == (4, 8, 12, 16, 20, 24)
    known = {"Ca", "La", "F", "O", "Fe", "As"}
    assert FLUORIDE.allowed_symbols(known, 0) == ("O", "Ca", "La") and "F" in FLUORIDE.allowed_symbols(known, 1)
    assert set(FLUORIDE.allowed_symbols(known)) == {"O", "F", "Ca", "La"}


@pytest.mark.parametrize("sites", [(Site("Y", 3), Site("Ba", 2)), (Site("Y", 3), Site("Cu", 3))])
def test_at_several_sites_every_atom_count_keeps_the_charge_exactly(sites):
    """Y4Ba3Cu3: 41 Y, 31 Ba and 31 Cu of 103 atoms agree within 1%, but are not exactly 4 : 3 : 3."""
    settings = OptimiserSettings(n_unit=(1, 200))
    problem = DesignProblem("Y4Ba3Cu3", task="substitute", sites=sites, settings=settings)
    assert check_problem(problem, ALL) == [] and problem.atom_counts() == tuple(range(10, 201, 10))
    assert 103 in replace(problem, sites=sites[:1]).atom_counts()  # the 1% rule of the paper for a single site


def test_two_sites_with_the_same_state_share_one_free_part():
    problem = DesignProblem("LaYO3", task="substitute", sites=(Site("La", 3), Site("Y", 3)))
    assert problem.free_parts() == ((Replacement(3), pytest.approx(0.4)),) and check_problem(problem, ALL) == []


def test_a_single_site_of_an_early_file_is_read():
    early = '{"base": "LaFeAsO", "task": "substitute", "target": "La", "oxidation_state": 3}'
    assert DesignProblem.from_json(early) == SUBSTITUTE
    assert DesignProblem.from_json('{"base": "LaFeAsO", "target": null, "oxidation_state": null}') == RAISE


def test_an_early_file_keeps_its_meaning():
    """Early versions rounded to the nearest formula and maximised Tc without risk aversion."""
    stored = json.loads(RAISE.to_json())
    assert stored.pop("schema") == 2  # early versions wrote no schema number
    for name in ("rounding", "risk_aversion", "fractional_elements", "start", "step_schedule"):
        del stored["settings"][name]
    old = DesignProblem.from_json(json.dumps(stored)).settings
    assert old == replace(RAISE.settings, rounding="nearest", risk_aversion=0.0, step_schedule="constant")
    written = DesignProblem.from_json('{"base": "LaFeAsO", "settings": {"candidates": 64}}')
    assert written.settings == OptimiserSettings(candidates=64)  # written by hand: defaults for missing settings


def test_a_newer_schema_is_rejected_with_a_remedy():
    newer = json.dumps({**json.loads(RAISE.to_json()), "schema": 3})
    with pytest.raises(InputError, match=r"written by a newer version.*Update Tc Studio"):
        DesignProblem.from_json(newer)


@pytest.mark.parametrize("schema", [0, -1, "2", 1.5, True, None])
def test_an_invalid_schema_number_is_rejected(schema):
    with pytest.raises(InputError, match="whole number of 1 or more"):
        DesignProblem.from_json(json.dumps({"base": "MgB2", "schema": schema}))


def test_atom_counts_give_the_fixed_part_whole_atoms():
    assert SUBSTITUTE.atom_counts() == (4, 8, 12, 16, 20, 24)
    assert RAISE.atom_counts() == tuple(range(1, 26))


def test_atom_counts_leave_room_for_the_floors():
    """H at least 0.4 and O at least 0.55: 2 + 2 of 3 atoms are too many, and so are 2 + 3 of 4."""
    problem = replace(RAISE, floors={"H": 0.4, "O": 0.55})
    # N = 5: 2 + 3; N = 7: 3 + 4; N = 9: 4 + 5; N = 10: 4 + 6; N = 8: 4 + 5 is one too many
    assert [n for n in range(1, 11) if n in problem.atom_counts()] == [5, 7, 9, 10]
    assert problem.least_fractions() == {"H": 0.4, "O": 0.55} and "H" in problem.allowed_symbols({"H", "O", "Y"})


HYDRIDE = replace(RAISE, floors={"H": 0.4}, charge_rule="every_atom")


@pytest.mark.parametrize(
    "problem", [RAISE, SUBSTITUTE, HYDRIDE, TI2O4, FLUORIDE, replace(RAISE, fixed={"O": 0.25}, forbidden=("Hg",))]
)
def test_json_round_trip(problem):
    assert DesignProblem.from_json(problem.to_json()) == problem


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"base": "Fe", "colour": 1}', '{"base": "Fe", "settings": {"speed": 1}}',
     '{"base": "Fe", "forbidden": "Hg"}', '{"base": "Fe", "sites": [{"element": "Fe", "colour": 1}]}',
     '{"base": "Fe", "sites": ["Fe"]}', '{"base": "Fe", "sites": [{"state": 2}]}', '{"base": "Fe", "settings": []}',
     '{"base": "Fe", "floors": null}', '{"base": "Fe", "floors": ["H"]}', '{"base": "Fe", "fixed": [1]}',
     '{"base": "Fe", "forbidden": [["Hg"]]}', '{"base": "Fe", "forbidden": null}'],
)  # fmt: skip
def test_invalid_problem_files_are_rejected(text):
    with pytest.raises(InputError):
        DesignProblem.from_json(text)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"base": ""}, "base", "formula is empty"),
        ({"base": "LaFeAsXx"}, "base", "character 7"),
        ({"base": "LaRn"}, "base", "formation-energy model does not know"),
        ({"task": "guess"}, "task", "raise_tc"),
        ({"device": "tpu"}, "device", "auto"),
        ({"precision": "float8"}, "precision", "bfloat16"),
        ({"seed": -1}, "seed", "whole number"),
        ({"fixed": {"O": 0.6, "Fe": 0.4}}, "fixed", "leave room"),
        ({"fixed": {"O": -0.1}}, "fixed", "above zero"),
        ({"fixed": {"O": math.nan}}, "fixed", "finite"),
        ({"fixed": {"O": math.inf}}, "fixed", "finite"),
        ({"fixed": {"Oo": 0.1}}, "fixed", "not an element"),
        ({"fixed": {"Rn": 0.1}}, "fixed", "does not know"),
        ({"fixed": {"O": 0.2}, "forbidden": ("O",)}, "fixed", "both fixed and forbidden"),
        ({"floors": {"O": 0.6, "Fe": 0.4}}, "floors", "leave room"),
        ({"floors": {"O": 0.6}, "fixed": {"Fe": 0.4}}, "floors", "leave room"),
        ({"floors": {"O": 0.2}, "fixed": {"O": 0.25}}, "floors", "already fixed"),
        ({"floors": {"O": 0.2}, "forbidden": ("O",)}, "floors", "forbidden"),
        ({"floors": {"Rn": 0.2}}, "floors", "does not know"),
        ({"floors": {"O": -0.2}}, "floors", "above zero"),
        ({"floors": {"O": 0.55, "F": 0.4}, "settings": OptimiserSettings(n_unit=(1, 3))}, "n_unit", "O at least 0.55"),
        (
            {"floors": {"H": 0.4, "O": 0.2}, "settings": OptimiserSettings(max_elements=1)},
            "max_elements",
            "2 elements are fixed or have a floor. Allow 2 or more",
        ),
        ({"charge_rule": "any"}, "charge_rule", "every_atom"),
        ({"forbidden": ("Qq",)}, "forbidden", "not an element"),
        ({"forbidden": elements.symbols()}, "forbidden", "no element is allowed"),
        ({"fixed": {"O": 0.123}, "settings": OptimiserSettings(n_unit=(1, 4))}, "n_unit", "Raise the largest N"),
        ({"settings": OptimiserSettings(candidates=0)}, "candidates", "1 to 16,384"),
        ({"settings": OptimiserSettings(candidates=16385)}, "candidates", "1 to 16,384"),
        ({"settings": OptimiserSettings(steps=(5001, 0))}, "steps", "5,000"),
        ({"settings": OptimiserSettings(steps=(3000, 3000))}, "steps", "5,000"),
        ({"settings": OptimiserSettings(steps=(0, 0))}, "steps", "both stages together must have 1 to"),
        ({"settings": OptimiserSettings(n_unit=(1, 201))}, "n_unit", "200"),
        ({"settings": OptimiserSettings(n_unit=(9, 4))}, "n_unit", "larger than the second"),
        ({"settings": OptimiserSettings(learning_rate=math.nan)}, "learning_rate", "must be a number from"),
        ({"settings": OptimiserSettings(integer_loss="cubic")}, "integer_loss", "absolute"),
        ({"fixed": {"O": 0.2, "Fe": 0.2}, "settings": OptimiserSettings(max_elements=2)}, "max_elements", "2 elements"),
    ],
)  # fmt: skip
def test_messages(change, field, words):
    found = messages(replace(RAISE, **change))
    assert field in found and words in found[field], found


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"sites": ()}, "sites", "no element is chosen"),
        ({"sites": (Site("Y", 3),)}, "sites", "not in the base"),
        ({"sites": (Site("La"),)}, "sites", "no oxidation state"),
        ({"sites": (Site("La", 0),)}, "sites", "except 0"),
        ({"sites": (Site("La", -8),)}, "sites", "no element has"),
        ({"sites": (Site("La", 3), Site("La", 3))}, "sites", "listed twice"),
        ({"sites": (Site("La", 3, atoms=2),)}, "sites", "above 0 and at most 1"),
        ({"sites": (Site("La", 3, by=0), Site("O", -2, by=0))}, "sites", "would be vacant"),
        ({"sites": (Site("La", 3, by=2),)}, "sites", "total charge is not kept"),
        ({"sites": (Site("La", 3, by=2), Site("O", -2))}, "sites", "Replace O by -1, or change a number of atoms"),
        (
            {"sites": TWO, "settings": OptimiserSettings(max_elements=3)},
            "max_elements",
            "2 elements are fixed, and at least 2 more are needed",
        ),
        (
            {"sites": TWO, "settings": OptimiserSettings(fractional_elements=2)},
            "fractional_elements",
            "every element must have a whole number of atoms",
        ),
        ({"sites": TWO, "fixed": {"As": 0.25}}, "fixed", "“Fe”: with several sites all other elements must keep"),
        ({"sites": TWO, "fixed": {"As": 0.25, "Fe": 0.2}}, "fixed", "Fix Fe at 0.25 of the atoms"),
        ({"sites": TWO, "fixed": {"As": 0.25, "Fe": 0.25, "N": 0.05}}, "fixed", "Free N"),
        ({"base": "La", "sites": (Site("La", 3),)}, "base", "no atom of the base would remain"),
        ({"floors": {"Y": 0.1}}, "floors", "keeps the rest"),
        ({"forbidden": elements.with_oxidation_state(3)}, "fixed", "both"),
    ],
)
def test_messages_for_substitutions(change, field, words):
    if change.get("forbidden"):
        allowed = tuple(s for s in elements.with_oxidation_state(3) if s not in ("Fe", "As", "O"))
        change, field, words = {"forbidden": allowed}, "forbidden", "no element is allowed"
    found = messages(replace(SUBSTITUTE, **change))
    assert field in found and words in found[field], found


def test_every_message_has_value_rule_and_remedy():
    error = check_problem(RAISE, ALL) or check_problem(replace(RAISE, base="Zz"), ALL)
    assert error[0].message == "“Zz” at character 1: “Zz” is not an element. Check the spelling and the capitals."
    assert json.loads(replace(RAISE, base="Zz").to_json())["base"] == "Zz"


def test_the_origin_of_the_base_is_stored_and_left_out_without_one():
    problem = DesignProblem("LaFeAsO", origin=Origin("20260101-120000-MgB2-00ff", 7, 41))
    assert DesignProblem.from_json(problem.to_json()) == problem
    assert "origin" not in replace(problem, origin=None).to_json()


@pytest.mark.parametrize(
    "origin", [{}, "run", {"run": "a", "rank": 1.5}, {"run": "", "rank": 1}, {"run": "a", "rank": -1}, {"other": 1}]
)
def test_an_origin_that_is_none_is_refused(origin):
    with pytest.raises(InputError) as error:
        DesignProblem.from_json(json.dumps({"base": "LaFeAsO", "origin": origin}))
    assert error.value.field == "origin"
