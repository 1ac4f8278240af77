"""Networks in bfloat16: where a processor multiplies in it, several times as fast, and right to some 0.3%.

That is enough to say where to climb. What comes in and what goes out is float32, and so is every value that is kept:
it is predicted again by the network as it is.
"""

from __future__ import annotations

import copy

import torch
from torch import nn


class InBfloat16(nn.Module):
    """A copy of a network that computes in bfloat16; what it is given and gives back keeps its type."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = copy.deepcopy(network).to(torch.bfloat16)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, ...) -> what the network makes of it, in the type of `values`."""
        return self.network(values.to(torch.bfloat16)).to(values.dtype)


def processor_multiplies_bfloat16() -> bool:
    """Whether this processor has matrix units for it (AMX). Vector units alone were slower than float32 here."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))
