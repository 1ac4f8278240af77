"""A training step captured in a CUDA graph: hundreds of launches become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

WARM_UP = 3  # steps before the capture, in which the libraries choose their algorithms and allocate


def captured(forms: Sequence[Callable[[], None]], changed: Sequence[torch.Tensor]) -> Callable[[], None]:
    """The step as a graph, from the first of its forms that can be captured; the last form itself if none can.

    forms : functions that make the same step, on the current CUDA device
    changed : all tensors that a step changes and the next one reads; they have the same values afterwards as before
    """
    before = [each.detach().clone() for each in changed]

    @torch.no_grad()
    def restore() -> None:
        for each, value in zip(changed, before, strict=True):
            each.copy_(value)

    reason = ""
    for form in forms:
        try:
            return _graph_of(form, restore)
        except RuntimeError as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            restore()
    print(f"The training step cannot be captured in a CUDA graph, so every operation is launched: {reason}")
    return forms[-1]


def _graph_of(step: Callable[[], None], restore: Callable[[], None]) -> Callable[[], None]:
    stream = torch.cuda.current_stream()
    try:
        beside = torch.cuda.Stream()
        beside.wait_stream(stream)
        with torch.cuda.stream(beside):
            for _ in range(WARM_UP):
                step()
                restore()  # a counter of the steps must not reach the end of a table
        stream.wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
    finally:
        torch.cuda.set_stream(stream)  # a capture that fails leaves its own stream as the current one
    return graph.replay
