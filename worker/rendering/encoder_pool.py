"""Encodes images in processes. The threads of one process would wait for its interpreter lock.

A worker on a GPU needs this: the device renders images much faster than one process can encode them.
"""

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import lru_cache
from multiprocessing import get_context, parent_process
from threading import Lock, Thread
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.contracts.jobs import JobSpec
from worker.rendering.encoding import EncodedImage
from worker.rendering.image_files import ImageEncoder

_IMAGES_OF_A_TASK = 16
"""Images that one process encodes at once. More would leave processes idle in small jobs."""
_MAX_TRIES = 3
_BUSY_SECONDS = 0.5
"""Time that each process is busy at its start, so that the others are started meanwhile."""


class EncoderPool:
    """A context manager: inside, processes encode images. They end with this process, however it ends.

    Thread-safe. The files are those of `ImageEncoder`.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._lock = Lock()
        self._executor = self._start()
        # The start of the processes takes seconds, in which the worker loads its models.
        Thread(target=self._start_processes, args=(self._executor,), name="encoders", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def encode(self, spec: JobSpec, indices: Sequence[int], images: Tensor) -> list[EncodedImage]:
        """Encode images of a job. Shapes: images (len(indices), 3, h, w) uint8 on the CPU.

        A process that was killed is replaced, and the images are encoded again. Raises BrokenProcessPool if that does
        not help.
        """
        for attempt in range(1, _MAX_TRIES + 1):
            executor = self._executor
            try:
                return self._encode(executor, spec, indices, images)
            except BrokenProcessPool:
                if attempt == _MAX_TRIES:
                    raise
                self._replace(executor)
        raise AssertionError  # pragma: no cover

    def _encode(
        self, executor: ProcessPoolExecutor, spec: JobSpec, indices: Sequence[int], images: Tensor
    ) -> list[EncodedImage]:
        spec_json = spec.model_dump_json()
        # Channels last in memory already, so that this copies nothing.
        pixels = images.permute(0, 2, 3, 1).contiguous().numpy()
        tasks: list[Future[list[EncodedImage]]] = [
            executor.submit(_encode_part, spec_json, indices[start:stop], pixels[start:stop])
            for start in range(0, len(indices), _IMAGES_OF_A_TASK)
            for stop in [start + _IMAGES_OF_A_TASK]
        ]
        return [image for task in tasks for image in task.result()]

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._executor is broken:
                broken.shutdown(wait=False, cancel_futures=True)
                self._executor = self._start()

    def _start_processes(self, executor: ProcessPoolExecutor) -> None:
        # An executor starts a process for a task if all others are busy.
        with suppress(RuntimeError):  # the pool has ended, or a process was killed: `encode` handles that
            for _ in range(self._processes):
                executor.submit(time.sleep, _BUSY_SECONDS)

    def _start(self) -> ProcessPoolExecutor:
        # The processes are copies of one that has imported this module and has no threads, which a copy would lack.
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__])
        return ProcessPoolExecutor(self._processes, context, _start_process)


def _start_process() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the worker ends these
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the worker is gone, even if it was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _encode_part(spec_json: str, indices: Sequence[int], pixels: NDArray[np.uint8]) -> list[EncodedImage]:
    """Encode some images of a job in a process of the pool. Shapes: pixels (len(indices), h, w, 3)."""
    return _encoder_of(spec_json).encode(indices, torch.from_numpy(pixels).permute(0, 3, 1, 2))


@lru_cache(16)
def _encoder_of(spec_json: str) -> ImageEncoder:
    return ImageEncoder(JobSpec.model_validate_json(spec_json))
