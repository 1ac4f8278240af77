"""The GPU benchmark runs on the processor too; costs are counted as on paper. No test measures a time."""

import pytest
import torch
from torch import nn

from core.benchmarks import gpu as benchmark
from core.benchmarks.gpu_agreement import AgreementSize, agreement
from core.benchmarks.gpu_limits import DeviceLimits, Work, counted, device_limits
from core.benchmarks.registry import run_benchmark
from core.problem.settings import FLOAT32

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


def test_a_product_and_its_backward_pass_are_counted():
    one, other = torch.rand(10, 20, requires_grad=True), torch.rand(20, 30)
    forward = counted(lambda: one.detach() @ other)
    assert forward == Work(flops=2 * 10 * 20 * 30, bytes=4 * (200 + 600 + 300), operations=1)
    both = counted(lambda: torch.autograd.grad((one @ other).sum(), one))
    assert both.flops == 2 * forward.flops and both.operations > 2


def test_views_cost_nothing_and_a_broadcast_value_is_read_once():
    x = torch.rand(8, 8)
    assert counted(lambda: x.T[2:].unflatten(1, (4, 2))) == Work(0, 0, 0)
    assert counted(lambda: x + torch.ones(8, 1).expand(8, 8)).bytes == 4 * (64 + 8 + 64) + 4 * 8  # and torch.ones


def test_a_linear_layer_with_bias():
    layer, x = nn.Linear(16, 4), torch.rand(32, 16)
    assert counted(lambda: layer(x)).flops == 2 * 32 * 16 * 4


def test_the_larger_time_is_the_limit():
    limits = DeviceLimits(flops_per_s=100.0, bytes_per_s=10.0)
    assert limits.seconds(Work(1000, 20, 1)) == 10.0 and limits.seconds(Work(1000, 500, 1)) == 50.0


def test_limits_are_measured_on_any_device():
    limits = device_limits(CPU, tf32=False)
    assert limits.flops_per_s > 1e8 and limits.bytes_per_s > 1e7


def test_the_processor_agrees_with_itself_in_every_precision():
    options = benchmark.GpuOptions(device="cpu")
    posed = benchmark._problem(options, "best", FLOAT32, 4, (1, 1))
    rows = list(agreement(posed, CPU, AgreementSize(4, 3, 3, 4)))
    measured = [(row["precision"], row["candidates"], row["steps"]) for row in rows]
    assert measured[:2] == [("float32", 4, 3), ("float64", 3, 4)] and len(measured) == 3
    for row in rows[:2]:
        assert row["largest_tc_difference_after_1_step_K"] == row["largest_tc_difference_after_all_steps_K"] == 0
        assert row["share_within_0.05_K_after_all_steps"] == 1


def test_a_trial_on_the_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark, "device_limits", lambda device, tf32: DeviceLimits(1e10, 1e9))
    monkeypatch.setenv("TC_STUDIO_DATA", str(tmp_path / "none"))
    given = {"device": "cpu", "candidates": (4,), "predictor": ("published",), "cache": tmp_path}
    name, outcome = run_benchmark("gpu", given)
    (row,) = outcome.table.to_dict("records")
    assert name == "gpu" and row["candidates"] == 4 and row["execution"] == "one step at a time"
    assert row["ratio"] == pytest.approx(row["ours_steps_per_s"] / row["plain_steps_per_s"])
    # Twice the forward pass of ElemNet and ResNet18, see "times_the_limit": 38 MFLOP for each candidate.
    assert row["GFLOP_per_step"] == pytest.approx(4 * 0.038, rel=0.1)
    share = max(row["share_of_arithmetic"], row["share_of_bandwidth"])
    assert row["times_the_limit"] == pytest.approx(1 / share)
    (run,) = outcome.about["whole_runs"]
    assert run["steps"] == 4 and run["run_s"] == run["starts_s"] + run["steps_s"]
    assert len(outcome.about["agreement_with_cpu"]) == 3 and outcome.about["trainings"] == []
    assert outcome.picture.startswith("<svg")
    assert [trace["name"] for trace in outcome.figure["data"]] == [
        "ResNet18 and ElemNet, ours", "ResNet18 and ElemNet, reference"
    ]  # fmt: skip


def test_an_interrupted_benchmark_resumes(monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark, "device_limits", lambda device, tf32: DeviceLimits(1e10, 1e9))
    monkeypatch.setattr(benchmark, "_trainings", lambda options: [])
    options = benchmark.GpuOptions(device="cpu", candidates=(4,), predictor=("published",), cache=tmp_path)
    first = benchmark.gpu(options)
    monkeypatch.setattr(benchmark.Bench, "line", lambda *arguments: pytest.fail("measured again"))
    again = benchmark.gpu(options)
    assert again.table.equals(first.table) and again.about == first.about
