from pathlib import Path

import pytest

from app.client import Client, ClientError
from app.client.download import Download
from app.client.sinks import FileSink
from app.client.steps import Flow
from tests.unit.app.source import DATA, PATH, Source

HALF = len(DATA) // 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "partial"


def fetch(client: Client, path: Path, said: list[str] | None = None) -> list[tuple[int, int | None]]:
    """Fetch what is missing, and tell what progress was reported."""
    told: list[tuple[int, int | None]] = []
    notes = list[str]() if said is None else said
    with path.open("ab") as file:
        sink = FileSink(file)

        def on_chunk(total: int | None) -> Flow[None]:
            told.append((sink.size, total))
            yield from ()

        client._transport.run(Download(PATH, sink, notes.append, on_chunk).run())
    return told


def test_a_download_that_does_not_break_is_one_request(source: Source, client: Client, path: Path) -> None:
    told = fetch(client, path)
    assert path.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert [have for have, _ in told] == sorted(have for have, _ in told)
    assert [("range" in headers, headers["accept-encoding"]) for headers in source.headers] == [(False, "identity")]


def test_a_broken_download_goes_on_where_it_stopped(
    source: Source, client: Client, path: Path, said: list[str]
) -> None:
    source.cuts = [HALF]
    fetch(client, path, said)
    assert path.read_bytes() == DATA
    again = source.headers[1]
    assert (again["range"], again["if-range"]) == (f"bytes={HALF}-", '"first"')
    assert len(source.headers) == 2
    assert len(said) == 1
    assert said[0].endswith("; resuming after 100.0 kB")


def test_a_server_without_ranges_is_listened_to_again_from_the_beginning(
    source: Source, client: Client, path: Path
) -> None:
    source.cuts, source.knows_ranges = [HALF], False
    told = fetch(client, path)
    assert path.read_bytes() == DATA
    assert len(source.headers) == 2
    assert [have for have, _ in told] == sorted(have for have, _ in told)


def test_what_another_process_left_is_continued(source: Source, client: Client, path: Path) -> None:
    path.write_bytes(DATA[:HALF])
    fetch(client, path)
    assert path.read_bytes() == DATA
    assert [(headers["range"], headers.get("if-range")) for headers in source.headers] == [(f"bytes={HALF}-", None)]


def test_a_range_that_ends_early_without_an_error_is_noticed(source: Source, client: Client, path: Path) -> None:
    path.write_bytes(DATA[:10])
    source.cuts, source.tells_length = [1000], False
    fetch(client, path)
    assert path.read_bytes() == DATA
    assert [headers["range"] for headers in source.headers] == ["bytes=10-", "bytes=1010-"]


def test_a_whole_of_unknown_length_ends_when_the_server_ends_it(source: Source, client: Client, path: Path) -> None:
    source.tells_length = False
    assert fetch(client, path)[-1] == (len(DATA), None)
    assert path.read_bytes() == DATA


def test_what_is_there_as_a_whole_is_not_sent_again(source: Source, client: Client, path: Path) -> None:
    path.write_bytes(DATA)
    fetch(client, path)
    assert path.read_bytes() == DATA
    assert len(source.headers) == 1


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_is_longer_than_the_whole_is_fetched_anew(
    source: Source, client: Client, path: Path, knows_ranges: bool
) -> None:
    path.write_bytes(b"?" * (len(DATA) + 1))
    source.knows_ranges = knows_ranges
    fetch(client, path)
    assert path.read_bytes() == DATA


def test_a_range_refused_without_a_length_is_fetched_anew(source: Source, client: Client, path: Path) -> None:
    path.write_bytes(DATA[:HALF])
    source.answers = [(416, {}, b"")]
    fetch(client, path)
    assert path.read_bytes() == DATA


def test_an_archive_that_has_changed_is_fetched_anew(source: Source, client: Client, path: Path) -> None:
    source.answers = [(200, {"Content-Length": str(len(DATA)), "ETag": '"before"'}, b"?" * HALF)]
    fetch(client, path)
    assert path.read_bytes() == DATA
    assert source.headers[1]["if-range"] == '"before"'


def test_a_weak_tag_is_no_condition_of_a_range(source: Source, client: Client, path: Path) -> None:
    source.cuts, source.etag = [HALF], 'W/"weak"'
    fetch(client, path)
    assert path.read_bytes() == DATA
    assert "if-range" not in source.headers[1]


@pytest.mark.parametrize("content_range", ["bytes 7-9/10", "bytes */10", "lines 1-2/3", ""])
def test_another_part_than_was_asked_for_is_not_taken(
    source: Source, client: Client, path: Path, content_range: str
) -> None:
    path.write_bytes(DATA[:5])
    source.answers = [(206, {"Content-Range": content_range}, b"xyz")]
    with pytest.raises(ClientError, match="was not requested"):
        fetch(client, path)
    assert path.read_bytes() == DATA[:5]


def test_five_failures_without_a_byte_are_the_end(
    source: Source, client: Client, path: Path, pauses: list[float]
) -> None:
    source.cuts = [HALF] + [0] * 99
    with pytest.raises(ClientError) as broken:
        fetch(client, path)
    assert broken.value.retry_after_seconds is not None
    assert path.read_bytes() == DATA[:HALF]
    assert len(source.headers) == 1 + 5
    assert pauses == [0.5, 1, 2, 4, 8]


def test_a_download_that_gets_on_may_break_as_often_as_it_likes(
    source: Source, client: Client, path: Path, pauses: list[float]
) -> None:
    source.cuts = [0, 10] * 12
    fetch(client, path)
    assert path.read_bytes() == DATA
    assert max(pauses) == 1


def test_a_proxy_without_its_server_is_asked_again(
    source: Source, client: Client, path: Path, pauses: list[float]
) -> None:
    source.answers = [(502, {}, b"<h1>Bad Gateway</h1>"), (503, {"Retry-After": "99"}, b"")]
    fetch(client, path)
    assert path.read_bytes() == DATA
    assert pauses == [2, 30]


def test_an_archive_that_is_gone_is_not_asked_for_again(source: Source, client: Client, path: Path) -> None:
    source.answers = [(404, {}, {"detail": "no job 'abc'"})]
    with pytest.raises(ClientError, match=r"^no job 'abc'$"):
        fetch(client, path)
    assert len(source.headers) == 1
