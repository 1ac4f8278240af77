"""The teaching page."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.learn.constraints import composition_of
from app.learn.crystals import is_there, moments
from app.learn.diffusion import knowledge_table
from app.learn.integer_loss import FIGURE_2, loss_by_size
from app.learn.method import parts
from app.learn.normalisation import normalised
from app.learn.steps import STEPS
from app.learn.table_image import tiles
from core.benchmarks import harness
from core.benchmarks.harness import Outcome
from core.chemistry import elements
from core.paths import PROJECT
from core.problem.settings import OptimiserSettings
from core.runs.example import EXAMPLE_ID
from core.structures.packed_structure import packed
from tests.app.pages import html_text, open_page, without_exception
from tests.crystals import diboride, rock_salt


def test_the_loss_of_figure_2_is_that_of_the_paper():
    assert loss_by_size(FIGURE_2)[4] == pytest.approx(0.04)


def test_the_page_computes_the_loss_for_the_chosen_size():
    test = open_page("learn", step="whole-atoms")
    assert {"Loss for N = 4": "0.040"}.items() <= {m.label: m.value for m in test.metric}.items()
    test.slider(key="learn_n").set_value(1).run()
    assert not test.exception and any(m.label == "Loss for N = 1" for m in test.metric)


def test_a_formula_that_cannot_be_read_is_explained():
    test = open_page("learn", step="image")
    test.text_input(key="learn_formula").set_value("YBa2Jx3").run()
    assert not test.exception and "is not an element" in html_text(test)


def test_the_steps_of_a_sample_can_be_chosen():
    test = open_page("learn", step="diffusion")
    slider = next(s for s in test.select_slider if s.key == "learn_diffusion_step")
    noise = next(m for m in test.metric if m.label == "Standard deviation of the noise")
    assert noise.value == "1.00"
    slider.set_value(slider.options[-1] if isinstance(slider.options[-1], int) else int(slider.options[-1])).run()
    assert not test.exception
    assert next(m for m in test.metric if m.label == "Standard deviation of the noise").value == "0.00"


def test_what_methods_keep_is_measured():
    table = knowledge_table(PROJECT / "assets" / "benchmarks")
    assert table.loc["the rest of the base, to within 1%", "KIAGO"] == "100%"
    assert set(table.columns) == {"KIAGO", "C-ES", "SuperDiff", "SuperDiff with guidance"}


def test_missing_results_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("app.learn.diffusion.FOLDER", tmp_path)
    assert (knowledge_table(tmp_path) == "not measured").all(axis=None)
    assert any("superdiff-example" in info.value for info in open_page("learn", step="diffusion").info)


def test_tiles_are_those_of_the_periodic_table_image():
    assert (tiles()["H"], tiles()["Cl"]) == ((0, 0, 0), (1, 2, 30))


def test_fixed_and_forbidden_elements_hold_whatever_the_start():
    for start in range(5):
        mapped = composition_of({"Fe": 0.25, "As": 0.25}, frozenset({"O"}), start)
        x = mapped.fixed + mapped.free
        place = {symbol: elements.element(symbol).index for symbol in ("Fe", "As", "O")}
        assert x.sum() == pytest.approx(1) and x[place["O"]] == 0
        assert (x[place["Fe"]], x[place["As"]]) == (0.25, 0.25)


def test_relu_leaves_elements_at_zero_and_keeps_proportions_and_softmax_does_not():
    relu, soft = normalised({"La": 0.3, "Fe": 0.1, "O": -0.2}, others=2)
    assert (
        relu[:2] == pytest.approx([0.75, 0.25])
        and not relu[2:].any()
        and (soft > 0).all()
        and soft.sum() == pytest.approx(1)
    )
    assert soft[0] / soft[1] == pytest.approx(np.exp(0.2))


def test_the_numbers_in_the_text_are_those_of_the_settings():
    changed = OptimiserSettings(formation_energy_weight=7, max_elements=5, integer_weight=123, n_unit=(2, 9))
    text = " ".join(part.equation + part.text for part in parts(changed))
    assert all(number in text for number in (r"\alpha = 7\ ", "n_\\mathrm{max} = 5 ", "0 to 123 K", r"N = 2 \ldots 9"))


def test_the_lesson_is_walked_through_in_a_presentation():
    test = open_page("learn", present="1")
    for step in STEPS:
        assert step.heading in [header.value for header in test.header]
        if not test.button(key="learn_next").disabled:
            test.button(key="learn_next").click().run()
        assert not test.exception
    assert test.query_params["step"] in (STEPS[-1].name, [STEPS[-1].name])
    test.button(key="learn_leave").click().run()
    assert "present" not in test.query_params and not test.exception


def test_sliders_of_the_normalisation_follow_an_example():
    test = open_page("learn", step="normalisation")
    test.button_group(key="learn_preset").set_value("One large").run()
    assert not test.exception and test.slider(key="learn_v_La").value == 1
    assert {m.label: m.value for m in test.metric}["Elements above 0 by ReLU"] == "5 of 5"


def test_the_stored_run_opens_at_once(empty_runs_folder):
    test = open_page("learn", step="stages")
    test.button(key="learn_open_example").click().run()
    assert not test.exception and "Nothing" not in html_text(test)
    assert any(m.label == "Passing candidates" and int(m.value) > 0 for m in test.metric)
    assert [path.name for path in empty_runs_folder.iterdir() if path.is_dir()] == [EXAMPLE_ID]


def crystal_step():
    """The step of the lesson, alone."""
    from app.learn.crystals import crystals

    crystals()


def test_a_stored_crystal_is_shown_on_its_way(tmp_path, monkeypatch):
    monkeypatch.setattr("app.learn.crystals.FOLDER", tmp_path)
    test = without_exception(AppTest.from_function(crystal_step, default_timeout=60).run())
    assert any("crystal-example" in info.value for info in test.info)
    rows = []
    for sample, end in ((1, diboride("Mg", 3.08, 3.52)), (2, rock_salt("Nb", "C", 4.47))):
        for weight in (-1.0, 2.0):
            rows += [
                {"sample": sample, "weight": weight, "step": step, "formula": end.formula,
                 "tc_K": 10.0 * sample + weight, "structure": json.dumps(packed(end)), "metal": sample == 1,
                 "space_group": 191}
                for step in (0, 50, 100)
            ]  # fmt: skip
    chosen = ("Of 64 crystals some are shown.",)
    harness.write(Outcome(pd.DataFrame(rows), chosen, {"data": [], "layout": {}}, {}), "crystal-example", tmp_path)
    assert is_there(tmp_path)
    test = without_exception(AppTest.from_function(crystal_step, default_timeout=60).run())
    assert [each.value for each in test.metric] == ["MgB₂", "P6/mmm (191)", "12.0"]
    assert any(chosen[0] in caption.value for caption in test.caption)
    test.select_slider(key="learn_crystals_weight").set_value(-1.0).run()
    assert test.metric[2].value == "9.0"
    test.select_slider(key="learn_crystals_sample").set_value(2).run()
    assert test.metric[0].value == "NbC" and test.metric[2].value == "no metal"
    way = pd.DataFrame(rows[:3])
    assert [text for text, _ in moments(way)] == [f"Step {step} of 100: MgB2" for step in (0, 50, 100)]
