"""The page of the benchmarks: what is committed is shown, and what is not is named with the command for it."""

import json
import shutil

import pandas as pd
import pytest

from core.benchmarks import figures, harness
from core.benchmarks.harness import Options, Outcome
from core.paths import PROJECT
from tests.app.pages import opened, said

TABLE = pd.DataFrame(
    {"base": ["LaPt2B2C"] * 2, "method": ["KIAGO", "C-ES"], "gain_K": [4.2, -1.0], "paper_gain_K": [86.73, 6.9]}
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Another place for results, with nothing in it."""
    assets = tmp_path / "assets"
    shutil.copytree(PROJECT / "assets", assets, ignore=shutil.ignore_patterns("benchmarks"))
    monkeypatch.setattr("core.paths.ASSETS", assets)
    return assets / "benchmarks"


def stored(folder, name: str, **about) -> None:
    figure = figures.bars(TABLE, "base", "gain_K", "method", "gain (K)")
    known = Options(seeds=2).about() | about
    harness.write(Outcome(TABLE, ("KIAGO is ahead for 1 of 1.",), figure, known), name, folder)


def test_without_results_every_benchmark_says_how_to_make_it(folder):
    test = opened("benchmarks")
    assert "python -m core benchmark table2" in said(test)
    assert len(test.info) == len(test.subheader) >= 4 and not test.get("plotly_chart")


def test_results_are_shown_with_what_they_say_and_how_they_were_made(folder):
    stored(folder, "table2")
    stored(folder, "table2-published", checkpoints={"tc": "0" * 64}, predictor="published")
    test = opened("benchmarks")
    assert "KIAGO is ahead for 1 of 1." in said(test)
    assert "4,096 candidates · 500 + 500 steps · 2 seeds · models tc-ensemble" in said(test)
    assert "other weights of tc than" in said(test)
    assert len(test.get("plotly_chart")) == 2
    assert test.dataframe[0].value["gain_K"].tolist() == [4.2, -1.0]
    assert "LaPt₂B₂C" in test.dataframe[0].value["base"].tolist()


def test_what_is_written_is_read_again(tmp_path):
    stored(tmp_path, "table2")
    found = harness.read("table2", tmp_path)
    assert found.table.equals(TABLE) and found.about["seeds"] == 2 and found.figure["data"][0]["name"] == "KIAGO"
    assert harness.read("table1", tmp_path) is None
    assert json.loads((tmp_path / "table2.json").read_text())["sentences"] == list(found.sentences)


def test_what_is_committed_can_be_shown():
    committed = {path.stem for path in (PROJECT / "assets" / "benchmarks").glob("*.csv")}
    assert all(harness.read(name, PROJECT / "assets" / "benchmarks") is not None for name in committed)
    assert opened("benchmarks")
