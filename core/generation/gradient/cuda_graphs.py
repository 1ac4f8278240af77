"""Capture of work on a CUDA device as graphs: a replay launches all kernels of a step with one call."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch

WARM_UP = 3  # calls before a capture, in which libraries choose kernels and allocate their workspaces
MESSAGE_CHARACTERS = 200


class Graphs:
    """Captured work; all graphs share one memory pool, because they are replayed one after the other.

    After a capture that fails, work is launched operation by operation, which gives the same results.
    """

    def __init__(self):
        self._pool = torch.cuda.graph_pool_handle()
        self.failure = ""

    @property
    def execution(self) -> str:
        """Whether CUDA graphs are replayed, with the reason if they are not."""
        return f"without CUDA graphs: {self.failure}" if self.failure else "CUDA graphs"

    def captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """The replay of `work`, which reads and writes only tensors that keep their addresses.

        `work` is called a few times before the capture; the caller restores the tensors that it changes. Returns
        `work` itself if the capture fails.
        """
        if self.failure:
            return work
        try:
            return self._graph(work).replay
        except RuntimeError as error:
            self.failure = str(error).splitlines()[0][:MESSAGE_CHARACTERS]
            print(f"CUDA graph not captured: {self.failure}", file=sys.stderr)
            torch.cuda.synchronize()
            return work

    def _graph(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph:
        current, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        try:
            aside.wait_stream(current)
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP):
                    work()
            current.wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                work()
        finally:
            torch.cuda.set_stream(current)  # a capture that fails leaves its own stream as the current one
        return graph
