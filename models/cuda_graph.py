"""Recording of work on a GPU. A replay launches all kernels of the work at once, and computes the same numbers."""

import logging
from collections.abc import Callable
from threading import local

import torch
from torch import Tensor

_CALLS_BEFORE_RECORDING = 3
"""Calls that run as usual, because libraries allocate memory and choose kernels in their first calls."""
CALLS_UNTIL_RECORDED = _CALLS_BEFORE_RECORDING + 1
"""The recording happens in this call."""

log = logging.getLogger(__name__)

_new_stream: Callable[[], torch.cuda.Stream] = torch.cuda.Stream


class RecordedWork:
    """Some work that is called again and again, and recorded as a CUDA graph at its fourth call.

    Work that cannot be recorded runs kernel by kernel.

    The work reads and writes the same tensors in each call, never waits for the device, and returns a tensor that the
    next call may overwrite. Random numbers come from `generator` only.
    """

    def __init__(self, work: Callable[[], Tensor], generator: torch.Generator | None = None) -> None:
        self._work, self._generator = work, generator
        self._calls, self._is_unrecordable = 0, False
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Tensor | None = None

    def __call__(self) -> Tensor:
        """Do the work once, and return its result."""
        if self._calls < _CALLS_BEFORE_RECORDING:
            self._calls += 1
            return self._work_beside()
        if self._is_unrecordable:
            return self._work_beside()
        if self._graph is None or self._result is None:
            try:
                self._graph, self._result = self._record()
            except RuntimeError as error:
                log.warning("work was not recorded as a CUDA graph, and runs slower reason=%s", error)
                self._is_unrecordable = True
                return self._work_beside()
        self._graph.replay()
        return self._result

    def _work_beside(self) -> Tensor:
        """Do the work in a stream of its own, as in a recording."""
        stream, current = _side_stream(), torch.cuda.current_stream()
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            result = self._work()
        current.wait_stream(stream)
        return result

    def _record(self) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        """Record the work. Nothing is computed. Other threads may use the device meanwhile."""
        graph, generator = torch.cuda.CUDAGraph(), self._generator
        before = None if generator is None else generator.clone_state()
        if generator is not None:
            graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph, stream=_side_stream(), capture_error_mode="thread_local"):
                result = self._work()
        except RuntimeError:
            # A failed recording leaves its generator in a state that cannot draw.
            if generator is not None and before is not None:
                generator.graphsafe_set_state(before)
            raise
        return graph, result


class _Streams(local):
    def __init__(self) -> None:
        """Begin without streams, in each thread."""
        self.by_device: dict[int, torch.cuda.Stream] = {}


_streams = _Streams()


def _side_stream() -> torch.cuda.Stream:
    """Return the stream of this thread for recordings. Each stream has a memory cache and a workspace of its own."""
    device = torch.cuda.current_device()
    if device not in _streams.by_device:
        _streams.by_device[device] = _new_stream()
    return _streams.by_device[device]
