"""The settings as form fields."""

from __future__ import annotations

from dataclasses import replace

from app.forms.settings_fields import GROUPS
from core.generation.registry import GRADIENT, SUBSTITUTION
from core.problem.presets import GDMCD_QUICK, PAPER, QUICK
from core.problem.settings import RAISE_TC, RANDOM, SUBSTITUTE, OptimiserSettings

FIELDS = [field for group in GROUPS.values() for field in group]


def test_every_setting_has_a_field_that_reads_and_writes_it():
    for field in FIELDS:
        assert field.value_in(field.with_value(OptimiserSettings(), field.value_in(PAPER))) == field.value_in(PAPER)
        assert field.help.endswith((".", ")"))
    assert {field.name for field in FIELDS} == set(OptimiserSettings.__dataclass_fields__)
    assert len({field.key for field in FIELDS}) == len(FIELDS)


def test_a_field_is_hidden_if_another_setting_makes_it_meaningless():
    shown = {field.name for field in FIELDS if not field.is_hidden(QUICK)}
    assert not shown & {"target_tc_K", "start_family", "start_above_K"} and "start" in shown
    hidden = {field.name for field in FIELDS if field.is_hidden(GDMCD_QUICK)}
    random = {field.name for field in FIELDS if field.is_hidden(replace(QUICK, start=RANDOM))}
    assert "mutate_probability" in random  # random mixtures have no starting material
    on_demand = {"least_distance", "most_changed"}
    assert hidden == {"rounding"} | on_demand  # doped formulas are always rounded to the nearest one


def test_a_field_matters_in_its_task_and_method_only():
    fields = {field.key: field for field in FIELDS}
    assert fields["candidates"].matters(SUBSTITUTE, SUBSTITUTION)
    assert not fields["learning_rate"].matters(RAISE_TC, SUBSTITUTION)
    assert fields["start"].matters(RAISE_TC, GRADIENT) and not fields["start"].matters(SUBSTITUTE, GRADIENT)
