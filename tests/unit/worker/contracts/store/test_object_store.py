"""Objects in a real bucket, behind a proxy that fails as buckets do."""

import asyncio
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.fault_proxy import Fault, FaultProxy
from tests.s3 import BUCKET, S3Server
from worker.contracts.store.archive_index import ImageTable
from worker.contracts.store.object_store import Objects
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError, StoreError

PATIENCE_SECONDS = 1.0
STORING: tuple[Fault, ...] = ("503 after storing", "409 without storing", "reset after storing")


@pytest.fixture(scope="module")
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3.port) as running:
        yield running


@pytest.fixture(autouse=True)
def _whole(proxy: FaultProxy) -> None:
    proxy.fault = "none"


def use(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(s3: S3Server, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store behind the proxy."""
    use(monkeypatch, s3.environment(proxy.port))
    return f"s3://{BUCKET}/{uuid4().hex}"


@pytest.fixture
def objects(bucket: str) -> Objects:
    return Objects(bucket, (), PATIENCE_SECONDS)


@pytest.mark.parametrize("fault", STORING)
def test_the_call_that_creates_an_object_is_first_whatever_the_response(
    objects: Objects, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.fault, hits = fault, proxy.hits
    assert objects.create("a/b", b"mine")
    assert proxy.hits == hits + 1
    assert objects.read("a/b") == b"mine"


@pytest.mark.parametrize("fault", ["none", *STORING])
def test_the_second_call_is_never_first_although_the_bytes_are_equal(
    objects: Objects, proxy: FaultProxy, fault: Fault
) -> None:
    objects.put("put", b"same")
    assert objects.create("created", b"same")
    proxy.fault = fault
    assert not objects.create("created", b"same")
    assert not objects.create("put", b"same")


def test_an_object_that_is_refused_for_ever_is_an_error_and_no_call_is_first(
    objects: Objects, proxy: FaultProxy
) -> None:
    proxy.fault = "all 503"
    began = time.monotonic()
    with pytest.raises(StoreError, match="503 SlowDown"):
        objects.create("a/b", b"mine")
    assert time.monotonic() - began < 6 * PATIENCE_SECONDS
    proxy.fault = "none"
    assert objects.read("a/b") is None


def test_every_third_request_that_is_refused_is_not_noticed(objects: Objects, proxy: FaultProxy) -> None:
    proxy.fault = "some 503"
    assert all(objects.create(f"a/{number}", b"mine") for number in range(30))
    assert len(list(objects.list("a"))) == 30


@pytest.mark.parametrize("fault", STORING)
def test_the_data_of_a_committed_shard_stay(bucket: str, proxy: FaultProxy, fault: Fault) -> None:
    store, table = Store(bucket, PATIENCE_SECONDS), ImageTable(offsets=(0,), sizes=(4,), crc32s=(0,))
    proxy.fault = fault
    assert store.shards.commit("j", 0, b"mine", table)
    assert not store.shards.commit("j", 0, b"late", table)
    shard = store.shards.index("j", 0)
    assert shard is not None
    assert store.shards.image(shard, 0) == b"mine"


def test_a_stream_goes_on_where_an_answer_broke_off(objects: Objects, proxy: FaultProxy) -> None:
    data = random.Random(1).randbytes(3_000_000)
    objects.put("long", data)
    proxy.fault, hits = "cut answers", proxy.hits

    async def read() -> bytes:
        return b"".join([chunk async for chunk in objects.stream("long", 10, len(data) - 10)])

    assert asyncio.run(read()) == data[10:-10]
    assert proxy.hits > hits + 3


def test_what_is_gone_or_short_is_damaged(objects: Objects) -> None:
    objects.put("short", b"12")
    for path, start in (("gone", 0), ("short", 0), ("short", 5)):
        with pytest.raises(DamagedError):
            objects.read_range(path, start, 9)
    assert objects.read("gone") is None


def test_a_store_that_can_be_used_passes_its_check_and_stays_empty(objects: Objects) -> None:
    objects.check_usable()
    assert list(objects.list("")) == []


def test_a_check_that_fails_leaves_no_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Objects(str(tmp_path), (), PATIENCE_SECONDS)
    monkeypatch.setattr(objects, "list", lambda _: iter(()))
    for _ in range(2):
        with pytest.raises(StoreError, match="is not listed"):
            objects.check_usable()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def refusal(url: str) -> str:
    """Return the error of a store that cannot be used. It is one line."""
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        Objects(url, (), PATIENCE_SECONDS).check_usable()
    assert time.monotonic() - began < 3 * PATIENCE_SECONDS
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch: correct AWS_SECRET_ACCESS_KEY"),
        ("AWS_ACCESS_KEY_ID", "nobody", "InvalidAccessKeyId: correct AWS_ACCESS_KEY_ID"),
    ],
)
def test_wrong_credentials_are_reported_in_one_line(
    bucket: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    assert words in refusal(bucket)


def test_a_bucket_that_cannot_be_written_is_reported(
    s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, s3.environment_of_reader())
    assert "403 AccessDenied: let these credentials" in refusal(bucket)


def test_a_missing_bucket_is_an_error_and_no_empty_store(bucket: str) -> None:
    url = bucket.replace(BUCKET, "another")
    assert "404 NoSuchBucket: create the bucket, or correct IMAGEMILL_STORE" in refusal(url)
    with pytest.raises(StoreError, match="NoSuchBucket"):
        Objects(url, (), PATIENCE_SECONDS).read("a")


def test_a_server_that_does_not_answer_is_given_up(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "no answer in time" in refusal(bucket)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "no credentials: set AWS_ACCESS_KEY_ID" in refusal(bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    assert "onnection refused" in refusal(bucket)


def test_a_folder_passes_the_check_too(tmp_path: Path) -> None:
    Objects(str(tmp_path), (), PATIENCE_SECONDS).check_usable()
    assert [path.name for path in tmp_path.rglob("*")] == ["probe"]
