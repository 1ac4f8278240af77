"""The stages of a run."""

import pytest

from core.generation.schedule import Schedule, Stage


@pytest.mark.parametrize(
    ("steps", "stages"), [((2, 2), [1, 1, 2, 2, 2]), ((0, 2), [2, 2, 2]), ((2, 0), [1, 1, 1]), ((1,), [1, 1]),
                          ((1, 2, 1), [1, 2, 2, 3, 3])]
)  # fmt: skip
def test_the_stage_after_the_last_step_is_that_of_the_last_step(steps, stages):
    schedule = Schedule(tuple(Stage(str(n), n) for n in steps), candidates=1)
    assert [schedule.stage_at(step) for step in range(schedule.steps + 1)] == stages
    assert schedule.steps == sum(steps) and schedule.ends[-1] == sum(steps)
