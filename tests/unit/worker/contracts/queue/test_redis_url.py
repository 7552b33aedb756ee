import os
from pathlib import Path

import pytest
from redis import Redis

from tests.odd_names import ODD_NAMES
from worker.contracts.queue import redis_url


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_socket_of_any_name_can_be_written_as_a_url(name: str) -> None:
    path = Path("/data") / name / "queue.sock"
    url = redis_url.of_socket(path, password="a/b%41")
    redis_url.check(url)
    options = Redis.from_url(url).connection_pool.connection_kwargs
    assert os.fsencode(options["path"]) == os.fsencode(path)
    assert options["password"] == "a/b%41"


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://queue",
        "redis://[::1]:6379/2",
        "redis://user:pass@word@queue:6379/0",
        "redis://:0123456789abcdef@redis:6379/0",
        "redis://:a%2Fb%23c%3Fd%25e@redis:6379/0",
        "rediss://queue:6380/0?ssl_ca_certs=/ca.pem",
        "unix:///run/queue.sock?db=1",
        "unix://:word@/run/queue.sock",
    ],
)
def test_a_right_url_is_taken(url: str) -> None:
    redis_url.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "queue:6379",
        "http://queue:6379",
        "redis://",
        "redis://queue:port/0",
        "redis://queue:6379/zero",
        "redis://queue:6379/0?no_such_option=1",
        "redis://:a/b@queue:6379/0",
        "redis://:1/2@queue:6379/0",
        "redis://:a#b@queue:6379/0",
        "redis://:1#b@queue:6379/0",
        "redis://:a?b@queue:6379/0",
        "redis://user:1?b@queue:6379/0",
        "redis://:a[b@queue:6379/0",
        "redis://:a%41b@queue:6379/0",
        "redis://:100%@queue:6379/0",
        "redis://:a b@queue:6379/0",
        "redis://:ab\n@queue:6379/0",
        "redis://queue:6379/0?password=word",
        "unix://queue.sock",
        "unix:///a#b/queue.sock",
        "unix:///a%41b/queue.sock",
    ],
)
def test_a_url_that_would_be_read_as_another_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"write % as %25"):
        redis_url.check(url)


@pytest.mark.parametrize(
    "url", ["redis://:se/cret@queue:6379/0", "redis://:se@cret@queue", "unix://:secret@/a", "redis://q?password=secret"]
)
def test_the_password_of_a_url_is_not_shown(url: str) -> None:
    assert "cret" not in redis_url.mask_password(url)
