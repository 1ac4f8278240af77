"""A mode that raises on every operation for which a program on a GPU would wait for the device, also on a CPU."""

from __future__ import annotations

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Methods that copy values of a tensor to Python, without an operation where the tensor is on the CPU already.
TO_PYTHON = {
    torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.cpu, torch.Tensor.__bool__,
    torch.Tensor.__int__, torch.Tensor.__float__, torch.Tensor.__index__, torch.Tensor.__array__,
    torch.Tensor.__contains__,
}  # fmt: skip
BY_INDEX = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put"}
FROM_HOST = {"lift_fresh", "lift_fresh_copy"}  # torch.tensor([...]): values of Python, copied from unpinned memory


class Synchronises(AssertionError):
    """An operation waits for the device, or has a shape that depends on values."""


class no_synchronisation:
    """`with no_synchronisation():` every synchronising call inside, also in backward passes, raises Synchronises.

    Synchronising are: values read by Python, shapes that depend on values (nonzero, bincount, unique, a boolean index,
    repeats given as a tensor), and copies between devices or from Python.
    """

    def __enter__(self) -> no_synchronisation:
        self._modes = (_Operations(), _Methods())
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)


class _Methods(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in TO_PYTHON:
            raise Synchronises(f"Tensor.{function.__name__} waits for the device")
        return function(*args, **(kwargs or {}))


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.overloadpacket.__name__
        kwargs = kwargs or {}
        if name in BY_INDEX:
            if any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]):
                raise Synchronises(f"{operation} with a boolean index")
        elif {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(operation.tags):
            raise Synchronises(f"{operation} waits for the device")
        if name in FROM_HOST:
            raise Synchronises(f"{operation} copies values of Python to the device")
        if name == "_to_copy" and kwargs.get("device") not in (None, args[0].device):
            raise Synchronises(f"{operation} from {args[0].device} to {kwargs['device']}")
        if name == "copy_" and args[0].device != args[1].device:
            raise Synchronises(f"{operation} from {args[1].device} to {args[0].device}")
        return operation(*args, **kwargs)
