"""The resume point stores the state of any generator."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load, save

from core.generation.gradient.optimiser import State
from core.runs import layout
from core.runs.inspection import stored_threads
from core.runs.resume import Known, load_resume_point, save_resume_point

CPU = torch.device("cpu")
MINE = Known("mine", threads=2)


@dataclass(frozen=True)
class Swarm:
    """The state of a generator for tests, with other fields than those of the optimiser."""

    step: torch.Tensor
    positions: torch.Tensor
    alive: torch.Tensor
    random: torch.Tensor


def swarm(step: int = 3) -> Swarm:
    return Swarm(
        step=torch.tensor(step),
        positions=torch.linspace(0, 1, 12, dtype=torch.float64).reshape(3, 4).T,  # not contiguous
        alive=torch.tensor([True, False, True]),
        random=torch.Generator().manual_seed(5).get_state(),
    )


def test_a_state_survives_storing_and_loading(tmp_path):
    state = swarm()
    save_resume_point(tmp_path, state, MINE, 1.0 / 3)
    point = load_resume_point(tmp_path, Swarm, "mine", CPU)
    assert point is not None
    loaded = point.state
    assert type(loaded) is Swarm and point.elapsed_s == 1.0 / 3 and not point.recent
    for field in fields(Swarm):
        before, after = getattr(state, field.name), getattr(loaded, field.name)
        assert before.dtype == after.dtype and torch.equal(before, after), field.name


def test_tensors_are_moved_to_the_device_except_the_step(tmp_path):
    save_resume_point(tmp_path, swarm(), MINE, 0.0)
    point = load_resume_point(tmp_path, Swarm, "mine", torch.device("meta"))
    assert point is not None
    loaded = point.state
    assert int(loaded.step) == 3 and loaded.positions.device.type == loaded.alive.device.type == "meta"


def test_without_a_file_there_is_no_resume_point_and_no_message(tmp_path, capsys):
    assert load_resume_point(tmp_path, Swarm, "mine", CPU) is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("state_class", "fingerprint", "message"),
    [(Swarm, "another", "the problem or the checkpoints have changed"), (State, "mine", "of another generator")],
)
def test_a_resume_point_that_does_not_fit_is_not_used(tmp_path, capsys, state_class, fingerprint, message):
    save_resume_point(tmp_path, swarm(), MINE, 2.0)
    assert load_resume_point(tmp_path, state_class, fingerprint, CPU) is None
    printed = capsys.readouterr().err
    assert message in printed.lower() and "starts from the beginning" in printed


def test_a_corrupt_resume_point_is_not_used(tmp_path, capsys):
    save_resume_point(tmp_path, swarm(), MINE, 2.0)
    path = tmp_path / layout.RESUME
    path.write_bytes(path.read_bytes()[:100])
    assert load_resume_point(tmp_path, Swarm, "mine", CPU) is None
    assert "cannot be read" in capsys.readouterr().err


def rewritten(folder, change) -> None:
    """Store the tensors again after a change, with the old metadata."""
    path = folder / layout.RESUME
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load(path.read_bytes())
    change(tensors)
    path.write_bytes(save(tensors, metadata))


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("alive"),
        lambda tensors: tensors.update(positions=tensors["positions"][:2].contiguous()),
        lambda tensors: tensors.update(positions=tensors["positions"] + 1),
        lambda tensors: tensors.update(step=torch.zeros(3, dtype=torch.int64)),
    ],
)
def test_a_resume_point_whose_tensors_were_changed_is_not_used(tmp_path, capsys, change):
    save_resume_point(tmp_path, swarm(), MINE, 2.0)
    rewritten(tmp_path, change)
    assert load_resume_point(tmp_path, Swarm, "mine", CPU) is None
    assert "checksum" in capsys.readouterr().err
    assert stored_threads(tmp_path) is None


def test_the_number_of_threads_survives_in_the_resume_point(tmp_path):
    assert stored_threads(tmp_path) is None
    save_resume_point(tmp_path, swarm(), MINE, 2.0)
    assert stored_threads(tmp_path) == 2
