"""The layouts of archives over HTTP: streams, ranges, workers that die, selections, and jobs that are rebuilt."""

import hashlib
import io
import signal
import tarfile
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyarrow import parquet

from app.client import Client, ClientError
from tests.calibrated_gate import COPIED
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.tiny import LABELLED

LAYOUTS = ("imagefolder", "parquet", "webdataset", "npz")
N = 700
"""Several shards: their sizes are 32 or less, then up to 256."""
QUERY: dict[str, Any] = {"model": LABELLED, "seed": COPIED[0], "start": 5}
SELECTION = {"keep": 0.4, "copies": "drop", "distinct": 1, "classes": "circle:40,zig/zag:90"}


def query_of(layout: str) -> dict[str, str]:
    return {"format": "npz"} if layout == "npz" else {"layout": layout}


def images_of(archive: bytes, layout: str) -> dict[int, str]:
    """Map the indices of an archive's images to the sha256 of their files."""
    if layout == "webdataset":
        with tarfile.open(fileobj=io.BytesIO(archive), errorlevel=2) as tar:
            files = [(int(each.name[:-4]), tar.extractfile(each)) for each in tar if each.name.endswith(".png")]
            return {index: hashlib.sha256(file.read()).hexdigest() for index, file in files if file is not None}
    if layout == "parquet":
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            assert file.testzip() is None
            names = [name for name in file.namelist() if name.startswith("data/")]
            rows = [row for name in names for row in parquet.read_table(file.open(name)).to_pylist()]
        assert all(row["sha256"] == hashlib.sha256(row["image"]["bytes"]).hexdigest() for row in rows)
        return {row["index"]: row["sha256"] for row in rows}
    return {record["index"]: record["sha256"] for record in metadata(archive)}


def merged_files(service: RunningService, job: dict[str, Any]) -> list[Path]:
    return list((service.folder / "store" / "jobs" / job["id"] / "merged").glob("*"))


def finished(service: RunningService, n: int, **query: Any) -> tuple[dict[str, Any], bytes]:
    job = service.wait_done(service.generate(n, **{**QUERY, **query})["id"])
    assert job["state"] == "succeeded", job
    return job, service.client.get(job["links"]["download"]).raise_for_status().content


@pytest.fixture(scope="module", params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_growing_archive_is_the_finished_one_in_any_ranges(service: RunningService, layout: str) -> None:
    growing = service.client.post(
        "/generate",
        params={"n": N, **QUERY, **query_of(layout)},
        headers={"Accept": "application/x-tar" if layout == "webdataset" else "application/zip"},
    )
    assert growing.status_code == 200
    link = growing.headers["Content-Location"]
    whole = service.client.get(link)
    assert growing.content == whole.content
    assert whole.headers["Content-Type"] == growing.headers["Content-Type"]
    assert link.endswith({"webdataset": ".tar", "npz": ".npz"}.get(layout, ".zip"))
    assert f'{link[link.rfind(".") :]}"' in whole.headers["Content-Disposition"]
    random, size = Random(1), len(whole.content)
    for _ in range(20):
        first, last = sorted(random.choices(range(size), k=2))
        part = service.client.get(link, headers={"Range": f"bytes={first}-{last}"})
        assert (part.status_code, part.content) == (206, whole.content[first : last + 1])
    job = service.client.get(growing.headers["Location"]).json()
    assert job["layout"] == (None if layout == "npz" else layout)
    found = images_of(whole.content, layout)
    assert list(found) == list(range(5, 5 + N))
    if layout != "npz":  # the images of all layouts are those of one job
        assert found == images_of(finished(service, N)[1], "imagefolder")
        one = service.client.get(job["links"]["image"].format(index=300))
        assert hashlib.sha256(one.content).hexdigest() == found[300]


def test_a_selection_has_the_same_images_in_each_layout(service: RunningService, layout: str) -> None:
    job, archive = finished(service, 130, **SELECTION, **query_of(layout))
    plain = images_of(finished(service, 130, **SELECTION)[1], "imagefolder")
    found = images_of(archive, layout)
    assert list(found) == list(plain)
    assert layout == "npz" or found == plain
    assert bool(merged_files(service, job)) == (layout in ("npz", "parquet"))
    if layout != "npz":
        for index in list(found)[::30]:
            answer = service.client.get(job["links"]["image"].format(index=index))
            assert hashlib.sha256(answer.content).hexdigest() == found[index]


def test_a_selection_streams_the_bytes_that_it_ends_with(service: RunningService, layout: str) -> None:
    accept = {"Accept": "application/x-tar" if layout == "webdataset" else "application/zip"}
    query = {"n": 600, **QUERY, "keep": 0.5, "seed": 3, **query_of(layout)}
    growing = service.client.post("/generate", params=query, headers=accept)
    assert growing.content == service.client.get(growing.headers["Content-Location"]).content
    assert len(images_of(growing.content, layout)) == 600


def test_workers_that_die_and_expired_images_change_no_byte(service: RunningService) -> None:
    query = {**SELECTION, "classes": "circle:200,zig/zag:450"}
    whole = {layout: finished(service, 650, **query, **query_of(layout)) for layout in LAYOUTS}
    started = {layout: service.generate(650, **{**QUERY, **query, **query_of(layout)}) for layout in LAYOUTS}
    wait_until(lambda: all(service.job(job["id"])["images_done"] > 0 for job in started.values()))
    service.end_workers(signal.SIGKILL)
    service.start_workers({}, {})
    for layout, (job, archive) in whole.items():
        assert service.wait_done(started[layout]["id"])["state"] == "succeeded"
        assert service.client.get(started[layout]["links"]["download"]).content == archive, layout
        assert service.client.delete(f"/jobs/{job['id']}").status_code == 200
        assert not merged_files(service, job)
        rebuilt = service.wait_done(service.client.post(job["links"]["rebuild"]).json()["id"])
        assert service.client.get(rebuilt["links"]["download"]).content == archive, layout
    service.end_worker(service.workers[-1])


def test_the_client_reads_images_where_they_are_files(service: RunningService, tmp_path: Path, layout: str) -> None:
    started = service.generate(60, **QUERY, **query_of(layout))
    with Client(service.url) as client:
        if layout in ("npz", "parquet"):
            with pytest.raises(ClientError, match="download"):
                list(client.images(started["id"]))
        else:
            images = list(client.images(started["id"]))
            assert [image.index for image in images] == list(range(5, 65))
            assert {image.label for image in images} == {"circle", "cross", "zig/zag"}
            assert images[0].open().size == (32, 32)
        path = client.download(started["id"], tmp_path / "archive")
    assert len(images_of(path.read_bytes(), layout)) == 60
