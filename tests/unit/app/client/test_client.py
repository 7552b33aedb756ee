import socket
import time
from typing import Any

import pytest

from app.client import Client, ClientError
from tests.unit.app.source import Source, job


def problem(detail: str) -> dict[str, Any]:
    return {"type": "urn:x", "title": "X", "status": 503, "detail": detail, "code": "x"}


def test_what_was_asked_for_is_sent_and_nothing_else(source: Source, client: Client) -> None:
    source.answers = [(202, {}, job("queued"))]
    assert client.generate(n=9, class_="modern").id == "abc"
    assert [line for _, line, _ in source.requests] == ["POST /generate?n=9&class=modern"]


def test_a_server_that_is_busy_is_asked_again_when_it_said_so(
    source: Source, client: Client, said: list[str], pauses: list[float]
) -> None:
    source.answers = [
        (503, {"Retry-After": "1"}, problem("no worker has announced a model yet")),
        (429, {"Retry-After": "3"}, problem("too many")),
        (202, {}, job("queued")),
    ]
    assert client.generate(n=9).state == "queued"
    assert pauses == [1, 3]
    assert said == ["no worker has announced a model yet; retrying for 30 s"]


def test_a_server_that_breaks_off_is_asked_again(source: Source, client: Client, said: list[str]) -> None:
    source.answers = [(202, {"Content-Length": "5000"}, job()), (202, {}, job())]
    assert client.generate(n=9).state == "running"
    assert len(said) == 1


def test_a_server_that_will_be_busy_for_long_is_not_waited_for(source: Source, client: Client) -> None:
    source.answers = [(503, {"Retry-After": "60"}, problem("the artifact store is full"))]
    with pytest.raises(ClientError, match=r"^the artifact store is full$"):
        client.generate(n=9)
    assert len(source.requests) == 1


def test_a_refusal_is_final_and_told_in_the_words_of_the_server(source: Source, client: Client) -> None:
    source.answers = [(422, {}, problem("class: must be one of a, b, got 'c'"))]
    with pytest.raises(ClientError, match=r"^class: must be one of a, b, got 'c'$") as refused:
        client.generate(n=9, class_="c")
    assert refused.value.retry_after_seconds is None
    assert len(source.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"<h1>nothing here</h1>", "the server answered 404 Not Found"),
        (422, {"detail": [{"loc": ["query"]}]}, "the server answered 422"),
        (200, b"<h1>Welcome to nginx!</h1>", "is not Imagemill"),
        (302, b"", "the server answered 302 Found"),
    ],
)
def test_another_server_is_told_from_ours(source: Source, client: Client, status: int, body: Any, words: str) -> None:
    source.answers = [(status, {}, body)]
    with pytest.raises(ClientError, match=words):
        client.generate(n=9)


@pytest.mark.parametrize("server", ["", "localhost:8000", "127.0.0.1:8000", "ftp://host", "http://", "http://host:x"])
def test_an_address_that_is_none_is_refused_with_an_example(server: str) -> None:
    with pytest.raises(ClientError, match=r"must be an address like http://127.0.0.1:8000, got"):
        Client(server)


def test_a_host_that_cannot_be_is_refused() -> None:
    with Client(f"http://{'a' * 70}.invalid") as client, pytest.raises(ClientError, match="failed"):
        client.job("abc")


def test_patience_with_a_silent_server_has_an_end(said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    began = time.monotonic()
    with (
        Client(url, patience_seconds=1, notify=said.append) as client,
        pytest.raises(ClientError, match="Connection refused"),
    ):
        client.generate(n=9)
    assert time.monotonic() - began < 10
    assert said == [f"the connection to {url} failed ([Errno 111] Connection refused); retrying for 1 s"]


def test_a_job_is_followed_to_its_end_by_a_server_that_waits(
    source: Source, client: Client, pauses: list[float]
) -> None:
    source.answers = [(202, {}, job("queued")), (200, {}, job("running")), (200, {}, job("succeeded"))]
    news = [latest.state for latest in client.follow(client.generate(n=9))]
    assert news == ["queued", "running", "succeeded"]
    assert [headers["prefer"] for headers in source.headers[1:]] == ["wait=2"] * 2
    assert len(pauses) == 1


def test_a_server_that_answers_at_once_is_asked_five_times_a_second(source: Source, said: list[str]) -> None:
    source.answers = [(200, {}, job()) for _ in range(6)] + [(200, {}, job("succeeded"))]
    with Client(source.url, notify=said.append) as client:
        assert len(list(client.follow(client.job("abc")))) == 7
    times = [when for when, _, _ in source.requests[1:]]
    assert len(times) == 6
    assert times[-1] - times[0] > 5 * 0.2 - 0.1  # the first may have been on its way for longer than the last


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            job("failed", error={"code": "model_gone", "message": "no worker has it"}),
            "the job failed: no worker has it",
        ),
        (job("cancelled"), "the job was cancelled"),
    ],
)
def test_a_job_that_ends_otherwise_says_why(source: Source, client: Client, answer: dict[str, Any], words: str) -> None:
    source.answers = [(200, {}, job()), (200, {}, answer)]
    with pytest.raises(ClientError, match=words) as ended:
        list(client.follow(client.job("abc")))
    assert ended.value.retry_after_seconds is None


def test_a_key_is_shown_with_every_request(source: Source) -> None:
    source.answers = [(202, {}, job("queued")), (200, {}, job("queued"))]
    with Client(source.url, "a-key_") as client:
        client.job(client.generate(n=9).id)
    assert [headers["authorization"] for headers in source.headers] == ["Bearer a-key_"] * 2


@pytest.mark.parametrize("key", ["secret\n", "secret\r\nX: y", "sécret", " secret"])
def test_a_key_that_no_header_carries_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ClientError, match="check IMAGEMILL_KEY") as refused:
        Client("http://127.0.0.1:1", key)
    assert "secret" not in str(refused.value)
