"""Generations of crystals in the background: folders, states, the worker, the screening."""

import json

import pytest

from core.errors import InputError
from core.executors import background_work, generations
from core.executors.background_work import CANCEL, CANCELLED, FAILED, FINISHED
from core.executors.generations import GENERATION, carry_out, delete, generation, start, state
from core.structures.diffusion import funnel, weights
from core.structures.diffusion.names import BASE
from core.structures.diffusion.request import GenerationRequest
from core.structures.diffusion.sampler import SamplerSettings
from tests.unit.structures.diffusion.conftest import stored

REQUEST = GenerationRequest(3, allowed=("C", "Nb"), sampler=SamplerSettings(steps=2))


@pytest.fixture(autouse=True)
def random_network(monkeypatch, tmp_path):
    """A random network; workers are not started."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("core.processors.give_way", lambda: None)
    monkeypatch.setattr(background_work, "start", lambda folder, arguments: None)
    stored(tmp_path / "checkpoints", BASE)
    load = weights.load_crystal_network
    monkeypatch.setattr(weights, "load_crystal_network", lambda name: load(name, tmp_path / "checkpoints"))


def test_a_generation_is_carried_out():
    begun = start(REQUEST, screened=False)
    assert generations.generations() == [begun] and state(begun.folder).samples == 0
    assert carry_out(begun.folder) == FINISHED
    found = state(begun.folder)
    assert found.samples == 3 and found.work.state == FINISHED and not found.work.active
    assert generation(begun.name) == begun and begun.request == REQUEST


def test_two_generations_of_one_second_have_folders_of_their_own():
    first, second = start(REQUEST, screened=False), start(REQUEST, screened=False)
    assert first.folder != second.folder and {each.name for each in generations.generations()} == {
        first.name, second.name,
    }  # fmt: skip


def test_the_screening_follows_and_can_be_stopped(monkeypatch):
    seen = []

    def screen(folder, settings, work, should_stop, told):
        told(1, 3)
        seen.append((state(folder).work.doing, should_stop()))
        return None if should_stop() else []

    monkeypatch.setattr(funnel, "screen", screen)
    monkeypatch.setattr("core.structures.search_work.funnel_work", lambda *_: None)
    monkeypatch.setattr("core.structures.prototypes.load_finder", lambda: None)
    monkeypatch.setattr(background_work, "_TOLD_EVERY_S", 0.0)
    begun = start(REQUEST, screened=True)
    assert carry_out(begun.folder) == FINISHED and seen == [("screening, 1 of 3 crystals; about 1 min left", False)]


def test_a_cancelled_generation_keeps_what_is_made(monkeypatch):
    begun = start(REQUEST, screened=False)
    (begun.folder / CANCEL).touch()
    assert carry_out(begun.folder) == CANCELLED and state(begun.folder).samples == 0
    (begun.folder / CANCEL).unlink()
    assert carry_out(begun.folder) == FINISHED and state(begun.folder).samples == 3


def test_a_deleted_generation_has_no_files(monkeypatch):
    begun, other = start(REQUEST, screened=False), start(REQUEST, screened=False)
    cancelled = []
    monkeypatch.setattr(background_work, "cancel", cancelled.append)
    delete(begun)
    assert cancelled == [begun.folder] and not begun.folder.exists() and generations.generations() == [other]


def test_an_error_is_told(monkeypatch):
    def missing(name):
        raise InputError("model", name, "this checkpoint is missing", "Train it")

    monkeypatch.setattr(weights, "load_crystal_network", missing)
    begun = start(REQUEST, screened=False)
    assert carry_out(begun.folder) == FAILED and "is missing" in state(begun.folder).work.message


@pytest.mark.parametrize("content", ["", "[]", '{"request": {"count": 0}}', '{"request": {"count": 3}, "screened": 1}'])
def test_a_folder_that_cannot_be_read_is_left_out(content):
    begun = start(REQUEST, screened=False)
    (begun.folder / GENERATION).write_text(content, encoding="utf-8")
    assert generations.generations() == [] and generation(begun.name) is None
    with pytest.raises(InputError, match="holds no generation"):
        carry_out(begun.folder)


def test_names_of_links_stay_in_the_folder(tmp_path):
    begun = start(REQUEST, screened=False)
    outside = begun.folder.parent.parent / "other"
    outside.mkdir()
    (outside / GENERATION).write_text((begun.folder / GENERATION).read_text(), encoding="utf-8")
    for name in ("../other", "..", "", str(outside), "missing", 400 * "x"):
        assert generation(name) is None


@pytest.mark.parametrize(
    "request_",
    [REQUEST, GenerationRequest(2, tc_K=10.0, composition=("Mg", "B", "B")), GenerationRequest(1, seed=7)],
)
def test_a_request_is_read_as_it_was_written(request_):
    assert GenerationRequest.from_json(json.loads(json.dumps(request_.to_json()))) == request_
