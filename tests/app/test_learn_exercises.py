"""The exercise sheet and the table of symbols."""

from __future__ import annotations

import re

import pytest

from app.forms.settings_fields import GROUPS
from app.learn.exercises import FORMULAS, RATIOS, constraint_task, exercises, integer_task, neutrality_task, sheet
from app.learn.symbols import symbols
from core.problem.settings import OptimiserSettings


def test_the_fractions_of_the_first_answer_sum_with_the_fixed_ones_to_one():
    cells = re.findall(r"<td>([^<]*)</td>", constraint_task().answer)
    rows = [cells[i : i + 4] for i in range(0, len(cells), 4)]
    assert [row[0] for row in rows] == list(RATIOS)
    for column in (2, 3):
        assert sum(float(row[column]) for row in rows) == pytest.approx(0.5, abs=2e-3)
    assert float(rows[0][2]) == 0.3 and "N is exactly 0" in constraint_task().answer


def test_the_integer_loss_of_the_second_answer_is_that_of_the_paper():
    assert "<td>4</td><td>0.040</td>" in integer_task().answer and "<td>2</td><td>0.460</td>" in integer_task().answer


def test_every_formula_of_the_third_task_has_a_verdict_and_some_pass():
    answer = neutrality_task().answer
    verdicts = re.findall(r"<td>(yes|no)</td>", answer)
    assert len(verdicts) == len(FORMULAS) and set(verdicts) == {"yes", "no"}
    assert "La 3+, Fe 2+, As 3-, O 2-" in answer


def test_the_sheet_has_tasks_before_answers_and_can_be_printed():
    text = sheet()
    assert "@media print" in text and len(exercises()) == 3
    tasks, answers = text.split("<h1>Answers</h1>")
    assert all(task.question in tasks and task.answer in answers for task in exercises())
    assert exercises()[0].answer not in tasks and "K/(eV/atom)" in answers


def test_the_symbols_have_the_defaults_and_the_labels_of_the_settings():
    rows = {row.html: row for row in symbols(OptimiserSettings(risk_aversion=2.5, n_unit=(3, 9)))}
    assert rows["κ"].default == "2.5" and rows["N"].default == "3 to 9"
    labels = {field.label for group in GROUPS.values() for field in group}
    named = [row.where.removeprefix("Design, settings: ") for row in rows.values() if "settings: " in row.where]
    assert len(named) >= 7 and set(named) <= labels
