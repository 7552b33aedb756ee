"""Rendering of the images of a shard: latents, model, style and encoder, in threads."""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor

from worker.contracts.jobs import JobSpec
from worker.contracts.points import class_weights
from worker.contracts.selection import Selection
from worker.contracts.styles import StyleSpec
from worker.errors import GateUnavailableError, WeightsError
from worker.rendering.blocks import block_of, slots, split
from worker.rendering.candidate import Candidate, Verdict
from worker.rendering.encoder_pool import EncoderPool
from worker.rendering.encoding import EncodedImage, Encoder, encode
from worker.rendering.image_files import ImageEncoder, hashes_of
from worker.rendering.loaded_gate import LoadedGate
from worker.rendering.loaded_model import Labels, LoadedModel
from worker.rendering.ordered_results import ordered_results
from worker.style.stylizer import Stylizer


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
    encoders: EncoderPool | None = None
    """Processes that encode, for a device that renders faster than one process encodes; None uses the threads."""

    def render(
        self, spec: JobSpec, model: LoadedModel, indices: range, is_wanted: Callable[[], bool]
    ) -> Generator[list[Candidate]]:
        """Render candidates of a job, and yield them in index order, one list for each part.

        Images whose score is too low are not drawn. Copies of training images are drawn, and not encoded.
        Empty lists are yielded while no part is finished, so that the caller can renew its lease or stop.
        `is_wanted` is called after each step of style transfer; False stops it.
        """
        shard = self._shard(spec, model, indices, is_wanted)
        size = shard.group_size if shard.standard_style else model.portion_size(len(indices), self.threads)
        return ordered_results(
            self.executor,
            partial(self._render_part, shard),
            split(indices, size),
            ahead=2 * self.threads,
            patience_seconds=self.patience_seconds,
        )

    def render_image(self, spec: JobSpec, model: LoadedModel) -> EncodedImage:
        """Render the first image of a job without style and selection in this thread: the same bytes as by `render`."""
        indices = range(spec.first, spec.first + 1)
        shard = self._shard(spec, model, indices, lambda: True)
        (image,) = shard.encoder.encode(indices, _Part(shard, indices).draw(indices))
        return image

    def _shard(self, spec: JobSpec, model: LoadedModel, indices: range, is_wanted: Callable[[], bool]) -> "_Shard":
        group_size = self.stylizer.group_size(model.entry.resolution) if self.stylizer else model.batch_size
        return _Shard(spec, model, indices, is_wanted, group_size, ImageEncoder(spec, self.encode))

    def _render_part(self, shard: "_Shard", indices: range) -> list[Candidate]:
        """Do all work for some images of one batch, in one thread."""
        part, selection = _Part(shard, indices), shard.spec.selection
        if selection is None or shard.gate is None:
            images = self._encode(shard, indices, self._deliver(part, indices))
            return [Candidate(image.index, image) for image in images]
        verdicts = part.judge(shard.gate, selection)
        kept = _accepted(verdicts, selection)
        files = self._encode(shard, kept, self._deliver(part, kept)) if kept else []
        by_index = {file.index: file for file in files}
        return [Candidate(index, by_index.get(index), verdict) for index, verdict in verdicts.items()]

    def _encode(self, shard: "_Shard", indices: Sequence[int], images: Tensor) -> list[EncodedImage]:
        if self.encoders is None:
            return shard.encoder.encode(indices, images)
        return self.encoders.encode(shard.spec, indices, images)

    def _deliver(self, part: "_Part", indices: Sequence[int]) -> Tensor:
        """Draw some images of a part, with the job's style. Shapes: returns (len(indices), 3, h, w) uint8."""
        style = part.shard.standard_style
        return self._style(part, indices, style) if style else part.draw(indices)

    def _style(self, part: "_Part", indices: Sequence[int], style: StyleSpec) -> Tensor:
        if self.stylizer is None:
            raise no_weights()
        # The whole group is styled, because the bytes of a styled image depend on the shape of its group.
        group = block_of(indices[0], part.shard.group_size)
        styled = self.stylizer.apply(part.draw(group), style, part.shard.is_wanted)
        return styled[[index - group.start for index in indices]]


