"""The Python client against the running service, as a researcher uses it: blocking and asynchronous."""

import asyncio
import contextlib
import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures

from app.client import AsyncClient, Client, JobFailedError, NotAvailableError, RefusedError
from tests.integration.relay import Relay
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.integration.test_requirements_page import STAND_INS
from tests.tiny import LABELLED, PLAIN
from tests.unit.app.client.faces import FACES, Call

MANY = 20_000
PAGE = Path(__file__).parents[2] / "docs" / "python-client.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(params=FACES)
def call(request: pytest.FixtureRequest) -> Call:
    found: Call = request.param
    return found


@pytest.fixture
def relay(service: RunningService) -> Iterator[Relay]:
    with Relay(service.url) as relay:
        yield relay


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist() if name.startswith("images/")}


def test_a_dataset_is_generated_and_saved(service: RunningService, call: Call, tmp_path: Path) -> None:
    job = call(service.url, "generate", n=40, model=PLAIN, seed=7)
    ended = call(service.url, "wait", job, timeout=60)
    path = call(service.url, "download", ended, tmp_path / "faces.zip")
    assert [record["sha256"] for record in metadata(path.read_bytes())] == service.hashes(40, seed=7)
    images = call(service.url, "images", job.id)
    assert {image.name: image.data for image in images} == members(path)
    assert [image.index for image in images] == list(range(40))
    assert call(service.url, "image", PLAIN, 7, 3) == images[3].data


def test_images_have_their_labels(service: RunningService, call: Call) -> None:
    job = call(service.url, "generate", n=6, model=LABELLED, seed=1, start=2, format="webp")
    images = call(service.url, "images", job)
    records = metadata(service.download(job.id))
    assert [(image.index, image.label) for image in images] == [(r["index"], r["label"]) for r in records]
    assert "zig/zag" in {image.label for image in images}
    assert {images[0].open().format, images[0].format.upper()} == {"WEBP"}


def test_images_arrive_while_the_job_runs(service: RunningService) -> None:
    with Client(service.url) as client:
        job = client.generate(n=MANY, seed=3)
        images = client.images(job)
        first = next(images)
        assert not client.job(job.id).done
        assert Pictures.open(io.BytesIO(first.data)).format == "PNG"
        rest = hashlib.sha256(b"".join(image.data for image in images))
        assert client.wait(job).images_done == MANY
    with zipfile.ZipFile(io.BytesIO(service.download(job.id))) as archive:
        names = [name for name in archive.namelist() if name.startswith("images/")]
        assert len(names) == MANY
        assert rest.digest() == hashlib.sha256(b"".join(map(archive.read, names[1:]))).digest()


def test_images_arrive_while_the_job_runs_and_other_coroutines_run(service: RunningService) -> None:
    async def read() -> None:
        async with AsyncClient(service.url) as client:
            job = await client.generate(n=MANY, seed=4)
            async with contextlib.aclosing(client.images(job)) as images:
                first = await anext(images)
                current, models = await asyncio.gather(client.job(job.id), client.models())
            assert first.index == 0
            assert not current.done
            assert PLAIN in {model.name for model in models}
            assert (await client.cancel(job)).state == "cancelled"
            with pytest.raises(JobFailedError, match="cancelled"):
                await client.wait(job)

    asyncio.run(read())


def test_a_download_goes_on_after_cut_connections(relay: Relay, call: Call, tmp_path: Path) -> None:
    job = call(relay.url, "generate", n=300, seed=5)
    call(relay.url, "wait", job)
    relay.cuts = [1000, 5000, 0]
    path = call(relay.url, "download", job, tmp_path / "out.zip")
    assert len(members(path)) == 300
    ranges = [headers["range"] for line, headers in relay.requests if "/download" in line and "range" in headers]
    assert ranges == ["bytes=1000-", "bytes=6000-", "bytes=6000-"]


def test_images_go_on_after_cut_connections(relay: Relay, call: Call) -> None:
    relay.cuts = [1000, 5000, 0, 100_000]
    images = call(relay.url, "images", call(relay.url, "generate", n=2000, seed=6))
    assert [image.index for image in images] == list(range(2000))
    assert not relay.cuts


def test_a_lost_answer_makes_no_second_job(relay: Relay, call: Call) -> None:
    relay.lose = 1
    job = call(relay.url, "generate", n=3, idempotency_key="once-and-again")
    assert call(relay.url, "generate", n=3, idempotency_key="once-and-again").id == job.id
    assert relay.keys("POST /generate") == ["once-and-again"] * 3


def test_a_restart_of_the_api_is_waited_for(service: RunningService, tmp_path: Path) -> None:
    def restart() -> None:
        service.wait_rendering(job.id)
        service.restart_api()

    with Client(service.url) as client:
        job = client.generate(n=MANY, seed=8)
        restarting = threading.Thread(target=restart)
        restarting.start()
        path = client.download(job, tmp_path / "out.zip")
        restarting.join()
        assert client.wait(job).images_done == MANY
    assert len(members(path)) == MANY


def test_a_request_waits_for_an_api_that_is_away(service: RunningService, call: Call) -> None:
    service.client.get("/healthz")
    restarting = threading.Thread(target=service.restart_api)
    restarting.start()
    job = call(service.url, "generate", n=3)
    restarting.join()
    assert call(service.url, "wait", job).state == "succeeded"


def test_mistakes_have_codes(service: RunningService, call: Call) -> None:
    def refused(kind: type[Exception], method: str, *arguments: Any, **options: Any) -> Any:
        with pytest.raises(kind) as error:
            call(service.url, method, *arguments, **options)
        return error.value

    wrong = refused(RefusedError, "generate", n=3, model=LABELLED, class_="oval")
    assert (wrong.status, wrong.retryable) == (422, False)
    assert str(wrong) == "class: must be one of circle, cross, zig/zag, got 'oval'"
    missing = refused(NotAvailableError, "wait", "A" * 22)
    assert (missing.code, missing.status) == ("unknown_job", 404)


def test_a_cancelled_job_can_be_repeated(idle_service: RunningService, call: Call) -> None:
    job = call(idle_service.url, "generate", n=3)
    assert call(idle_service.url, "cancel", job).state == "cancelled"
    idle_service.start_worker()
    again = call(idle_service.url, "retry", job)
    assert again.id != job.id
    assert again.seed == job.seed
    assert call(idle_service.url, "wait", again).state == "succeeded"
    wait_until(idle_service.queue_is_empty)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_documentation_run(
    service: RunningService,
    example: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, stand_in in {"http://127.0.0.1:8000": service.url, **STAND_INS}.items():
        example = example.replace(name, stand_in)
    exec(example, {})
    assert len(capsys.readouterr().out.splitlines()) == 500
