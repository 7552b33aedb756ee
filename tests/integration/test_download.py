"""Downloads of finished archives: complete, in ranges, and repeated."""

import base64
import hashlib
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.running_service import RunningService, wait_until

N = 40


@pytest.fixture
def path(service: RunningService) -> str:
    return str(service.wait_done(service.generate(N, seed=1)["id"])["links"]["download"])


def test_a_finished_archive_tells_its_length_and_that_it_has_ranges(service: RunningService, path: str) -> None:
    whole, head = service.client.get(path), service.client.head(path)
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "no-transform" in whole.headers["Cache-Control"]
    assert (head.content, head.headers["Content-Length"]) == (b"", whole.headers["Content-Length"])
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert not whole.headers["ETag"].startswith("W/")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_split_into_ranges_makes_the_whole(service: RunningService, path: str, data: st.DataObject) -> None:
    whole = service.client.get(path).content
    cuts = data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=5, unique=True))
    pieces = []
    for start, stop in pairwise([0, *sorted(cuts), len(whole)]):
        response = service.client.get(path, headers={"Range": f"bytes={start}-{stop - 1}"})
        assert response.status_code == 206
        assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
        pieces.append(response.content)
    assert b"".join(pieces) == whole


def test_a_broken_download_goes_on_where_it_stopped(service: RunningService, path: str) -> None:
    whole = service.client.get(path)
    half = len(whole.content) // 2
    condition = {"If-Range": whole.headers["ETag"], "Range": f"bytes={half}-"}
    assert service.client.get(path, headers=condition).content == whole.content[half:]


