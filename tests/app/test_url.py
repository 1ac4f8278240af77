"""Problems in links and files."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.design.examples import LABELS
from app.state.draft import first_draft
from app.state.problem_file import read_problem
from app.state.url import from_link, to_link
from app.text.problem_title import title
from core.errors import InputError
from core.generation.registry import GRADIENT, MEMETIC
from core.generation.validation import check
from core.paths import ASSETS
from core.problem.origin import Origin
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site
from tests.app.problems import PROBLEMS, is_close

EXAMPLES = sorted((ASSETS / "examples").glob("*.json"))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_link_gives_back_its_problem(problem):
    assert is_close(from_link(to_link(problem)), problem)


def test_the_link_of_a_first_visit_is_short_and_unknown_parameters_are_ignored():
    first = first_draft().problem()
    assert to_link(first) == {"base": "LaFeAsO", "method": MEMETIC, "novelty": "new", "change": "near"}
    assert from_link({**to_link(first), "utm_source": "letter", "run": "x"}) == first


def test_a_link_that_names_no_method_means_the_gradient_as_before():
    earlier = from_link({"base": "LaFeAsO"})
    assert earlier == replace(first_draft().problem(), method=GRADIENT, settings=OptimiserSettings())
    assert to_link(earlier) == {"base": "LaFeAsO"}


def test_the_text_of_a_link_is_readable():
    sites = (Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1.0))
    problem = DesignProblem("Ti2O4", task=SUBSTITUTE, sites=sites, forbidden=("He", "Ne"), seed=3)
    link = {"base": "Ti2O4", "task": "substitute", "forbid": "HeNe", "replace": "Ti:4:3,O:-2:0:1", "seed": "3"}
    assert to_link(problem) == link
    chosen = (Site("La", 3, among="metals", may_return=False), Site("O", -2, may_return=False))
    link = to_link(replace(problem, base="LaFeAsO", sites=(*chosen, Site("As", -3, among="non_metals"))))
    assert link["replace"] == "La:3:metals:new,O:-2:new,As:-3:non_metals"
    fixed = DesignProblem("LaFeAsO", fixed={"Fe": 0.25, "As": 0.25}, forbidden=())
    assert to_link(fixed) == {"base": "LaFeAsO", "fix": "Fe0.25As0.25", "forbid": "none"}


def test_the_origin_of_the_base_is_in_the_link():
    problem = DesignProblem("LaFeAsO", origin=Origin("20260101-120000-MgB2-00ff", 7, 41))
    assert to_link(problem)["origin"] == "20260101-120000-MgB2-00ff:7:41"
    assert from_link(to_link(problem)).origin == problem.origin
    assert "origin" not in to_link(replace(problem, origin=None))
    with pytest.raises(InputError, match="origin=x"):
        from_link({"base": "LaFeAsO", "origin": "x"})


def test_a_link_of_an_earlier_version_is_read():
    link = {"base": "LaFeAsO", "task": "substitute", "replace": "La", "state": "3"}
    assert from_link(link).sites == (Site("La", 3),)


def test_every_example_has_its_own_label_in_the_menu():
    assert sorted(LABELS) == [path.stem for path in EXAMPLES]
    assert len(set(LABELS.values())) == len(LABELS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_be_run_and_has_a_title(path):
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["base"]
    problem = read_problem(text)
    assert problem.to_json() == text
    assert title(problem).startswith(("Raise Tc", "Replace"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"base": 5}',
        '{"base": "FeSe", "fixed": [1]}',
        '{"base": "FeSe", "forbidden": [[1]]}',
        '{"base": "FeSe", "target": [1], "task": "substitute"}',
        '{"base": "FeSe", "tc_predictor": "nothing"}',
        '{"base": "FeSe", "settings": {"candidates": "many"}}',
        '{"base": "FeSe", "settings": {"learning_rate": NaN}}',
        '{"base": "FeSe", "settings": {"candidates": 1000000}}',
    ],
)
def test_a_file_that_is_no_problem_is_rejected_with_a_message(text):
    with pytest.raises(InputError):
        read_problem(text)


@pytest.mark.parametrize(
    "link",
    [
        {"base": "Lq"},
        {"base": "FeSe", "steps": "a,b"},
        {"base": "FeSe", "task": "no"},
        {"base": "FeSe", "fix": "abc"},
        {"base": "FeSe", "fix": "Fe0.25junk"},
        {"base": "FeSe", "forbid": "HeNe!"},
        {"base": "FeSe", "task": "substitute", "replace": "Fe:inf"},
        {"base": "FeSe", "task": "substitute", "replace": "Fe:2:alloys"},
        {"base": "FeSe", "bounds": "{"},
    ],
)
def test_a_broken_link_is_rejected_with_a_message(link):
    with pytest.raises(InputError):
        from_link(link)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("tc_predictor", "formation-energy-ensemble"),
        ("tc_predictor", "judge"),
        ("tc_predictor", "references"),
        ("formation_energy_predictor", "tc"),
        ("formation_energy_predictor", "nothing"),
    ],
)
def test_a_link_with_a_model_of_another_role_names_the_field_and_the_choices(field, name):
    with pytest.raises(InputError, match="Choose one of: ") as caught:
        from_link({"base": "FeSe", field: name})
    assert (caught.value.field, caught.value.value) == (field, name)


# Hostile links.

PARAMETERS = [*to_link(DesignProblem(base="MgB2", fixed={"B": 0.5}, floors={"Mg": 0.1})), "replace", "state", "groups",
              "ratios", "bounds", "method_settings", "candidates", "steps", "n_unit", "seed", "tc_predictor", "method",
              "learning_rate", "task", "forbid", "unknown"]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["[" * 1100, "9" * 400, "9" * 5000, "-" + "9" * 400, "1e999", "nan", "inf", "x" * 3000,
                     "La:3:3:1e-12", "La:3:3:0.000000000001", "La:99:99:99", ":::", ",", "{}", "[[]]", "[null]",
                     '{"Fe":[0,"x"]}', "none", "raise_tc", "substitute", "LaFeAsO", "../../etc/passwd",
                     "substitution",
                     '[{"elements":[{}]}]', '[{"Ba":1e308,"Y":1e-308}]', '{"Fe":[1' + "0" * 300 + ',1]}']),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(PARAMETERS), TEXTS, max_size=5))
def test_any_link_gives_a_problem_that_can_run_or_a_clear_error(link):
    try:
        problem = from_link(link)
    except InputError as error:
        assert len(error.message) < 2300
    else:
        assert not check(problem) and from_link(to_link(problem)).base == problem.base
