"""The teaching page."""

from __future__ import annotations

import pytest

from app.learn.integer_loss import FIGURE_2, loss_by_size
from app.learn.table_image import tiles
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
    test.text_input(key="learn_formula").set_value("YBa2Qx3").run()
    assert not test.exception and "is not an element" in html_text(test)


def test_tiles_are_those_of_the_periodic_table_image():
    assert (tiles()["H"], tiles()["Cl"]) == ((0, 0, 0), (1, 2, 30))