class _Shard:
    """The images of a job that are rendered together."""

    def __init__(
        self,
        spec: JobSpec,
        model: LoadedModel,
        indices: range,
        is_wanted: Callable[[], bool],
        group_size: int,
        encoder: ImageEncoder,
    ) -> None:
        self.spec, self.model, self.is_wanted, self.encoder = spec, model, is_wanted, encoder
        self.standard_style = spec.style if spec.style is not None and spec.style.mode == "standard" else None
        """The style that is transferred after rendering; None if the model renders the final images."""
        self.group_size = min(group_size, model.batch_size)
        self.gate = _find_gate(spec, model)
        first, last = (block_of(index, model.batch_size) for index in (indices[0], indices[-1]))
        self.batches = range(first.start, last.stop)
        # One call for all batches: it consists of many small operations, whatever the number of latents. The batches of
        # a GPU are so large that each is drawn by its thread, beside the others.
        self._z = self._draw_latents(self.batches) if model.device.type == "cpu" else None

    def latents(self, batch: range) -> Tensor:
        """Return the latents of a batch. Shapes: returns (batch_size, latent_dim) on the device."""
        if self._z is None:
            return self._draw_latents(batch)
        rows = slots(batch, self.batches)
        return self._z[rows.start : rows.stop]

    def labels(self, batch: range) -> Labels:
        """Return the classes of a batch, or the mixtures of classes of its images."""
        around, walk, classes = self.spec.around, self.spec.between, self.model.entry.classes
        if walk is not None:
            mixed = self.model.mix_classes([class_weights(walk.point(0, index), classes) for index in batch])
            return [] if mixed is None else mixed
        if around is None or not around.classes:
            return self.spec.labels(batch)
        mixed = self.model.mix_classes([class_weights(around.point(0, 0, None), classes)])
        return [] if mixed is None else mixed.expand(len(batch), -1)

    def _draw_latents(self, batch: range) -> Tensor:
        if self.spec.placement is None:
            return self.model.latents(self.spec.seed, batch)
        return self.model.latents_at(self.spec.placement, self.spec.seed, batch)


class _Part:
    """Some images of one batch of a shard. Images are always drawn from their slots of the whole batch."""

    def __init__(self, shard: _Shard, indices: range) -> None:
        self.shard, self._indices = shard, indices
        self._batch = block_of(indices.start, shard.model.batch_size)
        self._z, self._labels = shard.latents(self._batch), shard.labels(self._batch)
        self._unstyled = dict[int, Tensor]()
        """Unstyled images that were drawn for the search for copies, by index."""

    def judge(self, gate: LoadedGate, selection: Selection) -> dict[int, Verdict]:
        """Score the images before they are drawn, and search for copies among those that pass. Returns verdicts."""
        indices, labels = self._indices, self.shard.spec.labels(self._indices)
        scores = gate.scores(self._original_grids, slots(indices, self._batch), labels)
        verdicts = {index: Verdict(score) for index, score in zip(indices, scores, strict=True)}
        passed = _accepted(verdicts, selection)
        if passed and selection.drops_copies:
            images = self._draw_unstyled(passed)
            self._unstyled = dict(zip(passed, images, strict=True))
            for index, is_copy in zip(passed, gate.find_copies(hashes_of(images)), strict=True):
                verdicts[index] = verdicts[index]._replace(is_copy=is_copy)
        return verdicts

    def draw(self, indices: Sequence[int]) -> Tensor:
        """Draw images by the model of the job. Shapes: returns (len(indices), 3, h, w) uint8."""
        model = self.shard.model
        if self.shard.gate and model is model.original:
            return self._draw_unstyled(indices)
        return model.render(self._z, self._labels, self._slots(indices))

    def _draw_unstyled(self, indices: Sequence[int]) -> Tensor:
        """Draw images by the original model, as without a style, from the grids that its gate has scored."""
        if all(index in self._unstyled for index in indices):
            return torch.stack([self._unstyled[index] for index in indices])
        return self.shard.model.original.draw(self._original_grids, self._slots(indices))

    @cached_property
    def _original_grids(self) -> Tensor:
        """Start grids of the whole batch by the original model."""
        return self.shard.model.original.grids(self._z, self._labels)

    def _slots(self, indices: Sequence[int]) -> list[int]:
        return [index - self._batch.start for index in indices]


def _accepted(verdicts: Mapping[int, Verdict], selection: Selection) -> list[int]:
    return [index for index, verdict in verdicts.items() if verdict.is_accepted(selection)]


def _find_gate(spec: JobSpec, model: LoadedModel) -> LoadedGate | None:
    """Return the quality gate of a job; None if it needs none. Raises GateUnavailableError."""
    wanted = spec.selection.gate if spec.selection else None
    if wanted is not None and (model.gate is None or model.gate.sha256 != wanted):
        raise GateUnavailableError(f"no worker has the quality gate {wanted[:12]} of the model {spec.model.name}")
    return model.gate if wanted else None


def no_weights() -> WeightsError:
    """Return the error for a job with a style on a worker without weights of VGG19."""
    return WeightsError("no worker has the weights of VGG19 that this job's style needs")
