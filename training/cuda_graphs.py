"""Records a function as a CUDA graph, so that one launch runs all of its kernels."""

import torch
from torch import Tensor

from training.recorded_steps import TakeStep


class CudaRecorder:
    """Records steps that draw from one generator. Source: PyTorch's notes on CUDA graphs."""

    def __init__(self, generator: torch.Generator) -> None:
        """Create a side stream. `generator` is the run's own, on the GPU; a replay continues its random numbers."""
        self._generator = generator
        self._side = torch.cuda.Stream(generator.device)  # type: ignore[no-untyped-call]

    def run(self, step: TakeStep) -> Tensor:
        """Take a step on a side stream, because a recording cannot join work of the default stream."""
        main = torch.cuda.current_stream(self._side.device)
        self._side.wait_stream(main)
        with torch.cuda.stream(self._side):
            summary = step()
        main.wait_stream(self._side)
        return summary

    def record(self, step: TakeStep) -> TakeStep:
        """Record a step without taking it. Raises RuntimeError when it cannot be recorded."""
        graph, before = torch.cuda.CUDAGraph(), self._generator.clone_state()
        # Without it, every replay would draw the same numbers.
        graph.register_generator_state(self._generator)
        try:
            # Other threads, which load batches, may use the GPU during the recording.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                summary = step()
        except RuntimeError:
            # The failed recording leaves its generator unusable.
            self._generator.graphsafe_set_state(before)
            raise

        def replay() -> Tensor:
            graph.replay()
            return summary

        return replay
