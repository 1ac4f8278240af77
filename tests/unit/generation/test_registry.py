"""The registry of generators, and a further generator in problem files, runs and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from core.cli.main import main
from core.evaluation.design import design
from core.executors.in_process import InProcessExecutor
from core.generation import registry
from core.generation.registry import Registration
from core.generation.validation import check
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.runs.status import Phase
from core.runs.store import create_in
from tests.growing_generator import registered

pytestmark = pytest.mark.usefixtures("one_thread")

PROBLEM = DesignProblem(
    base="MgB2", method="growing", settings=OptimiserSettings(candidates=6, n_unit=(3, 9)), device="cpu"
)


@pytest.fixture
def growing() -> Iterator[Registration]:
    with registered() as registration:
        yield registration


def test_a_further_generator_gives_a_design_result(growing):
    assert check(PROBLEM) == []
    result = design(PROBLEM)
    assert sorted(result.candidates["formula"]) == [f"MgB{n}" for n in range(4, 10)]
    assert result.candidates["tc_K"].notna().all() and result.candidates["integer_loss"].isna().all()
    assert result.funnel[0].left == 6 and result.restarts == 0


def test_runs_of_a_further_generator_can_be_stopped_and_resumed(growing, tmp_path):
    straight, stopped = (create_in(PROBLEM, tmp_path / name) for name in ("straight", "stopped"))
    InProcessExecutor().submit(straight)
    assert straight.status().phase is Phase.FINISHED and straight.status().total_steps == 3
    assert straight.progress()["stage"].tolist() == [1, 2, 3]

    seen = []

    def cancel_after_the_first_step(status):
        seen.append(status)
        if status.step == 1:
            (stopped.folder / "cancel").touch()

    InProcessExecutor(cancel_after_the_first_step).submit(stopped)
    assert stopped.status().phase is Phase.CANCELLED and stopped.status().step < 3
    InProcessExecutor().submit(stopped)
    assert stopped.csv() == straight.csv()


def test_the_command_line_accepts_a_further_generator_by_name(growing, tmp_path, capsys):
    problem = tmp_path / "problem.json"
    problem.write_text(json.dumps({"base": "MgB2", "device": "cpu", "settings": {"candidates": 3}}))
    assert main(["design", str(problem), "--out", str(tmp_path / "run"), "--method", "growing"]) == 0
    assert "MgB6" in capsys.readouterr().out


def test_a_generator_validates_the_problem(growing):
    (error,) = check(DesignProblem(base="LaFeAsO", method="growing"))
    assert error.field == "base" and "only MgB2 grows" in error.message


def test_settings_of_a_method_are_stored_and_used(growing):
    faster = replace(PROBLEM, method_settings={"growth": 2})
    assert DesignProblem.from_json(faster.to_json()) == faster and check(faster) == []
    assert sorted(design(faster).candidates["formula"]) == sorted(f"MgB{n}" for n in range(7, 13))


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [({"growth": 9}, "method_settings.growth", "a whole number from 1 to 5"),
     ({"growth": 1.5}, "method_settings.growth", "a whole number"),
     ({"growth": "2"}, "method_settings.growth", "a whole number"),
     ({"growth": True}, "method_settings.growth", "a whole number"),
     ({"growth": float("nan")}, "method_settings.growth", "a whole number"),
     ({"pressure_GPa": 301}, "method_settings.pressure_GPa", "a number from 0 to 300"),
     ({"order": "sideways"}, "method_settings.order", "up, down"),
     ({"order": ["up"]}, "method_settings.order", "up, down"),
     ({"speed": 1}, "method_settings", "known: growth, pressure_GPa, order")],
)  # fmt: skip
def test_settings_of_a_method_are_validated(growing, given, field, words):
    (error,) = check(replace(PROBLEM, method_settings=given))
    assert error.field == field and words in error.message


def test_a_setting_of_another_method_is_rejected():
    (error,) = check(DesignProblem(base="MgB2", method_settings={"growth": 1}))
    assert error.field == "method_settings" and "no setting with this name. Remove it." in error.message


def test_a_name_can_be_registered_once(growing):
    with pytest.raises(ValueError, match="growing is already registered"):
        registry.register(growing)


def test_an_unknown_method_is_rejected_with_the_known_ones():
    (error,) = check(DesignProblem(base="MgB2", method="alchemy"))
    assert error.field == "method" and "one of: gradient, substitution" in error.message


def test_the_default_method_is_the_first_registered():
    assert registry.registrations()[0].name == DesignProblem(base="MgB2").method


@pytest.mark.parametrize("registration", registry.registrations(), ids=lambda r: r.name)
def test_every_registration_is_complete(registration):
    assert registration.settings <= {f.name for f in fields(OptimiserSettings)}
    assert all((registration.label, registration.summary, registration.paper))
    generator = registry.generator_of(DesignProblem(base="LaFeAsO", method=registration.name))
    schedule = generator.schedule(DesignProblem(base="LaFeAsO", method=registration.name))
    assert schedule.steps > 0 and all(stage.label for stage in schedule.stages)
    assert "step" in {f.name for f in fields(generator.state_type)}
