"""The benchmarks at a small size: results, cache and output files, compared with values by hand where possible."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.benchmarks import (
    diffusion_claims,
    diffusion_example,
    example_run,
    figures,
    harness,
    hydrides,
    integers,
    paper,
    quality,
    raise_tc,
    registry,
    search,
    speed,
    starts,
    substitute,
)
from core.benchmarks.harness import Options, mean_and_spread
from core.benchmarks.integers import by_rule, gdmcd_table2
from core.benchmarks.raise_tc import exploitation, neutral, no_smaller, of_run, table2, unconfirmed, wins
from core.benchmarks.registry import BENCHMARKS, run_benchmark
from core.benchmarks.starts import figure3
from core.cli.main import main
from core.errors import InputError
from core.paths import ASSETS
from core.predictors.registry import BEST, load_predictor
from core.problem.presets import PAPER

pytestmark = pytest.mark.usefixtures("one_thread")

BASE = "LaPt2B2C"


@pytest.fixture
def options(tmp_path, monkeypatch) -> Options:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Options(candidates=8, steps=(2, 2), seeds=2, bases=(BASE,), device="cpu", methods=paper.OURS, cache=tmp_path)


def test_the_settings_are_those_of_the_paper_at_another_size(options):
    problem = raise_tc.problem(BASE, paper.KIAGO, 1, options)
    same = ("learning_rate", "formation_energy_weight", "risk_aversion", "n_unit", "max_elements", "mutate_probability")
    assert all(getattr(problem.settings, name) == getattr(PAPER, name) for name in same)
    assert (problem.settings.candidates, problem.settings.steps, problem.seed) == (8, (2, 2), 1)
    assert Options().settings == PAPER


def test_table_2_is_the_mean_of_its_runs_and_each_run_is_carried_out_once(options):
    table = table2(options).table.set_index("method")
    log = []
    again = Options(**{**vars(options), "log": log.append})
    assert table2(again).table.set_index("method").equals(table) and log == []
    problems = [raise_tc.problem(BASE, paper.C_ES, seed, options) for seed in (0, 1)]
    gains = [of_run(harness.finished_run(problem, again))["gain_K"] for problem in problems]
    row = table.loc[paper.C_ES]
    assert row["gain_K"] == pytest.approx(np.mean(gains)) and row["gain_spread_K"] == pytest.approx(
        np.std(gains, ddof=1)
    )
    assert row["paper_gain_K"] == 6.90 and table.loc[paper.SUPERDIFF, "paper_gain_K"] == -5.01
    assert pd.isna(table.loc[paper.SUPERDIFF, "gain_K"])
    shared = exploitation(again).table.iloc[0]
    assert shared["gain_K"] == table.loc[paper.KIAGO, "gain_K"]
    run = harness.finished_run(raise_tc.problem(BASE, paper.KIAGO, 0, options), again)
    of_itself = raise_tc.gain_by(load_predictor(run.problem().tc_predictor), run)
    assert of_itself == pytest.approx(of_run(run)["gain_K"], abs=1e-3)
    assert np.isfinite(shared["gain_other_K"])
    spent = [harness.budget(harness.finished_run(problem, again)) for problem in problems]
    assert row["seconds"] == pytest.approx(np.mean([each["seconds"] for each in spent]), abs=1e-4)
    assert table.loc[paper.KIAGO, "evaluations"] == 8 * 4 and table.loc[paper.KIAGO, "whole_share"] == 1


@pytest.mark.parametrize("formula, whole", [("MgB2", True), ("La1.85Sr0.15CuO4", False), ("Nb3Sn", True)])
def test_whole_amounts_are_as_written(formula, whole):
    assert raise_tc.is_whole(formula) is whole


def test_a_table_needs_a_sample():
    with pytest.raises(InputError, match="at least one sample"):
        Options(samples=0)


def test_the_gain_is_the_mean_of_the_best_candidates_that_pass(options):
    run = harness.finished_run(raise_tc.problem(BASE, paper.C_ES, 0, options), options)
    table, base = run.candidates(), run.summary()["base"]
    best = table[table["passes"]].nlargest(30, "tc_K")
    found = of_run(run)
    assert found["gain_K"] == pytest.approx(best["tc_K"].mean() - base["tc_K"])
    assert found["gain_judge_K"] == pytest.approx(best["tc_judge_K"].mean() - base["tc_judge_K"])
    assert found["passing_share"] == len(best) / len(table)


def test_a_method_without_a_result_loses():
    """Ahead, behind, and a method without any result."""
    rows = [("a", 3.0, 1.0), ("b", 1.0, 3.0), ("c", -2.0, None), ("d", None, -2.0)]
    table = pd.DataFrame(
        [{"base": b, "method": m, "gain_K": v} for b, k, c in rows for m, v in ((paper.KIAGO, k), (paper.C_ES, c))]
    )
    assert wins(table, "gain_K") == (2, 4)


def test_a_base_without_a_result_is_no_success_and_gives_no_nan():
    nan = float("nan")
    ours, plain = (pd.Series(v, index=list("abcd")) for v in ([3.0, 1.0, nan, nan], [1.0, 3.0, nan, 2.0]))
    assert no_smaller(ours, plain) == (1, 3)
    table = pd.DataFrame({"gain_K": [3.0, 1.0, nan], "gain_judge_K": [2.0, 1.0, nan]})
    control = ("gain_judge_K", "the control model")
    assert "the control model does not confirm 25% (2 of 3 bases together)" in unconfirmed(table, *control)
    assert "a network does not confirm 75%" in unconfirmed(table.assign(other=[1.0, 0.0, nan]), "other", "a network")
    assert "25% (all bases together)" in unconfirmed(table[:2], *control)
    assert "predicts no gain" in unconfirmed(table[2:], *control)
    loss = pd.DataFrame({"gain_K": [4.0, -50.0], "gain_judge_K": [3.0, -70.0]})
    assert "does not confirm 25% (1 of 2 bases together)" in unconfirmed(loss, *control)


def test_cached_parts_belong_to_one_device(options, monkeypatch):
    """ "auto" is a different device on machines with and without a GPU."""
    on_cpu, automatic = options, replace(options, device="auto")
    assert harness.cached(["a"], on_cpu, lambda: {"made": 1}) == harness.cached(["a"], on_cpu, lambda: {"made": 2})
    monkeypatch.setattr(harness, "resolve_device", lambda name: "cuda")
    assert harness.cached(["a"], automatic, lambda: {"made": 3}) == {"made": 3}


def test_mean_and_spread_ignore_missing_values():
    assert mean_and_spread([1.0, None, 3.0]) == (2.0, pytest.approx(2**0.5))
    assert all(np.isnan(mean_and_spread([])))


def test_the_rule_of_the_paper():
    """Ca 0.23 Sr 0.27 O 0.50, four atoms: CaSrO2 (GDMCD figure 3); a composition without any atom is left out."""
    x = np.zeros((2, 118))
    x[0, [7, 19, 37]] = 0.50, 0.23, 0.27
    x[1, :20] = 0.05
    counts, left = by_rule(x, 4)
    assert left.tolist() == [True, False]
    assert counts[0, [7, 19, 37]].tolist() == [2, 1, 1] and counts.shape == (1, 118)


def test_published_figures_are_found_and_unknown_bases_refused():
    assert [row["max_atoms"] for row in paper.rows("table1")] == [15, 20, 25, 50, 100]
    assert len(paper.rows("table2")) == 8 and len(paper.rows("substitution")) == 11
    assert len(paper.integer_materials()) == 15
    assert [row["base"] for row in paper.rows("table2", (BASE,))] == [BASE]
    with pytest.raises(InputError, match="no such base"):
        paper.rows("table2", ("MgB2",))


def test_gdmcd_starts_from_known_superconductors_and_exempts_two_elements(options):
    outcome = gdmcd_table2(Options(**{**vars(options), "bases": (), "seeds": 1}))
    table = outcome.table.set_index("atoms")
    assert table.loc[8, "paper_exempt_K"] == -13.4 and len(table) == 5
    parts = list((options.cache / "parts").glob("*.json"))
    found = json.loads(parts[0].read_text())
    assert set(found["8"]) == {"rule", "integer_loss", "exempt"} and found["8"]["exempt"]["candidates"] == 8
    assert table.loc[8, "exempt_K"] == pytest.approx(found["8"]["exempt"]["tc"])
    assert np.isfinite(table[["exempt_K", "integer_loss_K", "rule_K"]].to_numpy(dtype=float)).all()


def test_figure_3_records_both_starts(options):
    table = figure3(Options(**{**vars(options), "bases": (), "seeds": 1, "steps": (3, 3)})).table
    assert table["step"].tolist() == [0, 1, 2] * 2
    assert (table["tc_low_K"] <= table["tc_median_K"]).all() and (table["tc_median_K"] <= table["tc_high_K"]).all()


def test_figures_are_valid_plotly_figures():
    table = pd.DataFrame({"base": ["a", "a"], "method": ["x", "y"], "v": [1.0, None], "s": [0.5, None]})
    made = figures.bars(table, "base", "v", "method", "gain (K)", "s")
    assert go.Figure(made).data[0].error_y.array == (0.5,) and json.loads(json.dumps(made)) == made
    kinds = ["KIAGO, here", "C-ES, here", "KIAGO, paper"]
    drawn = go.Figure(figures.bars(pd.DataFrame({"base": "a", "method": kinds, "v": 1.0}), "base", "v", "method", "K"))
    colours, shapes = zip(*((t.marker.color, t.marker.pattern.shape) for t in drawn.data), strict=True)
    assert colours[0] == colours[2] != colours[1] and shapes[0] == shapes[1] != shapes[2]
    with pytest.raises(ValueError, match="more series than colours"):
        figures.bars(pd.DataFrame({"base": "a", "method": list("uvwxyz"), "v": 1.0}), "base", "v", "method", "K")
    assert go.Figure(figures.lines({"x": ([1, 2], [3, float("nan")])}, "n", "K", log=True)).layout.xaxis.type == "log"
    course = pd.DataFrame({"step": [0, 1], "low": [0, 1], "median": [1, 2], "high": [2, 3]})
    assert [trace.name for trace in go.Figure(figures.bands({"x": course}, "step", "K")).data][-1] == "x"


def test_the_command_line_writes_table_and_plot(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(harness, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    arguments = ["table1", "--bases", BASE, "--candidates", "4", "--steps", "2", "2", "--seeds", "1", "--device", "cpu"]
    assert main(["benchmark", *arguments, "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "paper_integer_loss_K" in shown and "the integer loss costs less Tc" in shown
    table = pd.read_csv(tmp_path / "out" / "table1.csv")
    assert table["paper_rule_K"].tolist() == [-7.65, -4.30, -2.23, -1.38, -0.31]
    about = json.loads((tmp_path / "out" / "table1.json").read_text())
    assert about["about"]["candidates"] == 4 and go.Figure(about["figure"]).data


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_of_the_registry_can_be_loaded(name):
    options = registry.options_of(name, {})
    assert not hasattr(options, "device") or registry.options_of(name, {"device": "cpu"}).device == "cpu"
    assert callable(registry._load(BENCHMARKS[name].function))


SENTENCES = {
    "table1": integers.table1_sentences,
    "table2": raise_tc.table2_sentences,
    "table5-7": substitute.table5_7_sentences,
    "table8": substitute.table8_sentences,
    "table9-10": hydrides.sentences,
    "figure3": starts.sentences,
    "gdmcd-table2": integers.gdmcd_table2_sentences,
    "neutral": raise_tc.neutral_sentences,
    "exploitation": lambda table: raise_tc.exploitation_sentences(table, BEST.tc),
    "search": search.sentences,
    "superdiff": diffusion_claims.sentences,
    "superdiff-example": diffusion_example.sentences,
    "example-run": example_run.sentences,
    "speed": speed.sentences,
    "time-to-quality-published": quality.sentences,
}


@pytest.mark.parametrize("name", SENTENCES)
def test_stored_sentences_are_those_of_the_stored_table(name):
    stored = harness.read(name, ASSETS / "benchmarks")
    sentences = SENTENCES[name](stored.table)
    assert stored.sentences[: len(sentences)] == sentences


def test_rounding_to_neutral_neighbours_is_compared_with_nearest_rounding(options):
    table = neutral(Options(**{**vars(options), "seeds": 1})).table.set_index("rounding")
    plain, ours = raise_tc.ROUNDINGS.values()
    assert table.loc[ours, "neutral_share"] >= table.loc[plain, "neutral_share"]
    same = table2(Options(**{**vars(options), "seeds": 1})).table.set_index("method")
    assert same.loc[paper.KIAGO, "neutral_share"] == table.loc[plain, "neutral_share"]  # the paper's rounding


@pytest.mark.parametrize(
    ("name", "given", "rule"),
    [
        ("figure3", {"bases": ("LaNiAsO",)}, "has no table of bases"),
        ("table2", {"candidates": (8, 16)}, "one number of candidates"),
        ("speed", {"seeds": 2}, "no use for this option"),
        ("table2", {"bases": ("MgB2",)}, "no such base"),
        ("time-to-quality", {"bases": ("MgB2",)}, "no such base"),
        ("time-to-quality", {"seeds": 2}, "seeds of their own"),
        ("table2", {"seeds": 0}, "at least one seed"),
    ],
)
def test_unused_options_are_refused(name, given, rule):
    with pytest.raises(InputError, match=rule):
        run_benchmark(name, given)
