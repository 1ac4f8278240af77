"""One interruption of each kind that needs no chance; `python -m core benchmark durability` has a hundred."""

from __future__ import annotations

import pytest

from core.benchmarks import durability
from core.benchmarks.durability import Blow, interrupted


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = durability._new_run(tmp_path_factory.mktemp("whole") / "run")
    assert durability._worker(run.folder, Blow("count")) > 50  # writes
    return run


@pytest.mark.parametrize("blow", [Blow("kill at a write", 40), Blow("full disk", 60)], ids=lambda blow: blow.kind)
def test_an_interrupted_run_loses_nothing(tmp_path, whole, blow):
    told: list[str] = []
    line = interrupted(tmp_path / "run", whole, blow, told.append)
    assert line == {"kind": blow.kind, "runs": 1, "lost": False, "different": False, "leftover": False,
                    "no_reason": False}, told  # fmt: skip
