"""One running service for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.frozen.jobs import Jobs, run_all
from tests.frozen.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("frozen"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def jobs(service: Service) -> Jobs:
    """Jobs that have ended."""
    return run_all(service)
