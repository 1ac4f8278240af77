"""Problem files of earlier versions are read to the same problem."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from core.chemistry import elements
from core.generation.validation import check
from core.problem.problem import DesignProblem
from core.problem.serialization import RENAMED_SETTINGS
from core.problem.substitution_sites import takers

FOLDER = Path(__file__).parent / "problems"
COMPLETE = sorted(FOLDER.glob("[0-9]-*.json"))

# Values of later settings in a problem that was stored without them: the behaviour of earlier versions.
LATER_SETTINGS = {
    "caution": 0.0,
    "rounding": "nearest",
    "step_schedule": "constant",
    "objective": "highest",
    "target_tc_K": 300.0,
    "exempt_elements": 0,
    "start": "base",
    "start_family": "any",
    "start_above_K": 20.0,
}
# Settings that no stored file has: what a problem demands of its results, by default nothing.
NEW_SETTINGS = {"novelty": "any", "least_distance": 0.02, "change": "any", "most_changed": 0.4, "per_element_set": 0,
                "stability": "formation_energy"}  # fmt: skip
# Fields of a site that no stored file has: any element of the state, the replaced element too, as before.
NEW_SITE_FIELDS = {"among": "any", "may_return": True}
LATER_FIELDS = {
    "bounds": {},
    "charge_rule": "one_state",
    "floors": {},
    "groups": [],
    "method": "gradient",
    "precision": "auto",
    "ratios": [],
}


def as_json(problem: DesignProblem) -> dict:
    """All fields by the names that they had when the files were written."""
    content = json.loads(json.dumps(asdict(problem)))
    earlier = {name: before for before, name in RENAMED_SETTINGS.items()}
    settings = {earlier.get(name, name): value for name, value in content["settings"].items()}
    assert content.pop("method_settings") == {}  # of later methods
    assert content.pop("origin") is None
    assert {name: settings.pop(name) for name in NEW_SETTINGS} == NEW_SETTINGS
    for site in content["sites"]:
        assert {name: site.pop(name) for name in NEW_SITE_FIELDS} == NEW_SITE_FIELDS
    return content | {"settings": settings}


def test_all_stored_problem_files_are_tested():
    assert len(COMPLETE) == 6


@pytest.mark.parametrize("path", COMPLETE, ids=lambda path: path.stem)
def test_a_complete_problem_is_read_with_all_its_fields(path):
    text = path.read_text(encoding="utf-8")
    problem = DesignProblem.from_json(text)
    assert as_json(problem) == json.loads(text)
    assert check(problem) == []


def test_a_substitution_still_takes_every_element_of_the_state_with_the_replaced_one():
    problem = DesignProblem.from_json((FOLDER / "2-replace-La-in-LaFeAsO.json").read_text(encoding="utf-8"))
    allowed = problem.allowed_symbols(elements.symbols())
    expected = set(takers(3)) - set(problem.forbidden) - {"Fe", "As", "O"}
    assert set(allowed) == expected and {"La", "N", "P", "Y"} <= expected
    assert problem.to_json().count("may_return") == problem.to_json().count("among") == 0


def test_a_problem_in_the_first_format_keeps_its_meaning():
    text = (FOLDER / "first-format-replace-La-in-LaFeAsO.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    site = {"element": stored.pop("target"), "state": stored.pop("oxidation_state"), "by": None, "atoms": None}
    settings = LATER_SETTINGS | stored.pop("settings")
    problem = DesignProblem.from_json(text)
    assert as_json(problem) == LATER_FIELDS | stored | {"sites": [site], "settings": settings}
    assert site["element"] == "La" and site["state"] == 3 and settings["steps"] == [150, 150]
    assert check(problem) == []


@pytest.mark.parametrize("path", [*COMPLETE, FOLDER / "first-format-replace-La-in-LaFeAsO.json"], ids=lambda p: p.stem)
def test_a_problem_that_is_written_again_stays_the_same(path):
    problem = DesignProblem.from_json(path.read_text(encoding="utf-8"))
    assert DesignProblem.from_json(problem.to_json()) == problem
