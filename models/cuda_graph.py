"""Recording of work on a GPU. A replay launches all kernels of the work at once, and computes the same numbers."""

from collections.abc import Callable

import torch
from torch import Tensor

_CALLS_BEFORE_RECORDING = 3
"""Calls that run as usual, because libraries allocate memory and choose kernels in their first calls."""
_new_stream: Callable[[], torch.cuda.Stream] = torch.cuda.Stream


class RecordedWork:
    """Some work that is called again and again, and recorded as a CUDA graph at its fourth call.

    The work reads and writes the same tensors in each call, never waits for the device, and returns a tensor that the
    next call may overwrite. Random numbers come from `generator` only.
    """

    def __init__(self, work: Callable[[], Tensor], generator: torch.Generator | None = None) -> None:
        self._work, self._generator = work, generator
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Tensor | None = None

    def __call__(self) -> Tensor:
        """Do the work once, and return its result."""
        if self._calls < _CALLS_BEFORE_RECORDING:
            self._calls += 1
            return self._work_beside()
        if self._graph is None or self._result is None:
            self._graph, self._result = self._record()
        self._graph.replay()
        return self._result

    def _work_beside(self) -> Tensor:
        """Do the work in a stream of its own, as in a recording."""
        stream, current = _new_stream(), torch.cuda.current_stream()
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            result = self._work()
        current.wait_stream(stream)
        return result

    def _record(self) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        """Record the work. Nothing is computed. Other threads may use the device meanwhile."""
        graph = torch.cuda.CUDAGraph()
        if self._generator is not None:
            graph.register_generator_state(self._generator)
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            result = self._work()
        return graph, result
