"""A job and its model, as the contracts describe them."""

from datetime import UTC, datetime
from typing import Protocol

import pytest

from worker.contracts.catalog import CatalogEntry
from worker.contracts.jobs import JobSpec


class MakeSpec(Protocol):
    def __call__(
        self, n: int = ..., classes: tuple[str, ...] = ..., class_label: str | None = ..., shard_images: int = ...
    ) -> JobSpec: ...


@pytest.fixture
def make_spec() -> MakeSpec:
    def make(
        n: int = 10, classes: tuple[str, ...] = (), class_label: str | None = None, shard_images: int = 4
    ) -> JobSpec:
        model = CatalogEntry(
            name="faces", sha256="0" * 64, resolution=64, classes=classes, data="d", licence="CC0-1.0", metrics={}
        )
        created = datetime(2030, 1, 1, tzinfo=UTC)
        return JobSpec(
            id="x" * 22,
            model=model,
            class_label=class_label,
            n=n,
            seed=7,
            shard_images=shard_images,
            created=created,
        )

    return make
