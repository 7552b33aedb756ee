"""The engine `bare`: `python -m benchmarks.service.bare PORT`, a plain loop in one process without a service.

The loop is fast: the fastest precision, the network as it is served, channels_last, inference mode, PNGs on all cores
while the next batches are generated, and a ZIP in memory. At the start it tries several settings for a few sizes of
requests, and keeps the fastest: the batch size, and whether the cores share a layer or each take a batch. Beside a GPU,
it also tries to encode in processes, because the threads of one process cannot keep up with the GPU.
The loop takes its own times: until the first PNG, and until the ZIP is complete. HTTP only carries the ZIP afterwards.
"""

import io
import math
import sys
import time
import zipfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing import get_context
from urllib.parse import parse_qs, urlsplit

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import checkpoint, latents, pixels, registry
from models.inference import for_inference
from models.mkldnn_packing import pack
from models.precision import fastest_dtype
from worker.main import cores
from worker.rendering import encoding

_MODEL = "faces-64"
_SEED = 0
_BATCHES = {"cpu": (8, 16, 32, 64), "cuda": (64, 128, 256, 512)}
_SIZES = {"cpu": (1, 10, 256), "cuda": (1, 10, 500, 4000)}
"""Sizes of requests that are tried. A request uses the setting of the largest size that is not above its own."""
_TRIALS = 3
_PACKED = 64
"""Batch size for which the weights are laid out."""
_PIECE, _PROCESS_PIECE = 8, 16
"""Number of images that a thread, or a process, encodes at a time."""
_LEAST_FOR_PROCESSES = 100
"""Smaller requests are encoded by threads."""


@dataclass(frozen=True)
class Setting:
    """Settings of the loop: images in a batch, batches that are generated in parallel, and cores that share a layer."""

    batch: int
    lanes: int
    threads: int
    has_processes: bool = False
    """Whether processes encode, instead of threads."""


@dataclass(frozen=True)
class Piece:
    """Some PNGs, and the time of their completion, by time.perf_counter()."""

    pngs: list[bytes]
    done: float


@dataclass(frozen=True)
class Made:
    """A ZIP and its times, in seconds since the start of the loop."""

    first_s: float
    last_s: float
    archive: io.BytesIO


class Loop:
    """The shipped generator on the fastest device."""

    def __init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = fastest_dtype(self.device)
        header, generator = checkpoint.load_generator(registry.find(_MODEL))
        self._latent_dim, self._classes = header.latent_dim, len(header.classes)
        self._generator = for_inference(generator).to(self.device, self.dtype).to(memory_format=torch.channels_last)
        if self.device.type == "cpu":
            pack(self._generator, *self._inputs(range(_PACKED)))
        self._encoders = ThreadPoolExecutor(cores())
        self._processes = ProcessPoolExecutor(cores(), get_context("spawn"))

    def run(self, n: int, setting: Setting) -> Made:
        """Return a ZIP of n images, with all classes alternating."""
        began, archive, first_s, index = time.perf_counter(), io.BytesIO(), 0.0, 0
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
            for piece in self._pieces(n, setting):
                first_s = first_s or piece.done - began
                for png in piece.pngs:
                    file.writestr(f"{index:06d}.png", png)
                    index += 1
        return Made(first_s, time.perf_counter() - began, archive)

    def _pieces(self, n: int, setting: Setting) -> Iterator[Piece]:
        """Encode batches, in order, while the next ones are generated."""
        lanes = _lanes(setting.lanes, setting.threads)
        pending: deque[Future[list[Future[Piece]]]] = deque()
        for start in range(0, n, setting.batch):
            indices = range(start, min(start + setting.batch, n))
            pending.append(lanes.submit(self._begin, indices, setting.has_processes))
            if len(pending) > setting.lanes + 1:
                yield from _finished(pending.popleft())
        while pending:
            yield from _finished(pending.popleft())

    def _begin(self, indices: range, has_processes: bool) -> list[Future[Piece]]:
        # As bytes of pixels, because PyTorch would pass tensors to a process through shared memory.
        images = self._generated(indices).permute(0, 2, 3, 1).contiguous().numpy()
        encoders: Executor = self._processes if has_processes else self._encoders
        size = _PROCESS_PIECE if has_processes else _PIECE
        return [encoders.submit(_encode, images[k : k + size]) for k in range(0, len(images), size)]

    @torch.inference_mode()
    def _generated(self, indices: range) -> Tensor:
        return pixels.to_uint8(self._generator(*self._inputs(indices))).cpu()

    def _inputs(self, indices: range) -> tuple[Tensor, Tensor]:
        z = latents.sample(self._latent_dim, _SEED, indices).to(self.device, self.dtype)
        return z, torch.tensor(indices, device=self.device) % self._classes


class Bare:
    """The loop with the fastest settings for each size of a request."""

    def __init__(self) -> None:
        self._loop = Loop()
        self._settings = {size: self._fastest(size) for size in _SIZES[self._loop.device.type]}

    def make(self, n: int) -> tuple[Made, str]:
        """Return a ZIP of n images, and a description of the setting."""
        setting = self._settings[max(size for size in self._settings if size <= n)]
        dtype = str(self._loop.dtype).removeprefix("torch.")
        encoders = "processes" if setting.has_processes else "threads"
        how = f"{dtype}, batch {setting.batch}, {setting.lanes} x {setting.threads} threads, PNGs by {encoders}"
        return self._loop.run(n, setting), how

    def _fastest(self, size: int) -> Setting:
        most, batches = min(cores(), torch.get_num_threads()), _BATCHES[self._loop.device.type]
        ways = sorted({(1, most), (1, max(1, most // 2)), (most, 1)})
        is_gpu = self._loop.device.type == "cuda"
        if is_gpu:
            ways = [(1, 1), (2, 1)]  # one GPU gains nothing from more lanes
        encoders = (False, True) if is_gpu and size >= _LEAST_FOR_PROCESSES else (False,)
        tried = [
            Setting(min(batch, math.ceil(size / lanes)), lanes, k, has_processes)
            for lanes, k in ways
            for batch in batches
            for has_processes in encoders
        ]
        return min(dict.fromkeys(tried), key=lambda setting: self._seconds(size, setting))

    def _seconds(self, size: int, setting: Setting) -> float:
        self._loop.run(setting.batch * setting.lanes, setting)
        return min(self._loop.run(size, setting).last_s for _ in range(_TRIALS))


@cache
def _lanes(lanes: int, threads: int) -> ThreadPoolExecutor:
    # torch stores its number of threads for each calling thread.
    return ThreadPoolExecutor(lanes, initializer=torch.set_num_threads, initargs=(threads,))


def _finished(batch: Future[list[Future[Piece]]]) -> Iterator[Piece]:
    for piece in batch.result():
        yield piece.result()


def _encode(pixel_rows: NDArray[np.uint8]) -> Piece:
    """Encode images. Shape: (n, h, w, 3)."""
    pngs = encoding.encode(torch.from_numpy(pixel_rows).permute(0, 3, 1, 2), "png")
    return Piece(pngs, time.perf_counter())


def serve(port: int) -> None:
    """Answer GET /?n=N with a ZIP, its times in the headers."""
    bare = Bare()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made, how = bare.make(int(parse_qs(urlsplit(self.path).query)["n"][0]))
            body = made.archive.getbuffer()
            self.send_response(200)
            times = {"X-First": str(made.first_s), "X-Last": str(made.last_s)}
            for name, value in {**times, "X-Note": how, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
