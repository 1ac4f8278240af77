"""SuperDiff as a generator, with the exact noise of a few cuprates: constraints, formulas, stop and resume, errors."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.evaluation.csv_export import to_csv
from core.evaluation.design import design, generate, prepare
from core.executors.in_process import InProcessExecutor
from core.generation.diffusion import generator
from core.generation.diffusion.generator import class_of
from core.generation.diffusion.settings import RULES, WHOLE, scale_factors
from core.generation.registry import SUPERDIFF, checkpoints_of_method
from core.generation.validation import check
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.problem.substitution_sites import Site
from core.runs import keyed_runs
from core.runs.status import Phase
from core.runs.store import create_in
from tests.unit.generation.diffusion.toys import ExactNoise, amounts_of

pytestmark = pytest.mark.usefixtures("one_thread")

PROBLEM = DesignProblem(
    base="La1.85Sr0.15CuO4",
    method=SUPERDIFF,
    settings=OptimiserSettings(candidates=64, max_elements=9),
    device="cpu",
    tc_predictor="tc",
    formation_energy_predictor="formation-energy",
    method_settings={"denoising_steps": 20, "formulas": "kiago"},
)


@pytest.fixture(autouse=True)
def cuprates(monkeypatch):
    """A distribution of 32 cuprates instead of trained weights."""
    loaded = []
    cuprates = [
        amounts_of(**{rare_earth: 2 - x, alkaline_earth: x, "Cu": 1 - y, metal: y, "O": 4 + x})
        for rare_earth in ("La", "Nd") for alkaline_earth in ("Sr", "Ca") for metal in ("Zn", "Ni")
        for x in (0.1, 0.5) for y in (0.05, 0.25)
    ]  # fmt: skip
    network = ExactNoise(torch.stack(cuprates))
    monkeypatch.setattr(generator, "load_noise_predictor", lambda name: loaded.append(name) or network)
    return loaded


def with_settings(problem: DesignProblem = PROBLEM, **own) -> DesignProblem:
    return replace(problem, method_settings={**problem.method_settings, **own})


def test_a_design_of_64_samples_in_20_steps(cuprates):
    result = design(PROBLEM)
    table = result.candidates
    assert cuprates == ["superdiff-cuprate"]
    assert result.funnel[0].left > 50 and len(table) > 20
    assert table["tc_K"].notna().all() and table["integer_loss"].notna().all()
    amounts = compositions(table["formula"]) * table["n_atoms"].to_numpy()[:, None]
    # ILVR keeps the 2 + 1 atoms of metal and the 4 of oxygen, to the noise of the last steps and the digits.
    assert np.abs(amounts[:, 7] - 4).max() < 0.6
    assert to_csv(result.candidates) == to_csv(design(PROBLEM).candidates)
    assert to_csv(design(replace(PROBLEM, seed=1)).candidates) != to_csv(result.candidates)


def test_the_samples_do_not_depend_on_how_many_there_are():
    many, few = (prepare(replace(PROBLEM, settings=replace(PROBLEM.settings, candidates=n))) for n in (64, 30))
    found, expected = (generate(prepared)[0].amounts for prepared in (few, many))
    torch.testing.assert_close(found, expected[:30], atol=1e-4, rtol=1e-4)


def test_guidance_changes_the_samples():
    free, guided = (generate(prepare(with_settings(guidance_weight=w)))[0].amounts for w in (0.0, 3.0))
    assert (free - guided).abs().max() > 0.1
    np.testing.assert_allclose(free.sum(1), guided.sum(1), atol=0.3)  # conditioning restores the total amount


def test_a_stopped_run_is_resumed_exactly(tmp_path, monkeypatch):
    monkeypatch.setattr(keyed_runs, "checkpoints_of_method", lambda problem: ())  # the network has no file
    problem = with_settings(guidance_weight=1.0)
    straight, stopped = (create_in(problem, tmp_path / name) for name in ("straight", "stopped"))
    InProcessExecutor().submit(straight)
    assert straight.status().phase is Phase.FINISHED and straight.status().total_steps == 20

    def cancel_half_way(status):
        if status.step >= 9:
            (stopped.folder / "cancel").touch()

    InProcessExecutor(cancel_half_way).submit(stopped)
    assert stopped.status().phase is Phase.CANCELLED and 0 < stopped.status().step < 20
    InProcessExecutor().submit(stopped)
    assert stopped.csv() == straight.csv()
    progress = straight.progress()
    assert progress["tc_K_median"].notna().all() and progress["integer_loss_median"].notna().all()
    validity = straight.validity()
    assert validity["step"].tolist() == progress["step"].tolist()
    assert validity["valid_share"].iloc[0] == 0 and validity["valid_share"].between(0, 1).all()  # noise is no formula
    pd.testing.assert_frame_equal(stopped.validity(), validity)
    samples = straight.samples()
    assert list(samples) == ["step", "sample 1", "sample 2", "sample 3"] and len(samples) == len(validity)
    assert samples["sample 1"].nunique() > 10 and "H" in samples["sample 1"].iloc[0]
    pd.testing.assert_frame_equal(stopped.samples(), samples)


def test_neutral_formulas_are_whole_and_pass_the_charge_screens():
    result = design(with_settings(formulas="neutral"))
    table = result.candidates
    assert len(table) > 10 and (table["charge_neutral"] & table["pauling_ok"]).all()
    counts = compositions(table["formula"]) * table["n_atoms"].to_numpy()[:, None]
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    assert table["n_atoms"].max() <= PROBLEM.settings.n_unit[1]


def test_superdiff_rejects_negative_amounts_and_says_so():
    result = design(with_settings(formulas="superdiff"))
    assert result.funnel[0].failed["an amount is negative"] > 10
    digits = [digits for formula in result.candidates["formula"] for digits in re.findall(r"\.(\d+)", formula)]
    assert max(map(len, digits)) == 2


@pytest.mark.parametrize("rule", RULES)
def test_constraints_hold_for_every_candidate_and_losses_are_counted(rule):
    problem = replace(with_settings(formulas=rule), forbidden=("Zn", "Ba"), bounds={"O": (0.5, 0.59)},
                      floors={"La": 0.1}, groups=(Group(("La", "Ce", "Pr"), 0.2, 0.5),))  # fmt: skip
    assert check(problem) == []
    result = design(problem)
    table, lost = result.candidates, result.funnel[0].failed
    assert len(table)
    x = compositions(table["formula"])
    assert not x[:, [elements.element(s).index for s in ("Zn", "Ba")]].any()
    assert (x[:, 7] >= 0.5 - 1e-6).all() and (x[:, 7] <= 0.59 + 1e-6).all() and (x[:, 56] >= 0.1 - 1e-6).all()
    assert (x[:, 56:59].sum(1) >= 0.2 - 1e-6).all()
    assert result.funnel[0].left + sum(lost.values()) == 64
    assert "it contains a forbidden element" in lost or rule == WHOLE


def test_the_largest_number_of_elements_holds():
    result = design(replace(PROBLEM, settings=replace(PROBLEM.settings, max_elements=4)))
    assert (result.candidates["n_elements"] <= 4).all() and len(result.candidates)
    assert "it has more than 4 elements" in result.funnel[0].failed


@pytest.mark.parametrize(
    ("base", "of_class", "expected"),
    [("YBa2Cu3O7", "base", "cuprate"), ("LaFeAsO", "base", "iron-based"), ("MgB2", "base", "other"),
     ("LaH10", "base", "other"), ("Y2Fe3Si5", "base", "other"), ("Y2Fe3Si5", "iron-based", "iron-based")],
)  # fmt: skip
def test_the_class_is_that_of_the_base_or_the_chosen_one(base, of_class, expected):
    assert class_of(replace(with_settings(of_class=of_class), base=base)) == expected


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"fixed": {"Cu": 1 / 7}}, "fixed"),
     ({"task": "substitute", "sites": (Site("La", 3),)}, "task"),
     ({"settings": OptimiserSettings(n_unit=(1, 2)), "bounds": {"O": (0.4, 0.42)},
       "method_settings": {"formulas": "neutral"}}, "n_unit"),
     ({"method_settings": {"denoising_steps": 5}}, "method_settings.denoising_steps"),
     ({"method_settings": {"scale_factors": "5"}}, "method_settings.scale_factors"),
     ({"method_settings": {"guidance_weight": -1.0}}, "method_settings.guidance_weight")],
)  # fmt: skip
def test_problems_that_diffusion_cannot_solve_are_refused_with_their_field(changes, field):
    assert field in [error.field for error in check(replace(PROBLEM, **changes))]


def test_the_checkpoint_of_the_class_belongs_to_the_provenance():
    assert checkpoints_of_method(PROBLEM) == ("superdiff-cuprate",)
    assert checkpoints_of_method(replace(PROBLEM, method="gradient", method_settings={})) == ()


def test_the_problem_of_the_tests_is_valid():
    assert check(PROBLEM) == []


def test_scale_factors_of_the_setting():
    assert scale_factors("2,3,4,6") == (2, 3, 4, 6) and scale_factors("3") == (3,) and scale_factors("none") == ()
