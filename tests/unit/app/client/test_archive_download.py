import base64
import hashlib
from pathlib import Path

import pytest

from app.client import Client, DownloadError
from tests.unit.app.source import DATA, Source, job

HALF = len(DATA) // 2


def checksum_of(data: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {"Repr-Digest": f"sha-512=:AAAA:, sha-256=:{digest}:"}


def whole(body: bytes, checksum: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Length": str(len(body)), **checksum}, body


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "faces.zip"


def test_an_archive_with_its_checksum_is_downloaded_once(source: Source, client: Client, out: Path) -> None:
    source.answers = [(200, {}, job("succeeded")), whole(DATA, checksum_of(DATA))]
    client.download("abc", out)
    assert out.read_bytes() == DATA
    assert len(source.requests) == 2


def test_a_download_with_a_wrong_checksum_is_repeated(
    source: Source, client: Client, out: Path, said: list[str]
) -> None:
    wrong = b"?" * len(DATA)
    source.answers = [(200, {}, job("succeeded")), whole(wrong, checksum_of(DATA)), whole(DATA, checksum_of(DATA))]
    client.download("abc", out)
    assert out.read_bytes() == DATA
    assert said == ["the archive does not have its checksum; downloading it again"]


def test_bytes_of_an_earlier_run_are_verified_too(source: Source, client: Client, out: Path) -> None:
    out.with_name(".faces.zip.abc.partial").write_bytes(b"?" * HALF)
    part = DATA[HALF:]
    headers = {"Content-Range": f"bytes {HALF}-{len(DATA) - 1}/{len(DATA)}", "Content-Length": str(len(part))}
    source.answers = [(200, {}, job("succeeded")), (206, headers | checksum_of(DATA), part)]
    client.download("abc", out)
    assert out.read_bytes() == DATA
    assert "range" not in source.headers[2]


def test_two_wrong_downloads_are_an_error_and_leave_no_file(source: Source, client: Client, out: Path) -> None:
    wrong = whole(b"?" * len(DATA), checksum_of(DATA))
    source.answers = [(200, {}, job("succeeded")), wrong, wrong]
    with pytest.raises(DownloadError, match="does not have the checksum"):
        client.download("abc", out)
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("field", ["", "sha-256=:?:", "sha-256=:AAA:", "sha-512=:AAAA:", "nonsense"])
def test_an_unknown_checksum_is_ignored(source: Source, client: Client, out: Path, field: str) -> None:
    source.answers = [(200, {}, job("succeeded")), whole(DATA, {"Repr-Digest": field})]
    client.download("abc", out)
    assert out.read_bytes() == DATA


def test_a_file_that_cannot_be_read_back_is_not_verified(source: Source, client: Client, out: Path) -> None:
    source.answers = [(200, {}, job("succeeded")), whole(DATA, checksum_of(b""))]
    with out.open("wb") as file:
        client.write_archive("abc", file)
    assert out.read_bytes() == DATA
