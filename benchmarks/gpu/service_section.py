"""The service: images/s and bytes by the number of workers, beside the plain loop."""

import hashlib
import statistics
import time

from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options
from benchmarks.gpu.started_service import MODEL, StartedService, digest, start_service
from benchmarks.service import engines, measurement

_LEAST_SECONDS = 25
"""With less time left, no more workers are started."""
_REPEATS = {1: 15, 500: 5, 10_000: 2}
"""Requests of each size, of which the median counts; one of any other size."""
_GATED = 0.5

Seconds = dict[int, float]
"""Seconds from a request to its last byte, by the number of images."""


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Measure the plain loop, and then the service with more and more workers."""
    counts = options.pick((1, 40), (1, 500, 10_000, 100_000))
    bare: Seconds = {}
    with results.attempt("plain loop"):
        for found in measurement.measure(engines.own()[0], counts, 3):
            bare[found.n] = found.last_s
            results.add("plain loop, images/s", round(found.images_per_s), n=found.n, s=found.last_s, how=found.note)
    digests: dict[str, str] = {}
    for workers in options.pick((1, 2), (1, 2, 4, 8)):
        if deadline.left() < _LEAST_SECONDS:
            results.add(f"{workers} workers were left out", f"{deadline.left():.0f} s were left")
            continue
        with results.attempt("service", workers=workers), start_service(options, results, workers) as service:
            _measure_rates(service, counts, bare, results, workers)
            _compare_bytes(service, options, digests, results, workers)
            for part, seconds in service.processes.cpu_seconds().items():
                results.add(f"CPU seconds of {part}", round(seconds, 2), workers=workers)


def _measure_rates(
    service: StartedService, counts: tuple[int, ...], bare: Seconds, results: Results, workers: int
) -> None:
    for n in counts:
        with results.attempt("images/s", n=n, workers=workers):
            answers = [service.archive(n=n) for _ in range(_REPEATS.get(n, 1))]
            first, last = (
                statistics.median(getattr(answer, name) for answer in answers) for name in ("first_s", "last_s")
            )
            times = {"first_s": round(first, 4), "last_s": round(last, 4)}
            share = round(last / bare[n], 3) if n in bare else None
            beyond = round(last - bare[n], 4) if n in bare else None
            results.add(
                "images/s", round(n / last), n=n, workers=workers, **times, of_plain_loop=share, beyond_plain_s=beyond
            )


def _compare_bytes(
    service: StartedService, options: Options, digests: dict[str, str], results: Results, workers: int
) -> None:
    n = options.pick(40, 3000)
    jobs: dict[str, dict[str, int | float]] = {
        f"{n} images": {"n": n},
        f"{n} images again": {"n": n},
        "with the gate": {"n": n, "keep": _GATED},
    }
    for name, parameters in jobs.items():
        with results.attempt(f"same bytes: {name}", workers=workers):
            began = time.perf_counter()
            found = digest(service.archive(seed=1, **parameters).archive)
            seconds = round(time.perf_counter() - began, 3)
            is_same = digests.setdefault(name.removesuffix(" again"), found) == found
            results.add(f"same bytes: {name}", is_same, digest=found, workers=workers, seconds=seconds)
    with results.attempt("one image by its address", workers=workers):
        _request_addresses(service, digests, results, workers)


def _request_addresses(
    service: StartedService, digests: dict[str, str], results: Results, workers: int, count: int = 20
) -> None:
    seconds, images = [], []
    for index in range(count):
        began = time.perf_counter()
        images.append(service.client.get(f"/images/{MODEL}/1/{index}.png").raise_for_status().content)
        seconds.append(time.perf_counter() - began)
    found = hashlib.sha256(b"".join(images)).hexdigest()[:16]
    is_same = digests.setdefault("address", found) == found
    median = round(1e3 * statistics.median(seconds), 2)
    results.add("one image by its address, ms", median, workers=workers, worst=round(1e3 * max(seconds), 2))
    results.add("same bytes: images by their addresses", is_same, digest=found, workers=workers)
