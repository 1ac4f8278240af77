"""Selection of device and precision, including "auto"."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch

from core.errors import InputError
from core.predictors.layers.bfloat16 import processor_multiplies_bfloat16
from core.problem.settings import BFLOAT16, FLOAT32, TFLOAT32

TF32_CAPABILITY = (8, 0)  # CUDA compute capability from which there are matrix units for TF32


def resolve_device(name: str) -> torch.device:
    """The device with this name; for "auto" the fastest available one. Raises InputError for an unavailable device."""
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        name = next(device for device in ("cuda", "mps", "cpu") if available[device])
    if not available.get(name, False):
        there = ", ".join(device for device, present in available.items() if present)
        raise InputError("device", name, "this device is not available here", f"Choose auto or one of: {there}")
    return torch.device(name)


def resolve_precision(name: str, device: torch.device) -> str:
    """The precision with this name; "auto" selects the fastest one that is accurate enough for optimisation steps.

    bfloat16 on a CPU with matrix units for it, TF32 on a CUDA device with such units, otherwise float32.
    """
    if name != "auto":
        return name
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= TF32_CAPABILITY:
        return TFLOAT32
    return BFLOAT16 if device.type == "cpu" and processor_multiplies_bfloat16() else FLOAT32


@contextmanager
def matmul_precision(tf32: bool, device: torch.device) -> Generator[None]:
    """Products of float32 matrices on a CUDA device: in TF32 or, if not `tf32`, in full float32.

    TF32 rounds the factors to 10 bits of mantissa and adds in float32. No effect on other devices.
    """
    if device.type != "cuda":
        yield
        return
    matmul = torch.backends.cuda.matmul
    before = matmul.fp32_precision
    try:
        matmul.fp32_precision = "tf32" if tf32 else "ieee"
        yield
    finally:
        matmul.fp32_precision = before
