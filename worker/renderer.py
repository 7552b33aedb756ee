"""Rendering of the images of a shard: latents, model, style and encoder, in threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec
from worker.errors import WeightsError
from worker.rendering.blocks import block_of, slots, split
from worker.rendering.encoding import EncodedImage, Encoder, encode
from worker.rendering.engine import LoadedModel
from worker.rendering.ordered_results import ordered_results
from worker.style.stylizer import GROUP_SIZE, Stylizer


@dataclass(frozen=True)
class Renderer:
    """Renders shards. One thread renders, styles and encodes one part of a shard, without waiting for the others."""

    executor: Executor
    threads: int
    """Number of threads of the executor."""
    patience_seconds: float
    """Time without a finished part after which an empty list is yielded."""
    encode: Encoder = encode
    stylizer: Stylizer | None = None
    """Styles images in the standard mode; None if the worker has no weights of VGG19."""

    def render(
        self, spec: JobSpec, model: LoadedModel, indices: range, is_wanted: Callable[[], bool]
    ) -> Iterator[list[EncodedImage]]:
        """Render images of a job, and yield them in index order, one list for each part.

        Empty lists are yielded while no part is finished, so that the caller can renew its lease or stop.
        `is_wanted` is called after each step of style transfer; False stops it.
        """
        shard = _Shard(spec, model, indices, is_wanted)
        size = shard.group_size if shard.standard_style else model.portion_size(len(indices), self.threads)
        return ordered_results(
            self.executor,
            partial(self._render_part, shard),
            split(indices, size),
            ahead=2 * self.threads,
            patience_seconds=self.patience_seconds,
        )

    def _render_part(self, shard: "_Shard", part: range) -> list[EncodedImage]:
        """Do all work for some images of one batch, in one thread."""
        style = shard.standard_style
        images = self._style(shard, part, style) if style else shard.render(part)
        files = self.encode(images, shard.spec.format)
        return [EncodedImage.of(index, data) for index, data in zip(part, files, strict=True)]

    def _style(self, shard: "_Shard", part: range, style: StyleSpec) -> Tensor:
        """Render and style the whole group of some images, since their bytes depend on the shape of the group."""
        if self.stylizer is None:
            raise no_weights()
        group = block_of(part.start, shard.group_size)
        styled = self.stylizer.apply(shard.render(group), style, shard.is_wanted)
        wanted = slots(part, group)
        return styled[wanted.start : wanted.stop]


class _Shard:
    """The images of a job that are rendered together. Their latents are drawn once, for all threads."""

    def __init__(self, spec: JobSpec, model: LoadedModel, indices: range, is_wanted: Callable[[], bool]) -> None:
        self.spec, self.is_wanted = spec, is_wanted
        self.standard_style = spec.style if spec.style is not None and spec.style.mode == "standard" else None
        """The style that is transferred after rendering; None if the model renders the final images."""
        self.group_size = min(GROUP_SIZE, model.batch_size)
        self._model = model
        first, last = (block_of(index, model.batch_size) for index in (indices[0], indices[-1]))
        self._batches = range(first.start, last.stop)
        # One call for all batches: it consists of many small operations, whatever the number of latents.
        self._z = model.latents(spec.seed, self._batches)

    def render(self, part: range) -> Tensor:
        """Render some images of one batch, always in their slots of the whole batch."""
        batch = block_of(part.start, self._model.batch_size)
        rows = slots(batch, self._batches)
        return self._model.render(self._z[rows.start : rows.stop], self.spec.labels(batch), slots(part, batch))


def no_weights() -> WeightsError:
    """Return the error for a job with a style on a worker without weights of VGG19."""
    return WeightsError("no worker has the weights of VGG19 that this job's style needs")
