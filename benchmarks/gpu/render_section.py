"""The generator alone: images/s by number format and batch size, equal bytes, and PNGs by threads and processes."""

import hashlib
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import torch
from torch import Tensor, nn

from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options
from benchmarks.gpu.timing import seconds_per_call
from models import checkpoint, latents, pixels, registry
from models.cuda_graph import RecordedWork
from models.inference import for_inference
from worker.main import cores
from worker.rendering import encoding
from worker.rendering.engine import RenderEngine

_MODEL = "faces-64"
_FORMATS = {"bfloat16": torch.bfloat16, "float16": torch.float16, "TF32": torch.float32, "float32": torch.float32}
_LEAST_SECONDS = 12
_ENCODED = 64
"""Images that a thread or a process encodes at once."""


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Measure the device, then the bytes, then the processor."""
    torch.set_num_threads(1)
    with torch.inference_mode():
        for name in options.pick(("bfloat16",), tuple(_FORMATS)):
            for n in options.pick((16,), (64, 256, 1024, 4096)):
                with results.attempt("images/s on the device", format=name, batch=n):
                    seconds = _seconds_per_batch(options, name, n)
                    results.add("images/s on the device", round(n / seconds), format=name, batch=n)
        with results.attempt("images/s with the copy to the host"):
            _measure_copy(options, results)
    with results.attempt("same bytes in all threads"):
        _compare_threads(options, results)
    with results.attempt("latents, us per image"):
        count = options.pick(64, 4096)
        seconds = seconds_per_call(lambda: latents.sample(100, 1, range(count)), torch.device("cpu"), 0.2)
        results.add("latents, us per image", round(1e6 * seconds / count, 2))
    for workers, has_processes in options.pick(((1, False), (2, True)), _encoder_ways()):
        if deadline.left() < _LEAST_SECONDS:
            results.add("PNGs were left out", f"{deadline.left():.0f} s were left", encoders=workers)
            continue
        with results.attempt("PNG images/s", encoders=workers, processes=has_processes):
            rate = _encoding_rate(options, workers, has_processes)
            results.add("PNG images/s", round(rate), encoders=workers, processes=has_processes)


def _encoder_ways() -> tuple[tuple[int, bool], ...]:
    return (1, False), (8, False), (cores(), False), (cores() // 2, True), (cores(), True)


def _generator(options: Options, dtype: torch.dtype) -> tuple[nn.Module, int]:
    """Load the generator as it is served. Returns it with its number of latent dimensions."""
    header, generator = checkpoint.load_generator(registry.find(_MODEL))
    served = for_inference(generator).to(options.device, dtype).to(memory_format=torch.channels_last)
    return served, header.latent_dim


def _inputs(options: Options, dimensions: int, n: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    z = latents.sample(dimensions, 1, range(n)).to(options.device, dtype)
    return z, torch.arange(n, device=options.device) % 4


def _seconds_per_batch(options: Options, name: str, n: int) -> float:
    torch.backends.cudnn.allow_tf32 = name == "TF32"
    dtype = _FORMATS[name]
    generator, dimensions = _generator(options, dtype)
    z, labels = _inputs(options, dimensions, n, dtype)
    return seconds_per_call(lambda: pixels.to_uint8(generator(z, labels)), options.device, options.pick(0.05, 0.3))


def _measure_copy(options: Options, results: Results) -> None:
    n = options.pick(16, 256)
    generator, dimensions = _generator(options, torch.bfloat16)
    z, labels = _inputs(options, dimensions, n, torch.bfloat16)

    def work() -> Tensor:
        return pixels.to_uint8(generator(z, labels))

    seconds = seconds_per_call(lambda: work().cpu(), options.device, options.pick(0.05, 0.3))
    results.add("images/s with the copy to the host", round(n / seconds), batch=n)
    if options.device.type == "cuda":
        expected, recorded = work(), RecordedWork(work)
        for _ in range(5):
            found = recorded()
        results.add("a CUDA graph renders the same bytes", bool(torch.equal(found, expected)))
        seconds = seconds_per_call(recorded, options.device, 0.3)
        results.add("images/s as a CUDA graph", round(n / seconds), batch=n)


def _compare_threads(options: Options, results: Results) -> None:
    torch.backends.cudnn.deterministic = True
    engine = RenderEngine([registry.find(_MODEL)], options.device)
    model = engine.model(engine.entries[0])
    block = range(model.batch_size)
    z, labels = model.latents(1, block), model.labels(block)
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        model.render(z, labels)
        seconds.append(round(time.perf_counter() - began, 4))
    results.add("first and second render of a process, s", seconds)
    count = options.pick(2, 16)
    with ThreadPoolExecutor(count) as threads:
        digests = {*threads.map(lambda _: _hash(model.render(z, labels)), range(4 * count))}
    results.add("same bytes in all threads", len(digests) == 1, threads=count)
    part = model.render(z, labels, range(4))
    results.add("same bytes of 4 slots alone", bool(torch.equal(part, model.render(z, labels)[:4])))


def _hash(images: Tensor) -> str:
    return hashlib.sha256(images.contiguous().numpy().data).hexdigest()


def _encoding_rate(options: Options, workers: int, has_processes: bool) -> float:
    """Return the images/s of encoders that are all busy."""
    batches, seconds = 2 * workers, options.pick(0.1, 1.0)
    context = get_context("spawn")
    pool: Executor = ProcessPoolExecutor(workers, context) if has_processes else ThreadPoolExecutor(workers)
    with pool:
        list(pool.map(_encode, range(batches)))
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            done += sum(pool.map(_encode, range(batches)))
        return done / (time.perf_counter() - began)


def _encode(seed: int) -> int:
    """Encode smooth random images, which are about as large as faces. Returns their number."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(_ENCODED, 3, 8, 8, generator=generator)
    images = torch.nn.functional.interpolate(small, (64, 64), mode="bicubic").mul(255).clamp(0, 255).byte()
    return len(encoding.encode(images.contiguous(memory_format=torch.channels_last), "png"))
