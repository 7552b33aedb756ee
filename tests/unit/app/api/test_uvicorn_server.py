import resource
import subprocess
import sys

CODE = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
from app.api.uvicorn_server import allow_many_files
allow_many_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits_after(hard: int) -> list[int]:
    done = subprocess.run([sys.executable, "-c", CODE.format(hard=hard)], capture_output=True, text=True, check=True)
    return [int(limit) for limit in done.stdout.split()]


def test_the_server_may_open_as_many_files_as_its_hard_limit_allows() -> None:
    assert limits_after(500) == [500, 500]


def test_the_server_asks_for_no_more_files_than_it_needs() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, left = limits_after(hard)
    assert soft == (1 << 16 if hard == resource.RLIM_INFINITY else min(hard, 1 << 16))
    assert left == hard