@pytest.mark.parametrize("condition", ['"another"', 'W/"weak"', "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_another_archive_is_sent_whole(service: RunningService, path: str, condition: str) -> None:
    response = service.client.get(path, headers={"Range": "bytes=5-", "If-Range": condition})
    assert response.status_code == 200
    assert response.content.startswith(b"PK")


def test_a_range_behind_the_end_is_refused_with_the_length(service: RunningService, path: str) -> None:
    size = service.client.head(path).headers["Content-Length"]
    response = service.client.get(path, headers={"Range": f"bytes={size}-"})
    assert (response.status_code, response.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert (response.headers["Content-Type"], response.json()["code"]) == ("application/problem+json", "no_such_range")


def test_a_range_is_none_of_a_heads_business(service: RunningService, path: str) -> None:
    head = service.client.head(path, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["Content-Length"]) == (
        200,
        service.client.head(path).headers["Content-Length"],
    )


def test_an_archive_that_is_there_already_is_not_sent_again(service: RunningService, path: str) -> None:
    etag = service.client.head(path).headers["ETag"]
    assert service.client.get(path, headers={"If-None-Match": f'"x", {etag}'}).status_code == 304
    assert service.client.get(path, headers=[("If-None-Match", '"x"'), ("If-None-Match", etag)]).status_code == 304
    assert service.client.get(path, headers={"If-None-Match": "*"}).status_code == 304
    assert service.client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_an_archive_is_only_sent_if_it_is_the_one_that_is_meant(service: RunningService, path: str) -> None:
    etag = service.client.head(path).headers["ETag"]
    for condition in (etag, "*", f'"x", {etag}'):
        assert service.client.get(path, headers={"If-Match": condition}).status_code == 200
    for condition in ('"x"', f"W/{etag}", ""):
        for method in ("GET", "HEAD"):
            refused = service.client.request(method, path, headers={"If-Match": condition})
            assert (refused.status_code, refused.headers["Content-Type"]) == (412, "application/problem+json")


def test_an_archive_that_grows_is_only_sent_if_it_is_the_one_that_is_meant(idle_service: RunningService) -> None:
    job = idle_service.generate(1)
    refused = idle_service.client.get(job["links"]["download"], headers={"If-Match": '"x"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")


def test_an_archive_has_an_address_that_ends_like_its_file(service: RunningService, path: str) -> None:
    """Libraries that load datasets from URLs read the format from the end of the path."""
    assert path.endswith("/download.zip")
    plain = path.removesuffix(".zip")
    for method in ("GET", "HEAD"):
        named, unnamed = (service.client.request(method, where) for where in (path, plain))
        assert (named.status_code, named.content) == (200, unnamed.content)
        assert {**named.headers, "date": "", "x-request-id": ""} == {**unnamed.headers, "date": "", "x-request-id": ""}
    assert service.client.get(path, headers={"Range": "bytes=-22"}).content.startswith(b"PK\5\6")
    assert service.client.get(f"{plain}.npz").json()["detail"].endswith("is download.zip")
    arrays = service.wait_done(service.generate(2, format="npz")["id"])["links"]["download"]
    assert arrays.endswith("/download.npz")
    assert service.client.get(arrays).content.startswith(b"PK")


def test_an_image_of_a_job_is_the_same_for_ever(service: RunningService, path: str) -> None:
    image = path.replace("download.zip", "images/3.png")
    first = service.client.get(image)
    assert first.headers["ETag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
    assert first.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    for method in ("GET", "HEAD"):
        again = service.client.request(method, image, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert service.client.get(image, headers={"If-Match": '"x"'}).status_code == 412


def test_no_encoding_is_put_upon_an_archive(service: RunningService, path: str) -> None:
    response = service.client.get(path, headers={"Accept-Encoding": "gzip, br, zstd"})
    assert "Content-Encoding" not in response.headers


ZIP = {"Accept": "application/zip"}


def test_an_archive_can_be_the_answer_to_its_request(service: RunningService) -> None:
    response = service.client.post("/generate", params={"n": 100, "seed": 1}, headers=ZIP)
    job = service.client.get(response.headers["Location"]).json()
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/zip")
    assert response.headers["Content-Location"] == job["links"]["download"]
    assert (job["n"], job["seed"]) == (100, 1)
    assert response.content == service.download(service.wait_done(job["id"])["id"])


def test_the_same_archive_is_the_answer_to_the_same_key(service: RunningService) -> None:
    headers = {**ZIP, "Idempotency-Key": "archive"}
    growing = service.client.post("/generate", params={"n": 30, "seed": 1}, headers=headers)
    service.wait_done(growing.headers["Location"].removeprefix("/jobs/"))
    whole = service.client.post("/generate", params={"n": 30, "seed": 1}, headers=headers)
    assert whole.headers["Location"] == growing.headers["Location"]
    assert (int(whole.headers["Content-Length"]), whole.content) == (len(growing.content), growing.content)


def test_an_archive_that_will_not_come_is_not_begun(idle_service: RunningService) -> None:
    headers = {"Idempotency-Key": "never"}
    job = idle_service.client.post("/generate", params={"n": 30, "seed": 1}, headers=headers).json()
    idle_service.client.post(job["links"]["cancel"]).raise_for_status()
    response = idle_service.client.post("/generate", params={"n": 30, "seed": 1}, headers={**ZIP, **headers})
    assert (response.status_code, response.json()["code"]) == (409, "job_cancelled")


def test_a_request_is_never_answered_with_nothing_new(service: RunningService) -> None:
    headers = {**ZIP, "Idempotency-Key": "again"}
    growing = service.client.post("/generate", params={"n": 3, "seed": 1}, headers=headers)
    service.wait_done(growing.headers["Location"].removeprefix("/jobs/"))
    again = service.client.post("/generate", params={"n": 3, "seed": 1}, headers={**headers, "If-None-Match": "*"})
    assert (again.status_code, again.content) == (200, growing.content)


def test_who_wants_an_archive_is_told_in_json_why_there_is_none(service: RunningService) -> None:
    response = service.client.post("/generate", params={"n": 0}, headers=ZIP)
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")


def test_each_response_has_the_checksum_of_the_whole_archive(service: RunningService, path: str) -> None:
    wait_until(lambda: "Repr-Digest" in service.client.head(path).headers)
    whole = service.client.get(path)
    expected = f"sha-256=:{base64.b64encode(hashlib.sha256(whole.content).digest()).decode()}:"
    part = service.client.get(path, headers={"Range": "bytes=5-9"})
    head = service.client.head(path)
    assert [each.headers["Repr-Digest"] for each in (whole, part, head)] == [expected] * 3


def test_a_download_does_not_wait_for_a_missing_checksum(service: RunningService, path: str) -> None:
    wait_until(lambda: "Repr-Digest" in service.client.head(path).headers)
    (service.folder / "store" / path.rpartition("/")[0].lstrip("/") / "digest.json").unlink()
    response = service.client.get(path)
    assert response.is_success
    assert "Repr-Digest" not in response.headers
