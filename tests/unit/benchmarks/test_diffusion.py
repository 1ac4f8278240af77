"""The benchmarks of SuperDiff at a small size, with the exact noise of a few compositions instead of a network."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import torch

from core.benchmarks import (
    diffusion,
    diffusion_claims,
    diffusion_example,
    diffusion_formulas,
    diffusion_steps,
    guidance,
    harness,
    hydrides,
    paper,
    raise_tc,
    substitute,
)
from core.benchmarks.harness import Options
from core.chemistry.composition import compositions
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.evaluation.design import prepare
from core.generation.diffusion import generator
from core.generation.validation import check
from core.training.superdiff_data import FILE
from tests.unit.generation.diffusion.toys import ExactNoise, amounts_of

pytestmark = pytest.mark.usefixtures("one_thread")

COMPOSITIONS = [
    amounts_of(La=1, Fe=1, As=1, O=1), amounts_of(Ce=1, Fe=1, As=1, O=0.9, F=0.1), amounts_of(La=1, Ni=1, As=1, O=1),
    amounts_of(Ba=1, Fe=2, As=2), amounts_of(Hg=1, Ba=2, Ca=2, Cu=3, O=8), amounts_of(Pd=1, H=1),
    amounts_of(Nb=3, Sn=1),
]  # fmt: skip
(LAFEASO,) = paper.rows("substitution", ("LaFeAsO",))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few steps, and a network that knows COMPOSITIONS."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(diffusion, "STEPS", 12)
    monkeypatch.setattr(diffusion_steps, "STEPS", (10, 12))
    monkeypatch.setattr(generator, "load_noise_predictor", lambda name: ExactNoise(torch.stack(COMPOSITIONS)))
    monkeypatch.setattr(diffusion, "networks", lambda posed: {"superdiff-other": "of a test"})


@pytest.fixture
def options(tmp_path) -> Options:
    return Options(
        candidates=16, samples=16, steps=(2, 2), seeds=1, bases=("LaNiAsO",), device="cpu", predictor="published",
        methods=paper.DIFFUSION, cache=tmp_path,
    )  # fmt: skip


@pytest.mark.parametrize("method", paper.DIFFUSION)
def test_the_problem_is_that_of_the_paper_at_another_size(options, method):
    posed = diffusion.problem("Y2Fe3Si5", method, 0, options)
    assert check(posed) == []
    own = {"denoising_steps": 12, "guidance_weight": diffusion.GUIDANCE[method], "formulas": "kiago"}
    assert posed.method_settings == {**own, "of_class": "iron-based"}
    assert diffusion.GUIDANCE == {paper.SUPERDIFF: 0.0, paper.GUIDED: 1e-3}
    assert diffusion.problem("LaNiAsO", method, 0, Options()).settings.candidates == 1024


def test_samples_are_drawn_once_and_give_formulas_by_every_rule(options):
    posed, log = diffusion.problem("LaNiAsO", paper.SUPERDIFF, 0, options), []
    found = diffusion.sampled(posed, options)
    assert set(found) == {"superdiff", "kiago", "whole", "neutral"}
    for samples in found.values():
        assert samples.samples == 16 and samples.seconds > 0
        assert samples.table["times_found"].sum() + sum(samples.lost.values()) == 16
    assert len(found["kiago"].table) and found["neutral"].table["charge_neutral"].all()
    again = diffusion.sampled(posed, replace(options, log=log.append))
    assert log == [] and all(again[rule].table.equals(found[rule].table) for rule in found)


def test_an_interrupted_sampling_is_resumed(options, monkeypatch):
    posed = diffusion.problem("LaNiAsO", paper.SUPERDIFF, 0, options)
    expected = diffusion.sampled(posed, replace(options, cache=options.cache / "straight"))
    monkeypatch.setattr(diffusion, "STORE_S", -1.0)
    stored, save = [], diffusion.save_resume_point

    def interrupted(folder, state, *more):
        save(folder, state, *more)
        stored.append(int(state.step))
        if len(stored) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(diffusion, "save_resume_point", interrupted)
    with pytest.raises(KeyboardInterrupt):
        diffusion.sampled(posed, options)
    found = diffusion.sampled(posed, options)
    assert stored[:6] == [1, 2, 3, 4, 5, 6]
    assert all(found[rule].table.equals(expected[rule].table) for rule in expected)


def test_table_2_carries_out_the_chosen_methods(options):
    outcome = raise_tc.table2(options)
    table = outcome.table.set_index("method")
    assert table.loc[list(paper.DIFFUSION), "base_tc_K"].notna().all()
    assert table.loc[list(paper.OURS), "gain_K"].isna().all()
    assert table["paper_gain_K"].tolist() == [104.39, 13.54, -1.42, -0.47] or len(table) == 4
    assert table.loc[list(paper.DIFFUSION), "evaluations"].tolist() == [16 * 12, 2 * 16 * 12]
    assert (table.loc[list(paper.DIFFUSION), "seconds"] > 0).all()
    assert "SuperDiff's formulas" in outcome.sentences[-1]
    assert outcome.about["diffusion"] == {"candidates": 16, "steps": 12, "version": diffusion.VERSION}
    assert outcome.about["checkpoints"]["superdiff-other"] == "of a test"
    without = raise_tc.table2(replace(options, methods=(paper.C_ES,)))
    assert "diffusion" not in without.about and "superdiff-other" not in without.about["checkpoints"]
    assert go.Figure(outcome.figure).data


def test_methods_that_are_not_carried_out_keep_their_stored_results(options, monkeypatch, tmp_path):
    monkeypatch.setattr(harness, "STORED", tmp_path)
    everything = replace(options, methods=paper.METHODS)
    complete = raise_tc.table2(everything)
    harness.write(complete, "table2-published", tmp_path)
    found = raise_tc.table2(options).table
    kiago = found.set_index("method").loc[paper.KIAGO]
    expected = complete.table.set_index("method").loc[paper.KIAGO]
    np.testing.assert_allclose(kiago["passing_share"], expected["passing_share"], atol=1e-4)
    other_conditions = raise_tc.table2(replace(options, candidates=8)).table.set_index("method")
    assert pd.isna(other_conditions.loc[paper.KIAGO, "passing_share"])

    kept = raise_tc.table2(replace(options, methods=(paper.KIAGO,)))
    assert kept.table.set_index("method").loc[paper.SUPERDIFF, "evaluations"] == 16 * 12
    assert kept.about["checkpoints"]["superdiff-other"] == "of a test" and "SuperDiff's" in kept.sentences[-1]
    monkeypatch.setattr(diffusion, "networks", lambda posed: {"superdiff-other": "trained again"})
    again = raise_tc.table2(replace(options, methods=(paper.KIAGO,)))
    assert pd.isna(again.table.set_index("method").loc[paper.SUPERDIFF, "evaluations"])
    assert "diffusion" not in again.about


def test_formulas_with_an_element_without_predictions_count_and_fail(options, monkeypatch):
    """Ar is an element that the models do not know; only the rule that changes amounts anyway drops it."""
    known = [amounts_of(La=1, Fe=1, As=1, O=1), amounts_of(La=1, Fe=1, As=1, O=0.8, Ar=0.3)]
    monkeypatch.setattr(generator, "load_noise_predictor", lambda name: ExactNoise(torch.stack(known)))
    posed = diffusion.problem("LaFeAsO", paper.SUPERDIFF, 0, options)
    free = replace(posed, method_settings={**posed.method_settings, "scale_factors": "none"})
    found = diffusion.sampled(free, options)
    table = found["superdiff"].table
    with_argon = table["formula"].str.contains("Ar")
    assert 0 < with_argon.sum() < len(table)
    assert all(each.table["times_found"].sum() + sum(each.lost.values()) == 16 for each in found.values())
    assert not table.loc[with_argon, "passes"].any()
    assert table.loc[with_argon, "tc_K"].isna().all() and table.loc[~with_argon, "tc_K"].notna().all()
    neutral = found["neutral"].table["formula"]
    assert len(neutral) and not neutral.str.contains("Ar").any()


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match="no such method"):
        Options(methods=("alchemy",))


def test_substitutions_of_samples_are_judged_by_both_rules(options):
    posed = substitute.problem(LAFEASO, paper.KIAGO, 0, options)
    # Fe 0.5% more, As 0.5% less: within 1% each. 0.05 of Fe in 4.05 atoms: 5% of Fe, 0.009 in the sum.
    x = compositions(["LaFe1.005As0.995O", "LaFe1.015AsO", "LaFe1.05AsO"])
    assert substitute.substituted(x, posed).tolist() == [True, False, False]
    assert substitute.substituted_by_sum(x, posed).tolist() == [True, True, False]
    table = substitute.table5_7(replace(options, bases=("LaFeAsO",))).table.set_index("method")
    assert table.loc[paper.SUPERDIFF, "success"] >= 0 and table.loc[paper.KIAGO, "paper_success"] == 1


def test_hydrides_are_rounded_to_whole_atoms(options):
    table = hydrides.table9_10(replace(options, bases=("PdH",))).table.set_index("method")
    assert 0 <= table.loc[paper.SUPERDIFF, "fulfils"] <= 1 and table.loc[paper.SUPERDIFF, "paper_fulfils"] == 0.03


@pytest.mark.parametrize(
    ("formula", "kept"),
    [("LaH10", True), ("LaYH13", True), ("LaYH14", False), ("LaYCaH6", False), ("LaH0.5", False), ("H", False),
     ("La2H20", True), ("La0.5Y0.5H14", True)],
)  # fmt: skip
def test_the_conditions_of_the_paper_hold_for_hydrides(formula, kept):
    assert hydrides.fulfils(formula) == kept


def test_rules_for_formulas_are_compared_on_the_same_samples(options):
    outcome = diffusion_formulas.formulas(replace(options, methods=(*paper.DIFFUSION, paper.KIAGO)))
    assert len(outcome.table) == 8 and outcome.table["distinct_formulas"].gt(0).any()
    neutral = outcome.table[outcome.table["rounding"] == diffusion_formulas.RULES["neutral"]]
    assert (neutral["neutral_share"] > 0.9).all()
    assert len(outcome.sentences) == 4 and "KIAGO with the same neutral rounding" in outcome.sentences[1]
    bars = {bar["name"]: list(bar["y"]) for bar in outcome.figure["data"]}
    alone = diffusion_formulas.formulas(replace(options, methods=paper.DIFFUSION))
    assert all(list(bar["y"]) == bars[bar["name"]] for bar in alone.figure["data"]) and len(bars) == 5
    assert "steps" in outcome.about and "steps" not in alone.about
    with pytest.raises(InputError, match="those of SuperDiff"):
        diffusion_formulas.formulas(replace(options, methods=(paper.KIAGO,)))
    assert go.Figure(outcome.figure).data


@pytest.fixture
def raw_data(tmp_path, monkeypatch):
    """A few rows of each class."""
    rows = ("Nd1.84Ce0.16Cu1O4\t1", "Y1Ba2Cu2.74Zn0.26O7\t1", "Ba0.6K0.4Fe2As2\t2", "Nb0.753Ti0.247N1\t3", "Mg1B2\t3")
    (tmp_path / FILE).write_bytes(gzip.compress("\n".join(("formula\tclass", *rows, "")).encode()))
    monkeypatch.setenv("TC_STUDIO_DATA", str(tmp_path))


@pytest.mark.usefixtures("raw_data")
def test_the_claims_of_the_authors_are_beside_ours(options):
    outcome = diffusion_claims.claims(replace(options, bases=()))
    table = outcome.table.set_index("class")
    assert table.loc["cuprate", "paper_survivors"] == pytest.approx(0.284, abs=1e-3)
    assert table["paper_distinct"].round(4).tolist() == [0.9973, 0.9973, 0.9915]
    assert table["paper_valid"].round(3).tolist() == [0.077, 0.049, 0.481]
    # Nb3Sn and BaFe2As2 are known superconductors: samples of the data are not new.
    assert table.loc["other", "novel"] < 1 and table.loc["other", "survivors"] > 0.5
    assert go.Figure(outcome.figure).data


@pytest.mark.usefixtures("raw_data")
def test_what_the_network_has_learned_is_not_new():
    """Amounts are rounded as those of samples; nor is a known superconductor new."""
    formulas = ["Nb0.75Ti0.25N1", "Nb0.74Ti0.26N1", "Nb3Sn1"]
    table = pd.DataFrame({"formula": formulas, "times_found": 1, "tc_K": 1.0})
    table = table.assign(charge_neutral=True, pauling_ok=True, formation_energy_eV_per_atom=-1.0)
    known = diffusion_claims.known_compositions("other")
    found = diffusion_claims.of_samples(diffusion.Samples(table, {}, 3, {}, 1.0, 0.1, 1), known)
    assert found["novel"] == pytest.approx(1 / 3)


@pytest.mark.usefixtures("raw_data")
def test_a_known_composition_with_decimals_is_not_new():
    """0.26 is not exactly the same number in single and in double precision."""
    base = {"formula": ["Y1Ba2Cu2.74Zn0.26O7", "La1.26Nb0.74Cu1O4"], "times_found": [1, 1], "tc_K": [1.0, 2.0]}
    table = pd.DataFrame(base).assign(charge_neutral=True, pauling_ok=True, formation_energy_eV_per_atom=-1.0)
    known = diffusion_claims.known_compositions("cuprate")
    found = diffusion_claims.of_samples(diffusion.Samples(table, {}, 4, {}, 1.0, 0.1, 1), known)
    assert found["novel"] == 0.5 and found["survivors"] == 0.5 and found["distinct"] == 1


def test_the_example_goes_from_noise_to_compositions(options, monkeypatch):
    monkeypatch.setattr(diffusion_example, "RECORDED", 4)
    outcome = diffusion_example.example(replace(options, bases=()))
    table = outcome.table
    assert sorted(table["step"].unique()) == [0, 3, 6, 9, 12] and len(table) == 2 * 5 * diffusion_example.SAMPLES
    assert table.groupby("step")["noise"].first().tolist()[::4] == [pytest.approx(1, abs=1e-4), 0]
    last = table[table["step"] == 12].iloc[0]
    assert sum(json.loads(last["amounts"])) == pytest.approx(sum(parse_formula(last["formula"]).values()), abs=1)
    assert len(outcome.sentences) == 2


def test_fewer_steps_are_compared_with_all(options):
    table = diffusion_steps.steps(options).table
    assert table["denoising_steps"].tolist() == [10, 12] and table["with_formula"].between(0, 1).all()


def test_the_last_line_has_as_many_samples_as_published(options, monkeypatch):
    found = diffusion_steps.steps(replace(options, samples=8))
    assert list(zip(found.table["denoising_steps"], found.table["samples"], strict=True)) == [
        (10, 8),
        (12, 8),
        (12, 16),
    ]
    assert "16 samples of 12 steps" in found.sentences[-1]


def test_the_parts_of_table_4_add_up(options, monkeypatch):
    posed = diffusion.problem(guidance.BASE, paper.GUIDED, 0, options)
    task = prepare(replace(posed, method_settings={**posed.method_settings, "guidance_weight": 3.0})).task
    found, state = guidance.history(task)
    total = sum(found[part] for part in guidance.PARTS)
    assert total == pytest.approx(found["last_tc_K"] - found["first_tc_K"], abs=1e-3)
    assert found["guidance"] > 0 and int(state.step) == 12
    free, _ = guidance.history(replace(task, guidance_weight=0.0))
    assert free["guidance"] == 0


def test_table_4_has_the_weights_of_the_paper(options, monkeypatch):
    few = [row for row in paper.rows("table4") if row["weight"] in (0, 1e-3, 1)]
    monkeypatch.setattr(guidance, "rows", lambda name: few)
    outcome = guidance.table4(replace(options, bases=()))
    assert outcome.table["weight"].tolist() == [0, 1e-3, 1]
    assert outcome.table["paper_guidance_K"].tolist() == [0, 3.2, 1611.0]
    assert go.Figure(outcome.figure).data and len(outcome.sentences) == 2
