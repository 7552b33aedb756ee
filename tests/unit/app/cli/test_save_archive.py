import math
from pathlib import Path

import pytest
from rich.console import Console

from app.cli.save_archive import save_archive
from app.client import Client, ClientError, archive_download
from tests.unit.app.source import DATA, Source, job

OUT = "out.zip"


@pytest.fixture(autouse=True)
def no_polls_between_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine could stall a download for so long that the client reads the job again in between."""
    monkeypatch.setattr(archive_download, "_NEWS_SECONDS", math.inf)


def test_an_archive_takes_its_name_once_it_is_whole(source: Source, client: Client, tmp_path: Path) -> None:
    source.cuts = [1000, 1000]
    source.answers = [(200, {}, job("succeeded"))]
    save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: DATA}


def test_an_archive_is_taken_while_it_grows(source: Source, client: Client, tmp_path: Path) -> None:
    source.tells_length = False
    source.jobs = [job("running"), job("succeeded")]
    save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert (tmp_path / OUT).read_bytes() == DATA
    asked = [(line, headers.get("range")) for _, line, headers in source.requests]
    assert asked[1:] == [("GET /archive", None), ("GET /jobs/abc", None), ("GET /archive", f"bytes={len(DATA)}-")]


def test_the_job_of_a_slow_archive_is_read_again_meanwhile(
    source: Source, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_download, "_NEWS_SECONDS", -1)
    source.tells_length = False
    source.jobs = [job("running"), job("succeeded"), job("succeeded")]
    save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert (tmp_path / OUT).read_bytes() == DATA
    asked = [line for _, line, _ in source.requests]
    assert asked[1:] == ["GET /archive", "GET /jobs/abc", "GET /jobs/abc", "GET /archive"]


def test_one_that_a_proxy_ends_properly_though_it_was_cut_is_continued(
    source: Source, client: Client, tmp_path: Path
) -> None:
    """Without a length, an answer that was cut on its way looks whole when a proxy ends it."""
    source.tells_length, source.cuts = False, [500]
    source.jobs = [job("running"), job("succeeded")]
    save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert (tmp_path / OUT).read_bytes() == DATA
    assert source.headers[-1]["range"] == "bytes=500-"


def test_one_that_broke_off_while_it_grew_is_continued(source: Source, client: Client, tmp_path: Path) -> None:
    beginning = (200, {"ETag": source.etag, "Content-Length": str(len(DATA))}, DATA[:500])
    source.answers = [(200, {}, job("running")), beginning, (200, {}, job("succeeded"))]
    save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert (tmp_path / OUT).read_bytes() == DATA
    assert source.headers[-1]["range"] == "bytes=500-"


def test_one_that_broke_off_is_only_continued_once_it_is_finished(
    source: Source, client: Client, tmp_path: Path
) -> None:
    beginning = (200, {"ETag": source.etag, "Content-Length": str(len(DATA))}, DATA[:500])
    source.answers = [
        (200, {}, job("running")),
        beginning,
        *[(200, {}, job("running"))] * 3,
        (200, {}, job("succeeded")),
    ]
    save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert (tmp_path / OUT).read_bytes() == DATA
    assert [line for _, line, _ in source.requests].count("GET /archive") == 2


def test_one_whose_job_failed_while_it_grew_is_not_kept(source: Source, client: Client, tmp_path: Path) -> None:
    beginning = (200, {"Content-Length": str(len(DATA))}, DATA[:500])
    failed = job("failed", error={"code": "model_gone", "message": "no worker has it"})
    source.answers = [(200, {}, job("running")), beginning, (200, {}, failed)]
    with pytest.raises(ClientError, match="the job failed: no worker has it"):
        save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_downloaded_before_there_is_an_image(source: Source, client: Client, tmp_path: Path) -> None:
    source.answers = [(200, {}, job("queued", images_done=0)) for _ in range(3)] + [(200, {}, job("succeeded"))]
    save_archive(client, client.job("abc"), tmp_path / OUT, Console(quiet=True))
    assert [line for _, line, _ in source.requests] == ["GET /jobs/abc"] * 4 + ["GET /archive"]
