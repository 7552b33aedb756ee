"""Style transfer: styled jobs of the service, batches of several sizes, and the tutorials' loop."""

import time
from pathlib import Path

import torch

from app.client import Client
from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options
from benchmarks.gpu.started_service import StartedService, digest, start_service
from benchmarks.gpu.timing import wait
from benchmarks.style_speed import Tutorial
from benchmarks.styles import drawn
from models import registry
from models.precision import fastest_dtype
from worker.contracts.uploaded_images import normalise
from worker.rendering.engine import RenderEngine
from worker.style import image_tensors, vgg
from worker.style.gatys import GatysSettings, StyleTransfer

_MODEL = "faces-64"
_PICTURE_SIDE = 512
_LEAST_SECONDS = 10


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Measure the service first, because a user sees its times."""
    if not (options.vgg19 and options.painting):
        results.add("style was left out", "it needs --vgg19 and --painting")
        return
    digests: dict[str, str] = {}
    served: dict[int, float] = {}
    for workers in options.pick((1,), (1, 2)):
        with results.attempt("styled jobs", workers=workers), start_service(options, results, workers) as service:
            _measure_jobs(service, options, digests, results, workers, served)
    with results.attempt("tutorials' loop"):
        _measure_loops(options, results, deadline, served)


def _measure_jobs(
    service: StartedService,
    options: Options,
    digests: dict[str, str],
    results: Results,
    workers: int,
    served: dict[int, float],
) -> None:
    with Client(service.processes.url, notify=lambda _: None) as client:
        style = client.upload_style(Path(options.painting)).id
    few, n = options.pick((2, 4), (64, 500))
    own: dict[str, str | int] = {"style": style, "seed": 1}
    steps: dict[str, int] = options.pick({"style_steps": 1}, {})
    jobs: dict[str, dict[str, str | int]] = {
        "standard, first job": {"n": few, "style_mode": "standard"},
        "standard": {"n": n, "style_mode": "standard"},
        "standard again": {"n": n, "style_mode": "standard"},
        "distilled, with its learning": {"n": few, "style_mode": "distilled"},
        "distilled": {"n": n, "style_mode": "distilled"},
    }
    for name, parameters in jobs.items():
        with results.attempt(name, workers=workers):
            answer = service.archive(**own, **parameters, **steps)
            results.add(name, round(answer.last_s, 3), unit="s", n=parameters["n"], workers=workers)
            found, key = digest(answer.archive), name.removesuffix(" again")
            is_same = digests.setdefault(key, found) == found
            results.add(f"same bytes: {name}", is_same, digest=found, workers=workers)
            if key == "standard":
                served[n] = min(answer.last_s, served.get(n, answer.last_s))


def _measure_loops(options: Options, results: Results, deadline: Deadline, served: dict[int, float]) -> None:
    device, settings = options.device, GatysSettings(steps=options.pick(1, 60))
    network = vgg.load(Path(options.vgg19), fastest_dtype(device), device)
    picture = image_tensors.from_picture(normalise(Path(options.painting).read_bytes(), _PICTURE_SIDE))
    engine = RenderEngine([registry.find(_MODEL)], device)
    model = engine.model(engine.entries[0])
    sizes = options.pick((4,), (64, 4, 256, 128, 16))
    samples = drawn(model, 1, model.batch_size).to(device)
    tutorial = Tutorial(Path(options.vgg19), picture, settings.min_side, settings, device)
    tutorial.seconds_per_image(samples[:1])
    each = tutorial.seconds_per_image(samples[: options.pick(1, 4)])
    results.add("tutorials' loop, s per image", round(each, 4))
    for n, seconds in served.items():
        results.add("standard job, times as fast as the tutorials' loop", round(n * each / seconds, 1), n=n)
    torch.backends.cudnn.deterministic = True
    transfer = StyleTransfer(network, picture.to(device), settings)
    for size in sizes:
        if deadline.left() < _LEAST_SECONDS:
            results.add(f"batches of {size} were left out", f"{deadline.left():.0f} s were left")
            continue
        batch = samples[:size]
        with results.attempt("standard mode alone, s per image", batch=size):
            transfer.apply(batch, 1.0, lambda _: True)
            wait(device)
            began = time.perf_counter()
            transfer.apply(batch, 1.0, lambda _: True)
            wait(device)
            seconds = (time.perf_counter() - began) / len(batch)
            results.add("standard mode alone, s per image", round(seconds, 5), batch=len(batch))
