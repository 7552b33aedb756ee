"""Both clients against a small server: they have the same methods, and each does the same."""

import inspect
import zlib
from pathlib import Path
from typing import Any

import pytest

from app.client import (
    AsyncClient,
    Client,
    ClientError,
    DownloadError,
    DownloadProgress,
    FileError,
    Job,
    JobFailedError,
    NotAvailableError,
    RefusedError,
    UnexpectedResponseError,
    WaitTimeoutError,
)
from tests.unit.app.client.faces import FACES, Call
from tests.unit.app.source import DATA, Source, job
from worker.archive.zip_format import Entry, central_directory, stored_member

Answer = tuple[int, dict[str, str], Any]

NAMES = [f"images/modern/{index:06d}.png" for index in range(9)]
ARCHIVE = b"".join(stored_member(name, name.encode() * 500) for name in NAMES) + central_directory(
    [Entry(name, 0, 0, 0) for name in NAMES], 0
)
MODELS = {"models": [{"name": "faces", "sha256": "0" * 64, "default": True, "classes": ["modern", "old"]}]}


@pytest.fixture(params=FACES)
def call(request: pytest.FixtureRequest) -> Call:
    found: Call = request.param
    return found


def methods(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("_") and "close" not in name}


def test_both_clients_have_the_same_methods_parameters_and_docstrings() -> None:
    blocking, asynchronous = methods(Client), methods(AsyncClient)
    assert list(blocking) == list(asynchronous)
    for name in blocking:
        assert inspect.signature(blocking[name]) == inspect.signature(asynchronous[name])
        assert blocking[name].__doc__ == asynchronous[name].__doc__
        assert blocking[name].__doc__
        assert blocking[name].__name__ == name


def test_a_job_is_waited_for_and_its_progress_is_reported(source: Source, call: Call) -> None:
    source.answers = [(202, {}, job("queued")), (200, {}, job("running")), (200, {}, job("succeeded"))]
    asked = call(source.url, "generate", n=9)
    seen = list[Job]()
    assert call(source.url, "wait", asked, progress=seen.append).state == "succeeded"
    assert [news.state for news in seen] == ["queued", "running", "succeeded"]


def test_a_job_of_an_id_is_waited_for(source: Source, call: Call) -> None:
    source.answers = [(200, {}, job("succeeded"))]
    assert call(source.url, "wait", "abc").id == "abc"


def test_a_wait_has_a_timeout(source: Source, call: Call) -> None:
    source.answers = [(200, {}, job("running"))] * 999
    with pytest.raises(WaitTimeoutError, match=r"^job abc has not ended after 0.05 s$") as late:
        call(source.url, "wait", "abc", timeout=0.05)
    assert late.value.retryable


def test_a_job_that_failed_says_code_and_sentence(source: Source, call: Call) -> None:
    error = {"code": "no_worker", "message": "no worker has it", "retryable": True}
    source.answers = [(200, {}, job("failed", error=error))]
    with pytest.raises(JobFailedError, match=r"^the job failed: no worker has it$") as failed:
        call(source.url, "wait", "abc")
    assert (failed.value.code, failed.value.retryable, failed.value.job.id) == ("no_worker", True, "abc")


def test_a_cancelled_job_has_failed(source: Source, call: Call) -> None:
    source.answers = [(200, {}, job("cancelled"))]
    with pytest.raises(JobFailedError, match=r"^the job was cancelled$") as failed:
        call(source.url, "wait", "abc")
    assert (failed.value.code, failed.value.retryable) == ("cancelled", False)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [(422, RefusedError, False), (410, NotAvailableError, False), (507, RefusedError, True)],
)
def test_a_refusal_has_code_and_status(
    source: Source, call: Call, status: int, kind: type[ClientError], retryable: bool
) -> None:
    source.answers = [(status, {}, {"detail": "too bad", "code": "so_it_is", "retryable": retryable})]
    with pytest.raises(ClientError, match=r"^too bad$") as refused:
        call(source.url, "job", "abc")
    assert type(refused.value) is kind
    assert (refused.value.code, refused.value.status, refused.value.retryable) == ("so_it_is", status, retryable)


