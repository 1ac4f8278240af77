"""Selection of device and precision, including "auto"."""

from __future__ import annotations

import torch

from core.errors import InputError
from core.predictors.layers.bfloat16 import processor_multiplies_bfloat16
from core.problem.settings import BFLOAT16, FLOAT32


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
    """The precision with this name; "auto" selects bfloat16 on a CPU with matrix units for it, otherwise float32."""
    if name != "auto":
        return name
    return BFLOAT16 if device.type == "cpu" and processor_multiplies_bfloat16() else FLOAT32
