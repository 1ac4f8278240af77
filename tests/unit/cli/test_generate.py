"""python -m core generate."""

import csv
import re

import pytest

from core.cli.main import main
from core.structures.diffusion import weights
from core.structures.diffusion.names import BASE
from core.structures.relaxation import Relaxation
from tests.unit.structures.diffusion.conftest import stored


@pytest.fixture(autouse=True)
def random_network(monkeypatch, tmp_path):
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "runs"))
    stored(tmp_path / "checkpoints", BASE)
    load = weights.load_crystal_network
    monkeypatch.setattr(weights, "load_crystal_network", lambda name: load(name, tmp_path / "checkpoints"))


def test_structures_of_a_formula_are_generated(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["generate", "--formula", "MgB2", "--count", "2", "--steps", "2", "--out", str(out)]) == 0
    with (out / "samples.csv").open(encoding="utf-8", newline="") as file:
        assert [row["formula"] for row in csv.DictReader(file)] == ["MgB2", "MgB2"]
    assert capsys.readouterr().out.strip() == str(out / "samples.csv")


def test_structures_are_screened_with_the_potential(tmp_path, capsys, monkeypatch):
    """The random network makes crystals that are lost before the first relaxation, or by it."""
    asked = []

    def relaxer(settings, processes):
        def relaxed(structure, should_stop):
            asked.append(structure)
            return Relaxation(structure, -1.0, -1.0, 1, "fell apart", "", 0.9, 1.0, 1.0)

        return relaxed

    monkeypatch.setattr("core.structures.search_work.relaxed_by_chgnet", relaxer)
    out = tmp_path / "out"
    arguments = ["generate", "--formula", "MgB2", "--count", "3", "--steps", "2", "--screen", "--out", str(out)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    with (out / "funnel.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["lost_at"] for row in rows} <= {"valid structure", "unique", "new", "relaxed"} and len(rows) == 3
    assert re.search(r"^samples +3$", printed, re.MULTILINE) and re.search(r"^relaxed +0$", printed, re.MULTILINE)
    assert len(asked) == sum(row["lost_at"] == "relaxed" for row in rows)
    (out / "cancel").touch()
    assert main(arguments) == 0  # a new start removes the request to stop; nothing is relaxed again
    assert len(asked) == sum(row["lost_at"] == "relaxed" for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formula", "MgB2", "--units", "9"], "27 atoms"),
        (["--elements", "Nb", "Xx"], "Xx"),
        (["--count", "0"], "from 1"),
        (["--tc", "10"], "missing"),
    ],
)
def test_wrong_requests_have_the_exit_code_2(tmp_path, capsys, arguments, message):
    assert main(["generate", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_input_files_need_the_screening(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["generate", "--out", str(tmp_path), "--espresso"])
    assert "--screen" in capsys.readouterr().err
