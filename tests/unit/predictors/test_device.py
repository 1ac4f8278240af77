"""Devices and precisions: the meaning of "auto"."""

import pytest
import torch

from core.errors import InputError
from core.predictors.device import matmul_precision, resolve_device, resolve_precision
from core.predictors.layers import bfloat16
from core.problem.settings import BFLOAT16, FLOAT32, TFLOAT32

CPU = torch.device("cpu")


def test_an_unavailable_device_is_rejected_with_the_available_ones(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == CPU
    with pytest.raises(InputError, match="one of: cpu") as caught:
        resolve_device("cuda")
    assert caught.value.field == "device"


def test_auto_selects_bfloat16_only_with_matrix_units(monkeypatch):
    monkeypatch.setattr(bfloat16.torch.backends.mkldnn, "is_available", lambda: True)
    for there, expected in ((True, BFLOAT16), (False, FLOAT32)):
        monkeypatch.setattr(bfloat16.torch.cpu, "get_capabilities", lambda there=there: {"amx_bf16": there})
        assert resolve_precision("auto", CPU) == expected
        assert resolve_precision(FLOAT32, CPU) == FLOAT32 and resolve_precision(BFLOAT16, CPU) == BFLOAT16
    assert resolve_precision("auto", torch.device("mps")) == FLOAT32


@pytest.mark.parametrize("capability, expected", [((7, 5), FLOAT32), ((8, 0), TFLOAT32), ((9, 0), TFLOAT32)])
def test_auto_selects_tf32_on_a_gpu_with_matrix_units(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert resolve_precision("auto", torch.device("cuda")) == expected
    assert resolve_precision(FLOAT32, torch.device("cuda")) == FLOAT32


def test_the_precision_of_products_holds_inside_the_block_on_a_gpu_only():
    matmul = torch.backends.cuda.matmul
    before = matmul.fp32_precision
    with matmul_precision(tf32=True, device=torch.device("cuda")):
        assert matmul.fp32_precision == "tf32"
        with matmul_precision(tf32=False, device=torch.device("cuda")):
            assert matmul.fp32_precision == "ieee"
        assert matmul.fp32_precision == "tf32"
        with matmul_precision(tf32=False, device=CPU):
            assert matmul.fp32_precision == "tf32"
    assert matmul.fp32_precision == before
