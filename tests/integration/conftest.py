"""One running service for all integration tests."""

import signal
from collections.abc import Iterator

import pytest

from tests.calibrated_gate import save_calibrated_gate
from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.tiny import CLASSES, LABELLED, PLAIN, save_checkpoint
from worker.contracts.queue.redis_keys import MODELS_KEY


@pytest.fixture(scope="session")
def running_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    save_checkpoint(folder / "models", PLAIN)
    save_checkpoint(folder / "models", LABELLED, CLASSES)
    save_calibrated_gate(folder / "models" / f"{LABELLED}.safetensors")
    service = RunningService(folder)
    yield service
    service.close()


@pytest.fixture
def service(running_service: RunningService) -> RunningService:
    """The service with at least one live worker."""
    if not any(worker.poll() is None for worker in running_service.workers):
        running_service.workers.clear()
        running_service.start_worker()
    return running_service


@pytest.fixture
def idle_service(running_service: RunningService) -> RunningService:
    """The service without a worker, so that jobs stay queued; it knows which models there are."""
    if not running_service.redis.exists(MODELS_KEY):
        running_service.start_worker()
    running_service.end_workers(signal.SIGTERM)
    return running_service


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    save_checkpoint(folder / "models", PLAIN)
    made = Guarded(folder)
    try:
        made.service.start_worker()
        yield made
    finally:
        made.close()


@pytest.fixture
def at_rest(guarded: Guarded) -> Iterator[Guarded]:
    """The service whose worker is held, so that jobs stay queued."""
    (worker,) = guarded.service.workers
    worker.send_signal(signal.SIGSTOP)
    try:
        yield guarded
    finally:
        worker.send_signal(signal.SIGCONT)