def test_another_server_is_noticed(source: Source, call: Call) -> None:
    source.answers = [(200, {}, b"<h1>Welcome</h1>")]
    with pytest.raises(UnexpectedResponseError, match="is not Imagemill"):
        call(source.url, "models")


def test_a_busy_server_is_asked_again(source: Source, call: Call) -> None:
    source.answers = [(429, {"Retry-After": "1"}, {"detail": "busy"}), (503, {}, b""), (202, {}, job("queued"))]
    assert call(source.url, "generate", n=9).id == "abc"
    assert len({headers["idempotency-key"] for headers in source.headers}) == 1


def test_an_archive_is_saved_and_resumed_after_a_cut(source: Source, call: Call, tmp_path: Path) -> None:
    source.answers, source.cuts = [(200, {}, job("succeeded"))], [1000]
    seen = list[DownloadProgress]()
    path = call(source.url, "download", "abc", tmp_path / "out.zip", progress=seen.append)
    assert path == tmp_path / "out.zip"
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"out.zip": DATA}
    assert source.headers[-1]["range"] == "bytes=1000-"
    assert (seen[-1].bytes_done, seen[-1].bytes_total) == (len(DATA), len(DATA))


def test_an_interrupted_download_is_resumed_by_the_next_call(source: Source, call: Call, tmp_path: Path) -> None:
    def interrupt(progress: DownloadProgress) -> None:
        if progress.bytes_done:
            raise KeyboardInterrupt

    source.answers = [(200, {}, job("succeeded"))]
    with pytest.raises(KeyboardInterrupt):
        call(source.url, "download", "abc", tmp_path / "out.zip", progress=interrupt)
    assert [file.name for file in tmp_path.iterdir()] == [".out.zip.abc.partial"]
    source.answers = [(200, {}, job("succeeded"))]
    call(source.url, "download", "abc", str(tmp_path / "out.zip"))
    assert source.headers[-1]["range"].startswith("bytes=")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"out.zip": DATA}


