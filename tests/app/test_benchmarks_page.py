"""The benchmarks page: stored results are shown; for missing ones, the command that computes them."""

import json

import pandas as pd
import pytest

from app.benchmarks.protocols import BENCHMARKS
from core.benchmarks import figures, harness
from core.benchmarks.harness import Options, Outcome
from core.paths import PROJECT
from tests.app.pages import open_page, page_text

TABLE = pd.DataFrame(
    {"base": ["LaPt2B2C"] * 2, "method": ["KIAGO", "C-ES"], "gain_K": [4.2, -1.0], "paper_gain_K": [86.73, 6.9]}
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for results."""
    monkeypatch.setattr("app.benchmarks.page.FOLDER", tmp_path)
    return tmp_path


def stored(folder, name: str, **about) -> None:
    figure = figures.bars(TABLE, "base", "gain_K", "method", "gain (K)")
    known = Options(seeds=2).about() | about
    harness.write(Outcome(TABLE, ("KIAGO is ahead for 1 of 1.",), figure, known), name, folder)


def test_without_results_every_benchmark_names_its_command(folder):
    for benchmark in BENCHMARKS:
        test = open_page("benchmarks", opened={"benchmark": benchmark.name})
        assert f"python -m core benchmark {benchmark.name}`" in page_text(test)
        assert [header.value for header in test.header] == [benchmark.title] and not test.get("plotly_chart")
    assert set(test.dataframe[0].value["First conclusion"]) == {"no results yet"}


def test_results_are_shown_with_their_conditions(folder):
    stored(folder, "table2")
    stored(folder, "table2-published", checkpoints={"tc": "0" * 64}, predictor="published")
    test = open_page("benchmarks", opened={"values-table2-0": True})
    assert "KIAGO is ahead for 1 of 1." in page_text(test)
    assert "4,096 candidates · 500 + 500 steps · 2 seeds · models tc-ensemble" in page_text(test)
    assert "other weights of tc than" in page_text(test)
    assert len(test.get("plotly_chart")) == 2
    assert "KIAGO is ahead for 1 of 1." in test.dataframe[0].value["First conclusion"].tolist()
    assert test.dataframe[1].value["gain_K"].tolist() == [4.2, -1.0]
    assert "LaPt₂B₂C" in test.dataframe[1].value["base"].tolist()


def test_results_are_read_as_they_were_written(tmp_path):
    stored(tmp_path, "table2")
    found = harness.read("table2", tmp_path)
    assert found.table.equals(TABLE) and found.about["seeds"] == 2 and found.figure["data"][0]["name"] == "KIAGO"
    assert harness.read("table1", tmp_path) is None
    assert json.loads((tmp_path / "table2.json").read_text())["sentences"] == list(found.sentences)


def test_the_stored_results_can_be_shown():
    committed = {path.stem for path in (PROJECT / "assets" / "benchmarks").glob("*.csv")}
    assert all(harness.read(name, PROJECT / "assets" / "benchmarks") is not None for name in committed)
    for name in committed & {benchmark.name for benchmark in BENCHMARKS}:
        assert open_page("benchmarks", opened={"benchmark": name}).get("plotly_chart")
