"""The parser, its help, and the exit code of wrong input and wrong usage."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from core.cli.main import build_parser, main
from core.paths import PROJECT

COMMANDS = (
    "predict", "screen", "doping", "structures", "generate", "design", "run", "campaign", "candidates", "doctor",
    "train", "evaluate", "benchmark",
)  # fmt: skip
# Files of the user, and folders that exist only after a command, in the help texts.
PLACEHOLDERS = {
    "my_compounds.csv", "answers.csv", "problem.json", "PROBLEM.json", "NAME.csv", "NAME.json", "candidates.csv",
    "plot.svg", "results.csv", "structures.csv", "samples.csv", "funnel.csv", "cif/", "poscar/",
    "relaxed/", "espresso/",
    "build/benchmarks/", "campaign.json", "runs.csv", "best.csv",
}  # fmt: skip
FILE = re.compile(r"[\w.-]+(?:/[\w.-]*\w)*/?")
SUFFIXES = (".csv", ".json", ".jsonl", ".py", ".md", ".svg")
UNITS = {"eV/atom"}


def help_of(command: str, capsys) -> str:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command, capsys):
    assert f"python -m core {command} " in help_of(command, capsys)


def test_every_command_is_tested():
    help_text = build_parser().format_help()
    assert re.findall(r"^    (\w+)\b", help_text, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_file_named_in_a_help_exists(command, capsys):
    named = {word.rstrip(".,") for word in FILE.findall(help_of(command, capsys))}
    files = {word for word in named if "/" in word or word.endswith(SUFFIXES)} - PLACEHOLDERS - UNITS
    assert {word for word in files if not (PROJECT / word).exists()} == set()


def test_help_imports_no_slow_modules():
    code = "import sys, core.cli.main as m; m.build_parser(); print({'torch', 'pandas', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_command_line_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "core", "--help"], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and "design" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "--csv", "none.csv"],
        ["predict", "MgB2", "--out", "no/such/folder/out.csv"],
        ["design", "none.json", "--out", "run"],
        ["design", "text.json", "--out", "run"],
        ["design", "small.json", "--out", "run", "--candidates", "0"],
        ["design", "small.json", "--out", "run", "--device", "abacus"],
        ["run", "no-such-folder"],
        ["campaign", "none.json", "--out", "campaign"],
        ["campaign", "small.json", "--out", "campaign"],
        ["campaign", "campaign.json"],
        ["campaign", "campaign.json", "--out", "campaign", "--workers", "0"],
        ["campaign", "campaign.json", "--out", "campaign", "--scheduler", "abacus"],
        ["campaign", "campaign.json", "--out", "campaign", "--cluster", "text.json"],
        ["candidates", "no-such-folder"],
        ["candidates", "--most", "0"],
        ["doping", "La2CuO4"],
        ["doping", "La2-xSrxCuO4, x = 0.1"],
        ["train", "tc", "--data", "no-such-folder"],
        ["train", "superdiff", "--class", "other", "--data", "no-such-folder"],
        ["train", "tc", "--class", "other"],
        ["benchmark", "table2", "--seeds", "0"],
        ["benchmark", "table2", "--seed", "1"],
    ],
)
def test_wrong_input_is_a_message(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.json").write_text("no JSON")
    (tmp_path / "small.json").write_text('{"base": "LaFeAsO"}')
    (tmp_path / "campaign.json").write_text('{"problem": {"base": "LaFeAsO", "device": "cpu"}}')
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.strip() and "Traceback" not in err


HALF = "Fe\ud800As"  # half a surrogate pair: text that no encoding writes
BYTES = "Fe\udced\udca0\udc80"  # the same as bytes from a shell, which Python reads in this way


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["predict", HALF], 1),
        (["screen", HALF, "--out", "out.csv"], 1),
        (["predict", BYTES, "--out", "out.csv"], 1),
        (["structures", BYTES, "--out", "out"], 1),
        (["structures", HALF, "--out", "out"], 1),
        (["doping", f"{HALF}2-xSrxCuO4, x = 0..0.3"], 2),
        (["predict", "--csv", f"{HALF}.csv"], 2),
        (["design", "half.json", "--out", "run"], 2),
        (["design", f"{HALF}.json", "--out", "run"], 2),
        (["run", HALF], 2),
        (["doctor", HALF], 2),
        (["benchmark", "table2", "--bases", HALF], 2),
    ],
)
def test_text_that_cannot_be_encoded_is_a_message(arguments, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "half.json").write_text('{"base": "La\\ud800"}')
    assert main(arguments) == code
    told = "".join(capsys.readouterr()) + "".join(path.read_text("utf-8") for path in tmp_path.rglob("*.csv"))
    assert "Traceback" not in told and any(mark in told for mark in ("is not an element", "“"))


@pytest.mark.parametrize("option", ["--predictor", "--reference"])
def test_a_choice_that_cannot_be_encoded_is_wrong_usage(option, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["predict", "MgB2", option, HALF])
    assert caught.value.code == 2 and "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["predict"],
        ["predict", "MgB2", "--csv", "in.csv"],
        ["design", "problem.json"],
        ["train", "everything"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2 and "usage" in capsys.readouterr().err
