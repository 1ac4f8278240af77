"""A process is this one only if machine, namespace, id and start time agree."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from core.process_identity import ProcessIdentity, identity_of, this_process


@pytest.fixture
def process():
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield started
    started.kill()
    started.wait()


def test_a_process_exists_until_it_ends_and_is_killed_once(process):
    identity = identity_of(process.pid)
    assert identity.exists() and identity.is_here()
    assert identity.kill() and process.wait(30) != 0
    assert not identity.exists() and not identity.kill()


@pytest.mark.parametrize(
    "changed", [{"started": "1"}, {"started": ""}, {"host": "elsewhere"}, {"namespace": "pid:[1]"}]
)
def test_another_process_with_this_id_is_not_killed(process, changed):
    other = replace(identity_of(process.pid), **changed)
    assert not other.exists() and not other.kill()
    assert process.poll() is None


def test_this_process_is_never_killed():
    assert this_process().exists() and not this_process().kill()


def test_an_identity_survives_json_and_anything_else_is_none():
    identity = this_process()
    assert ProcessIdentity.from_json(identity.to_json()) == identity
    stored = identity.to_json()
    for wrong in (None, 3, [], {}, {"pid": 1}, {**stored, "pid": 0}, {**stored, "pid": True}, {**stored, "pid": 2**40},
                  {**stored, "host": None}, {**stored, "started": 5}):  # fmt: skip
        assert ProcessIdentity.from_json(wrong) is None
