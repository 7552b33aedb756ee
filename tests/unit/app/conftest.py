"""A server that misbehaves as it is told to, and a client of it that does not really wait."""

from collections.abc import Iterator

import pytest

from app.client import Client
from tests.unit.app.source import Source


@pytest.fixture
def source() -> Iterator[Source]:
    with Source() as source:
        yield source


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(source: Source, said: list[str], pauses: list[float]) -> Iterator[Client]:
    with Client(source.url, notify=said.append, sleep=pauses.append) as client:
        yield client
