"""Rendering of a shard: latents, model and style are prepared once, and threads render batches from them."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec
from worker.errors import WeightsError
from worker.rendering.batches import ShardPipeline, aligned_blocks, slots_of
from worker.rendering.encoding import Encoder, encode
from worker.rendering.engine import LoadedModel
from worker.style.stylizer import GROUP_SIZE, Stylizer


@dataclass(frozen=True)
class Renderer:
    """Builds shard pipelines, whose batches are rendered, styled and encoded in threads."""

    executor: Executor
    threads: int
    patience_seconds: float
    """Time without a finished batch after which a pipeline yields an empty list."""
    encode: Encoder = encode
    stylizer: Stylizer | None = None
    """Styles images in the standard mode; None if the worker has no weights of VGG19."""

    def shard_pipeline(
        self, spec: JobSpec, model: LoadedModel, indices: range, is_wanted: Callable[[], bool]
    ) -> ShardPipeline:
        """Build the pipeline of some images of a job. `is_wanted` is called often; False stops style transfer."""
        blocks = list(aligned_blocks(indices, model.batch_size))
        first = blocks[0].start
        # One call for all batches: a call consists of many small operations, whatever the number of latents.
        z = model.latents(spec.seed, range(first, blocks[-1].stop))
        together = min(GROUP_SIZE, model.batch_size)

        def rendered(few: range) -> Tensor:
            (block,) = aligned_blocks(few, model.batch_size)
            return model.render(z[block.start - first : block.stop - first], spec.labels(block), slots_of(block, few))

        def styled(few: range) -> Tensor:
            if self.stylizer is None:
                raise no_weights()
            (block,) = aligned_blocks(few, together)
            place = slots_of(block, few)
            images = self.stylizer.apply(rendered(block), place, cast(StyleSpec, spec.style), is_wanted)
            return images[place.start : place.stop]

        def encoded(images: Tensor) -> list[bytes]:
            return self.encode(images, spec.format)

        is_styled_here = spec.style is not None and spec.style.mode == "standard"
        size, batch = (together, styled) if is_styled_here else (self.portion_size(model, len(indices)), rendered)
        return ShardPipeline(size, batch, encoded, self.executor, 2 * self.threads, self.patience_seconds)

    def portion_size(self, model: LoadedModel, count: int) -> int:
        """Return how many images a thread renders at once: fewer than a batch if other threads would be idle."""
        fair = -(-count // self.threads)
        return min(model.batch_size, 1 << fair.bit_length() - 1) if model.is_divisible else model.batch_size


def no_weights() -> WeightsError:
    """Return the error for a job in the standard mode on a worker without weights of VGG19."""
    return WeightsError("no worker has the weights of VGG19 that this job's style needs")
