"""The attack on every door, some hundreds of cases; `python -m core benchmark hostile` has 10,000."""

from __future__ import annotations

import random

import pytest

from core.benchmarks import hostile
from core.benchmarks.hostile import Door, HostileOptions, attack
from core.benchmarks.registry import options_of
from core.cli.benchmark import given_options
from core.cli.main import build_parser

CASES = {"formula": 150, "list of formulas": 40, "problem as JSON": 150, "problem in Python": 100, "cell of a CSV": 60,
         "run folder": 25, "checkpoint": 8}  # fmt: skip


@pytest.fixture(scope="module")
def doors():
    with hostile.attacked_doors() as made:
        yield {door.name: door for door in made}


def test_every_door_is_attacked(doors):
    assert doors.keys() == CASES.keys() and sum(door.share for door in doors.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", CASES)
def test_hostile_input_gives_an_answer_or_a_clear_error(doors, name):
    told: list[str] = []
    cases = [attack(doors[name], f"suite/{i}", told.append) for i in range(CASES[name])]
    assert [case.failed for case in cases if case.failed] == [], told


def test_a_failure_is_counted_and_told():
    def fail(chance):
        raise KeyError("lost")

    told: list[str] = []
    case = attack(Door("broken", fail, 1.0), "1", told.append)
    assert case.failed == "KeyError: 'lost'" and not case.answered and "broken, case 1" in told[0]


def test_a_message_that_repeats_a_long_value_is_a_failure():
    def repeat(chance):
        raise FileNotFoundError(hostile.MARK * 500)

    assert "1,000 characters" in attack(Door("loud", repeat, 1.0), "1").failed


def test_a_case_is_the_same_after_other_cases(doors):
    door, before = doors["problem as JSON"], repr(hostile._VALUES)
    first, second = ([attack(door, f"repeat/{i}").answered for i in range(200)] for _ in range(2))
    assert first == second and repr(hostile._VALUES) == before


def test_another_seed_on_the_command_line_makes_other_inputs():
    parse = build_parser().parse_args
    given = given_options(parse(["benchmark", "hostile", "--seed", "7", "--cases", "20"]))
    options = options_of("hostile", given)
    assert isinstance(options, HostileOptions) and (options.seed, options.cases) == (7, 20)
    assert "seed" not in given_options(parse(["benchmark", "hostile"]))
    assert given_options(parse(["benchmark", "durability", "--seed", "0"]))["seed"] == 0
    texts = [[hostile._some_text(random.Random(f"{seed}/formula/{i}")) for i in range(20)] for seed in (0, 7)]
    assert texts[0] != texts[1]


def test_the_options_have_no_suffix():
    assert HostileOptions().file_suffix == "" and HostileOptions().cases == 10_000
