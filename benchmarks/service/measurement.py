"""Measures one engine: the medians of some requests for n images."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from benchmarks.service.answer import Answer, check
from benchmarks.service.client import connect
from benchmarks.service.engine import Engine, EngineError
from benchmarks.service.server import Server

_WARM_UP_IMAGES = 64
_LONG = 10_000
"""From this n on, there is one request only."""


@dataclass(frozen=True)
class Sample:
    """One request, with the CPU seconds of all processes of the engine and the sum of their memory peaks."""

    first_s: float
    last_s: float
    cpu_s: float
    peak_mb: float
    note: str


@dataclass(frozen=True)
class Measurement:
    """The medians of one engine at one n."""

    engine: str
    n: int
    first_s: float
    last_s: float
    images_per_s: float
    cpu_s: float
    peak_mb: float
    note: str


def measure(engine: Engine, counts: Iterable[int], repeats: int) -> Iterator[Measurement]:
    """Start an engine, warm it up, and measure it with each n. The smallest n is first, because memory peaks only grow.

    Raises EngineError or AnswerError.
    """
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Server(engine, Path(folder)) as server,
        connect(server.url) as client,
    ):
        check(_ask(engine, server, client, _WARM_UP_IMAGES).archive, _WARM_UP_IMAGES)
        for n in sorted(n for n in counts if engine.max_images is None or n <= engine.max_images):
            times = 1 if n >= _LONG else repeats
            yield medians(engine.name, n, [_sample(engine, server, client, n) for _ in range(times)])


def medians(engine: str, n: int, samples: list[Sample]) -> Measurement:
    """Take the median of each figure."""

    def middle(figure: Callable[[Sample], float]) -> float:
        return median(map(figure, samples))

    last_s = middle(lambda sample: sample.last_s)
    return Measurement(
        engine=engine,
        n=n,
        first_s=middle(lambda sample: sample.first_s),
        last_s=last_s,
        images_per_s=n / last_s,
        cpu_s=middle(lambda sample: sample.cpu_s),
        peak_mb=middle(lambda sample: sample.peak_mb),
        note=samples[-1].note,
    )


def _ask(engine: Engine, server: Server, client: httpx.Client, n: int) -> Answer:
    try:
        return engine.ask(client, n)
    except httpx.HTTPError as error:
        raise EngineError(f"{error}; it said: {server.messages()}") from error


def _sample(engine: Engine, server: Server, client: httpx.Client, n: int) -> Sample:
    before = server.cpu_seconds()
    answer = _ask(engine, server, client, n)
    cpu_s, peak_mb = server.cpu_seconds() - before, server.peak_mb()
    check(answer.archive, n)
    return Sample(answer.first_s, answer.last_s, cpu_s, peak_mb, answer.note)
