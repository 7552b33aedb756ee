"""Rendering of the images of a shard: latents, model, style and encoder, in threads."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from models.image_hash import Hashes, image_hashes
from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec
from worker.errors import GateUnavailableError, WeightsError
from worker.rendering.blocks import block_of, slots, split
from worker.rendering.candidate import NO_RULES, Candidate, Verdict
from worker.rendering.encoding import EncodedImage, Encoder, encode
from worker.rendering.loaded_gate import LoadedGate
from worker.rendering.loaded_model import LoadedModel
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
    ) -> Generator[list[Candidate]]:
        """Render candidates of a job, and yield them in index order, one list for each part.

        Images that the job's selection rejects are not encoded.
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

    def _render_part(self, shard: "_Shard", part: range) -> list[Candidate]:
        """Do all work for some images of one batch, in one thread."""
        if shard.spec.selection is None:
            return [Candidate(image.index, image) for image in self._encode(shard, part, self._deliver(shard, part))]
        unstyled = shard.render_unstyled(part)
        verdicts = shard.judge(part, unstyled)
        kept = [k for k, verdict in enumerate(verdicts) if verdict.is_accepted(shard.spec.selection)]
        files = dict[int, EncodedImage]()
        if kept:
            indices = [part[k] for k in kept]
            images = unstyled if shard.delivers_unstyled else self._deliver(shard, part)
            files = dict(zip(indices, self._encode(shard, indices, images[kept]), strict=True))
        return [Candidate(index, files.get(index), verdict) for index, verdict in zip(part, verdicts, strict=True)]

    def _encode(self, shard: "_Shard", indices: Sequence[int], images: Tensor) -> list[EncodedImage]:
        files = self.encode(images, shard.spec.format)
        hashes = [f"{value:016x}" for value in _hashes(images)] if shard.spec.hashes_images else [""] * len(files)
        return [EncodedImage.of(*each) for each in zip(indices, files, hashes, strict=True)]

    def _deliver(self, shard: "_Shard", part: range) -> Tensor:
        """Render some images of one batch, with the job's style. Shapes: returns (len(part), 3, h, w) uint8."""
        style = shard.standard_style
        return self._style(shard, part, style) if style else shard.render(part)

    def _style(self, shard: "_Shard", part: range, style: StyleSpec) -> Tensor:
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
        self._gate = _find_gate(spec, model)
        first, last = (block_of(index, model.batch_size) for index in (indices[0], indices[-1]))
        self._batches = range(first.start, last.stop)
        # One call for all batches: it consists of many small operations, whatever the number of latents.
        self._z = model.latents(spec.seed, self._batches)

    def render(self, part: range) -> Tensor:
        """Render some images of one batch, always in their slots of the whole batch."""
        return self._render(self._model, part)

    def render_unstyled(self, part: range) -> Tensor:
        """Render some images of one batch by the original model, as without a style."""
        return self._render(self._model.original, part)

    @property
    def delivers_unstyled(self) -> bool:
        """Whether the images of the original model are those of the job."""
        return self.standard_style is None and self._model is self._model.original

    def judge(self, part: range, unstyled: Tensor) -> list[Verdict]:
        """Judge some images of one batch. Shapes: (len(part), 3, h, w) uint8."""
        if self._gate is None:
            return [NO_RULES] * len(part)
        batch = block_of(part.start, self._model.batch_size)
        scores = self._gate.scores(unstyled, slots(part, batch), self.spec.labels(part))
        drops_copies = self.spec.selection is not None and self.spec.selection.drops_copies
        copies = self._gate.find_copies(_hashes(unstyled)) if drops_copies else [False] * len(part)
        return [Verdict(*each) for each in zip(scores, copies, strict=True)]

    def _render(self, model: LoadedModel, part: range) -> Tensor:
        batch = block_of(part.start, model.batch_size)
        rows = slots(batch, self._batches)
        return model.render(self._z[rows.start : rows.stop], self.spec.labels(batch), slots(part, batch))


def _hashes(images: Tensor) -> Hashes:
    return image_hashes(images.permute(0, 2, 3, 1).numpy())


def _find_gate(spec: JobSpec, model: LoadedModel) -> LoadedGate | None:
    """Return the quality gate of a job; None if it needs none. Raises GateUnavailableError."""
    wanted = spec.selection.gate if spec.selection else None
    if wanted is not None and (model.gate is None or model.gate.sha256 != wanted):
        raise GateUnavailableError(f"no worker has the quality gate {wanted[:12]} of the model {spec.model.name}")
    return model.gate if wanted else None


def no_weights() -> WeightsError:
    """Return the error for a job with a style on a worker without weights of VGG19."""
    return WeightsError("no worker has the weights of VGG19 that this job's style needs")
