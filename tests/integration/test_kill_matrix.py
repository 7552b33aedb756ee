"""A sample of the kill matrix; `python -m benchmarks.kill_matrix` runs all of it."""

from collections.abc import Iterator

import pytest

from benchmarks.reliability.cell import run
from benchmarks.reliability.matrix import groups
from benchmarks.reliability.service_under_test import ServiceUnderTest
from tests.calibrated_gate import save_calibrated_gate
from tests.tiny import PLAIN, save_checkpoint

CELLS = {str(cell): cell for group in groups() for cell in group.cells}
SAMPLE = (
    "reconciler, rendering, SIGKILL",  # first, as it knows which of two processes leads
    "queue, popped, SIGKILL",
    "queue, queued, other password",
    "store, finalising, file too large",
    "worker, popped, SIGTERM",
    "worker, committing, SIGKILL",
)

GATED_SAMPLE = (
    "worker, rendering, SIGKILL",
    "worker, committing, SIGSTOP",
    "queue, committing, emptied",
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceUnderTest]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "models").mkdir()
    save_checkpoint(folder / "models", PLAIN)
    with ServiceUnderTest(folder, folder / "models", PLAIN, apis=2) as service:
        yield service


@pytest.fixture(scope="module")
def gated_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceUnderTest]:
    """A service whose jobs have a quality gate."""
    folder = tmp_path_factory.mktemp("gated")
    (folder / "models").mkdir()
    save_checkpoint(folder / "models", PLAIN)
    save_calibrated_gate(folder / "models" / f"{PLAIN}.safetensors")
    with ServiceUnderTest(folder, folder / "models", PLAIN, request={"keep": 0.5, "distinct": 0}) as service:
        yield service


@pytest.mark.parametrize("name", SAMPLE)
def test_no_accepted_job_is_lost(service: ServiceUnderTest, name: str) -> None:
    outcome = run(service, CELLS[name])
    assert outcome.failure is None
    assert outcome.jobs > 0
    assert outcome.seconds < 60


@pytest.mark.parametrize("name", GATED_SAMPLE)
def test_no_accepted_job_with_a_quality_gate_is_lost(gated_service: ServiceUnderTest, name: str) -> None:
    outcome = run(gated_service, CELLS[name])
    assert outcome.failure is None
    assert outcome.jobs > 0
    assert outcome.seconds < 60
