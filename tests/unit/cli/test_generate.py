"""python -m core generate."""

import csv

import pytest

from core.cli.main import main
from core.structures.diffusion import weights
from core.structures.diffusion.names import BASE
from tests.unit.structures.diffusion.conftest import stored


@pytest.fixture(autouse=True)
def random_network(monkeypatch, tmp_path):
    stored(tmp_path / "checkpoints", BASE)
    load = weights.load_crystal_network
    monkeypatch.setattr(weights, "load_crystal_network", lambda name: load(name, tmp_path / "checkpoints"))


def test_structures_of_a_formula_are_generated(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["generate", "--formula", "MgB2", "--count", "2", "--steps", "2", "--out", str(out)]) == 0
    with (out / "samples.csv").open(encoding="utf-8", newline="") as file:
        assert [row["formula"] for row in csv.DictReader(file)] == ["MgB2", "MgB2"]
    assert capsys.readouterr().out.strip() == str(out / "samples.csv")


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
