"""The teaching page."""

from __future__ import annotations

import pytest

from app.learn.diffusion import knowledge_table
from app.learn.integer_loss import FIGURE_2, loss_by_size
from app.learn.table_image import tiles
from core.paths import PROJECT
from tests.app.pages import html_text, open_page


def test_the_loss_of_figure_2_is_that_of_the_paper():
    assert loss_by_size(FIGURE_2)[4] == pytest.approx(0.04)


def test_the_page_computes_the_loss_for_the_chosen_size():
    test = open_page("learn")
    assert {"Loss for N = 4": "0.040"}.items() <= {m.label: m.value for m in test.metric}.items()
    test.slider(key="learn_n").set_value(1).run()
    assert not test.exception and any(m.label == "Loss for N = 1" for m in test.metric)


def test_a_formula_that_cannot_be_read_is_explained():
    test = open_page("learn")
    test.text_input(key="learn_formula").set_value("YBa2Jx3").run()
    assert not test.exception and "is not an element" in html_text(test)


def test_the_steps_of_a_sample_can_be_chosen():
    test = open_page("learn")
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
    assert any("superdiff-example" in info.value for info in open_page("learn").info)


def test_tiles_are_those_of_the_periodic_table_image():
    assert (tiles()["H"], tiles()["Cl"]) == ((0, 0, 0), (1, 2, 30))
