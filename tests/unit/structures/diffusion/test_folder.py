"""A generation in a folder: table and files, resume with the same samples, cancel, other requests."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import InputError
from core.files import read_json
from core.structures.diffusion import blocks, folder
from core.structures.diffusion.folder import CANCEL, GenerationPhase, generate
from core.structures.diffusion.names import WITH_TC
from core.structures.diffusion.request import GenerationRequest
from core.structures.diffusion.sampler import SamplerSettings
from core.structures.diffusion.ways import read_ways
from core.structures.diffusion.weights import load_crystal_network
from tests.unit.structures.diffusion.conftest import SMALL, stored

CPU = torch.device("cpu")
REQUEST = GenerationRequest(5, tc_K=10.0, allowed=("C", "Nb"), sampler=SamplerSettings(steps=3))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoints")
    stored(made, WITH_TC, replace(SMALL, adapter=True))
    return load_crystal_network(WITH_TC, made)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(folder, "BLOCK", 2)
    monkeypatch.setattr(folder, "_STATUS_EVERY_S", 0.0)


def rows(path):
    with (path / "samples.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_has_a_row_for_each_sample_and_a_cif_for_each_valid_one(model, tmp_path):
    told = []
    last = generate(tmp_path, REQUEST, model, CPU, told.append)
    assert last.phase == GenerationPhase.FINISHED and read_json(tmp_path / "status.json")["samples"] == 5
    found = rows(tmp_path)
    assert [row["number"] for row in found] == list("01234")
    for row in found:
        assert (row["valid_structure"] == "true") == bool(row["cif"])
        assert not row["cif"] or (tmp_path / row["cif"]).exists()
    assert {symbol for row in found for symbol in row["formula"] if symbol.isupper()} <= {"C", "N"}
    lines = [json.loads(line) for line in (tmp_path / "blocks.jsonl").read_text().splitlines()]
    assert [line["samples"] for line in lines] == [2, 4, 5]
    assert any(status.step == 2 and status.remaining_s for status in told)


def test_samples_of_a_formula_have_the_symmetry_of_prototypes_and_an_error_of_the_network(model, monkeypatch, tmp_path):
    request = GenerationRequest(4, composition=("B", "B", "Mg"), sampler=SamplerSettings(steps=3), symmetric=True)
    generate(tmp_path / "symmetric", request, model, CPU)
    found = rows(tmp_path / "symmetric")
    assert all(row["template"].startswith("AB2 ") for row in found)
    assert all(float(row["denoising_error"]) > 0 for row in found)
    for row in found:
        assert row["valid_structure"] == "false" or int(row["space_group"]) >= int(row["template"].split()[1])
    assert read_json(tmp_path / "symmetric" / "request.json")["prototypes_sha256"]
    errors = [row["denoising_error"] for row in found]
    with monkeypatch.context() as patched:
        patched.setattr(folder, "denoising_errors", lambda *given: pytest.fail("computed again"))
        generate(tmp_path / "symmetric", request, model, CPU)
    assert [row["denoising_error"] for row in rows(tmp_path / "symmetric")] == errors
    generate(tmp_path / "free", replace(request, symmetric=False), model, CPU)
    with pytest.raises(InputError, match=r"any symmetry.*--any-symmetry"):
        generate(tmp_path / "free", request, model, CPU)
    assert {row["template"] for row in rows(tmp_path / "free")} == {""}
    assert "symmetric" not in read_json(tmp_path / "free" / "request.json")["request"]


def test_the_first_block_is_kept_on_its_way_from_noise(model, tmp_path):
    """Also where it was interrupted in the middle of it."""

    def cancel(status):
        if status.step == 2 and not (tmp_path / folder.WAYS).exists():
            (tmp_path / CANCEL).touch()

    assert generate(tmp_path, REQUEST, model, CPU, cancel).phase == GenerationPhase.CANCELLED
    assert read_ways(tmp_path / folder.WAYS) == {}
    generate(tmp_path, REQUEST, model, CPU)
    ways = read_ways(tmp_path / folder.WAYS)
    made = read_json(tmp_path / "blocks" / "0000000.json")["structures"]
    for number, way in ways.items():
        assert number in (0, 1) and [each.step for each in way][-1] == 3 and {each.step for each in way} <= {0, 1, 2, 3}
        np.testing.assert_allclose(way[-1].structure.positions, made[number]["positions"], atol=1e-4)
        assert set(way[-1].structure.symbols) <= {"C", "Nb"}
    assert ways


def test_a_cancelled_generation_continues_with_the_same_samples(model, tmp_path):
    straight, cancelled = tmp_path / "straight", tmp_path / "cancelled"
    generate(straight, REQUEST, model, CPU)

    def cancel(status):
        if status.samples == 2:
            (cancelled / CANCEL).touch()

    assert generate(cancelled, REQUEST, model, CPU, cancel).phase == GenerationPhase.CANCELLED
    assert len(rows(cancelled)) == 2
    assert generate(cancelled, REQUEST, model, CPU).phase == GenerationPhase.FINISHED
    for name in ("samples.csv", "blocks/0000002.json", "blocks/0000004.json"):
        assert (cancelled / name).read_bytes() == (straight / name).read_bytes()


def test_an_error_leaves_the_phase_interrupted_and_no_lock(model, tmp_path, monkeypatch):
    def fails(task, state):
        raise RuntimeError("no memory")

    with monkeypatch.context() as patched:
        patched.setattr(blocks, "step", fails)
        with pytest.raises(RuntimeError):
            generate(tmp_path, REQUEST, model, CPU)
    assert read_json(tmp_path / "status.json")["phase"] == "interrupted"
    assert generate(tmp_path, REQUEST, model, CPU).phase == GenerationPhase.FINISHED


def test_another_request_needs_another_folder(model, tmp_path):
    request = GenerationRequest(1, sampler=SamplerSettings(steps=2))
    generate(tmp_path, request, model, CPU)
    with pytest.raises(InputError, match="another request"):
        generate(tmp_path, replace(request, seed=1), model, CPU)
