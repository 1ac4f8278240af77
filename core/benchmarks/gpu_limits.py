"""What a step costs, counted, and what a device can do, measured: the limits of arithmetic and of memory bandwidth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from core.benchmarks.timing import median_seconds
from core.predictors.device import matmul_precision

MATRIX, MATRIX_ON_CPU = 8192, 1024  # rows of the product that measures the arithmetic
BYTES, BYTES_ON_CPU = 2**32, 2**26  # of the tensor that is copied to measure the bandwidth


@dataclass(frozen=True)
class Work:
    """Cost of a piece of work.

    flops : operations of the matrix products and convolutions, a multiplication and an addition each
    bytes : that all operations read and write, each on its own: an operation reads its inputs and writes its outputs
    operations : number of operations, without views
    """

    flops: int
    bytes: int
    operations: int


@dataclass(frozen=True)
class DeviceLimits:
    """What a device reaches: operations per second in a large matrix product, bytes per second in a large copy."""

    flops_per_s: float
    bytes_per_s: float

    def seconds(self, work: Work) -> float:
        """The larger of the two times that the work takes at least."""
        return max(work.flops / self.flops_per_s, work.bytes / self.bytes_per_s)


class _Counter(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.flops = self.bytes = self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func.is_view or func.overloadpacket in _WITHOUT_KERNEL:
            return result
        count = flop_registry.get(func.overloadpacket)
        self.flops += count(*args, **kwargs, out_val=result) if count else 0
        self.bytes += sum(map(_bytes, _tensors((args, tuple(kwargs.values()))))) + sum(map(_bytes, _tensors(result)))
        self.operations += 1
        return result


_WITHOUT_KERNEL = {
    torch.ops.aten.detach, torch.ops.aten.empty, torch.ops.aten.empty_like, torch.ops.aten.new_empty,
    torch.ops.aten.empty_strided, torch.ops.aten.new_empty_strided,
}  # fmt: skip


def counted(work: Callable[[], object]) -> Work:
    """The cost of `work`, which is called once."""
    with _Counter() as counter:
        work()
    return Work(counter.flops, counter.bytes, counter.operations)


def _tensors(values: object) -> list[torch.Tensor]:
    """All tensors in nested tuples and lists."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, tuple | list):
        return [tensor for value in values for tensor in _tensors(value)]
    return []


def _bytes(tensor: torch.Tensor) -> int:
    """Bytes that belong to a tensor; a broadcast dimension is read once."""
    shape = (size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride)
    return math.prod(shape) * tensor.element_size()


def device_limits(device: torch.device, tf32: bool) -> DeviceLimits:
    """Measure both limits with random values: a product of square matrices, and a copy, which reads and writes."""
    on_cpu = device.type == "cpu"
    n, size = (MATRIX_ON_CPU, BYTES_ON_CPU) if on_cpu else (MATRIX, BYTES)
    random = torch.Generator(device).manual_seed(0)
    one, other = (torch.randn(n, n, device=device, generator=random) for _ in range(2))
    product = torch.empty_like(one)
    with matmul_precision(tf32, device):
        of_product = median_seconds(lambda: torch.mm(one, other, out=product), device)
    source = torch.rand(size // 4, device=device, generator=random)
    target = torch.empty_like(source)
    of_copy = median_seconds(lambda: target.copy_(source), device)
    return DeviceLimits(2 * n**3 / of_product, 2 * size / of_copy)