def test_a_file_is_replaced_only_if_that_is_said(source: Source, call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    out.write_bytes(b"mine")
    with pytest.raises(FileError, match="exists already; pass overwrite=True"):
        call(source.url, "download", "abc", out)
    assert not source.requests
    source.answers = [(200, {}, job("succeeded"))]
    call(source.url, "download", "abc", out, overwrite=True)
    assert out.read_bytes() == DATA


@pytest.mark.parametrize("path", ["", "folder"])
def test_a_folder_is_refused_before_the_download(
    source: Source, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match="is a folder; pass the path of a file"):
        call(source.url, "download", "abc", path, overwrite=True)
    assert not source.requests


def test_images_come_one_by_one(source: Source, call: Call) -> None:
    source.data, source.answers, source.cuts = ARCHIVE, [(200, {}, job("succeeded")), (200, {}, MODELS)], [5000, 5001]
    images = call(source.url, "images", "abc")
    assert [(image.index, image.label, image.name) for image in images] == [
        (index, "modern", name) for index, name in enumerate(NAMES)
    ]
    assert all(image.data == image.name.encode() * 500 for image in images)
    assert [headers["range"] for headers in source.headers if "range" in headers] == ["bytes=5000-", "bytes=10001-"]


def test_images_of_a_job_that_fails_end_with_its_error(source: Source, call: Call) -> None:
    beginning = (200, {"Content-Length": str(len(ARCHIVE))}, ARCHIVE[:20_000])
    failed = job("failed", error={"code": "model_gone", "message": "no worker has it"})
    source.answers = [(200, {}, job("running")), (200, {}, MODELS), beginning, (200, {}, failed)]
    with pytest.raises(JobFailedError, match="no worker has it"):
        call(source.url, "images", "abc")


@pytest.mark.parametrize("method", ["images", "download"])
def test_a_job_that_is_cancelled_before_its_archive_opens_has_failed(
    source: Source, call: Call, tmp_path: Path, method: str
) -> None:
    models: list[Answer] = [(200, {}, MODELS)] if method == "images" else []
    refused: Answer = (409, {}, {"detail": "its archive will not be available", "code": "job_cancelled"})
    source.answers = [(200, {}, job("running")), *models, refused, (200, {}, job("cancelled"))]
    with pytest.raises(JobFailedError, match="the job was cancelled"):
        call(source.url, method, "abc", *([] if method == "images" else [tmp_path / "out.zip"]))


def test_the_archive_is_opened_before_its_first_image_exists(source: Source, call: Call) -> None:
    archive = (200, {"Content-Length": str(len(ARCHIVE))}, ARCHIVE)
    queued = job("queued", images_done=0)
    source.answers = [(200, {}, queued), (200, {}, MODELS), archive, (200, {}, job("succeeded"))]
    assert len(call(source.url, "images", "abc")) == 9
    assert [line for _, line, _ in source.requests] == [
        "GET /jobs/abc",
        "GET /models",
        "GET /archive",
        "GET /jobs/abc",
    ]


def test_a_damaged_image_is_not_given_away(source: Source, call: Call) -> None:
    damaged = ARCHIVE.replace(zlib.crc32(NAMES[3].encode() * 500).to_bytes(4, "little"), b"\0\0\0\0")
    source.data, source.answers = damaged, [(200, {}, job("succeeded")), (200, {}, MODELS)]
    with pytest.raises(DownloadError, match=r"^images/modern/000003\.png arrived damaged: its checksum differs$"):
        call(source.url, "images", "abc")


def test_arrays_have_no_images(source: Source, call: Call) -> None:
    source.answers = [(200, {}, job("succeeded", format="npz"))]
    with pytest.raises(ClientError, match="download its archive instead"):
        call(source.url, "images", "abc")


def test_one_image_of_an_address(source: Source, call: Call) -> None:
    source.answers = [(200, {"Content-Type": "image/jpeg"}, b"an image")]
    assert call(source.url, "image", "faces/64", 7, 3, class_="old", format="jpeg") == b"an image"
    assert [line for _, line, _ in source.requests] == ["GET /images/faces%2F64/7/3.jpg?class=old"]


def test_a_page_of_another_server_is_no_image(source: Source, call: Call) -> None:
    source.answers = [(200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>")]
    with pytest.raises(UnexpectedResponseError, match="is not Imagemill"):
        call(source.url, "image", "faces", 7, 3)


def test_an_unknown_image_format_is_refused_by_the_service(source: Source, call: Call) -> None:
    source.answers = [(422, {}, {"detail": "suffix: input should be 'png'", "code": "invalid_request"})]
    with pytest.raises(RefusedError, match="suffix"):
        call(source.url, "image", "faces", 7, 3, format="gif")


@pytest.mark.parametrize("key", ["", " a", "a\nb", "\u00e4", "a" * 256])
def test_a_key_that_no_header_carries_is_refused_at_once(source: Source, call: Call, key: str) -> None:
    with pytest.raises(ClientError, match="idempotency_key: must be"):
        call(source.url, "generate", n=1, idempotency_key=key)
    assert not source.requests


@pytest.mark.parametrize("name", ["cancel", "retry", "rebuild"])
def test_a_job_is_changed_by_its_id(source: Source, call: Call, name: str) -> None:
    source.answers = [(202, {}, job("queued"))]
    assert call(source.url, name, "a/c").id == "abc"
    assert [line for _, line, _ in source.requests] == [f"POST /jobs/a%2Fc/{name}"]


def test_models_and_styles_are_listed(source: Source, call: Call) -> None:
    source.answers = [(200, {}, MODELS), (200, {}, {"styles": [{"id": "ab", "width": 3, "height": 4}]})]
    assert [model.classes for model in call(source.url, "models")] == [("modern", "old")]
    assert [style.id for style in call(source.url, "styles")] == ["ab"]


def test_a_style_is_uploaded_and_used(source: Source, call: Call, tmp_path: Path) -> None:
    (tmp_path / "painting.png").write_bytes(b"pixels")
    source.answers = [(201, {}, {"id": "ab"}), (202, {}, job("queued"))]
    style = call(source.url, "upload_style", tmp_path / "painting.png")
    call(source.url, "generate", n=2, style=style, style_strength=0.5)
    assert source.requests[-1][1] == "POST /generate?n=2&style=ab&style_strength=0.5"


def test_a_style_that_cannot_be_read_is_told(source: Source, call: Call, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^cannot read .*none\.png \(No such file or directory\)$"):
        call(source.url, "upload_style", tmp_path / "none.png")
