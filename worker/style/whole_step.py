"""One step of a training on a whole batch, which a GPU records."""

from collections.abc import Callable, Sequence
from typing import cast

from torch import Tensor

from models.cuda_graph import RecordedWork
from worker.rendering.device import call_with_memory


class WholeStep:
    """A step on a whole batch. On a GPU it is recorded, because its launches take longer than its kernels."""

    def __init__(
        self,
        gradients: Callable[[Tensor, Tensor | None], Sequence[Tensor]],
        update: Callable[[Sequence[Tensor]], Tensor],
    ) -> None:
        self._gradients, self._update = gradients, update
        self._inputs: tuple[Tensor, Tensor | None] | None = None
        self._work: Callable[[], Tensor] = self._compute

    def __call__(self, z: Tensor, labels: Tensor | None) -> None:
        """Take a step. All batches have one shape."""
        if self._inputs is None:
            # A recording reads the same tensors in each step.
            self._inputs = z.clone(), None if labels is None else labels.clone()
            self._work = RecordedWork(self._compute) if z.is_cuda else self._compute
        for buffer, values in zip(self._inputs, (z, labels), strict=True):
            if buffer is not None and values is not None:
                buffer.copy_(values)
        call_with_memory(self._work)

    def _compute(self) -> Tensor:
        z, labels = cast(tuple[Tensor, Tensor | None], self._inputs)
        return self._update(self._gradients(z, labels))
