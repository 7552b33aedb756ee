"""One running service for all integration tests."""

import signal
from collections.abc import Iterator

import pytest

from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.tiny import CLASSES, LABELLED, PLAIN, save_checkpoint
from worker.contracts.queue.redis_keys import MODELS_KEY


@pytest.fixture(scope="session")
def _running_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("house")
    save_checkpoint(folder / "models", PLAIN)
    save_checkpoint(folder / "models", LABELLED, CLASSES)
    house = RunningService(folder)
    yield house
    house.close()


@pytest.fixture
def house(_running_house: RunningService) -> RunningService:
    """The service with at least one live worker."""
    if not any(worker.poll() is None for worker in _running_house.workers):
        _running_house.workers.clear()
        _running_house.start_worker()
    return _running_house


@pytest.fixture
def idle_house(_running_house: RunningService) -> RunningService:
    """The service without a worker, so that jobs stay queued; it knows which models there are."""
    if not _running_house.redis.exists(MODELS_KEY):
        _running_house.start_worker()
    _running_house.end_workers(signal.SIGTERM)
    return _running_house


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    save_checkpoint(folder / "models", PLAIN)
    made = Guarded(folder)
    try:
        made.house.start_worker()
        yield made
    finally:
        made.close()


@pytest.fixture
def at_rest(guarded: Guarded) -> Iterator[Guarded]:
    """The service whose worker is held, so that jobs stay queued."""
    (worker,) = guarded.house.workers
    worker.send_signal(signal.SIGSTOP)
    try:
        yield guarded
    finally:
        worker.send_signal(signal.SIGCONT)
