import hashlib
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.schemas.parameter_types import MAX_SEED, MAX_START
from tests import unpackers
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.tiny import CLASSES, LABELLED, PLAIN
from tests.unpackers import UNPACKERS


@pytest.fixture
def finished(service: RunningService) -> dict[str, Any]:
    return service.wait_done(service.generate(300, seed=5)["id"])


def test_a_request_is_accepted_with_the_address_of_its_job(service: RunningService) -> None:
    response = service.client.post("/generate", params={"n": 3})
    body = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/jobs/{body['id']}" == body["links"]["self"]
    assert response.headers["retry-after"] == "1"
    assert service.client.get(response.headers["location"]).json()["id"] == body["id"]


def test_a_finished_job_says_what_it_made(finished: dict[str, Any]) -> None:
    assert (finished["state"], finished["done"], finished["error"]) == ("succeeded", True, None)
    assert (finished["images_done"], finished["images_total"], finished["n"]) == (300, 300, 300)
    assert (finished["model"], finished["seed"], finished["class"]) == (PLAIN, 5, None)
    assert finished["created"] < finished["finished"]
    assert finished["images_per_s"] > 0


def test_the_archive_holds_distinct_decodable_images_and_their_records(
    service: RunningService, finished: dict[str, Any]
) -> None:
    archive = service.download(finished["id"])
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        names = [name for name in file.namelist() if name.startswith("images/")]
        pictures = {name: file.read(name) for name in names}
    assert names == [f"images/{index:06d}.png" for index in range(300)]
    assert len(set(pictures.values())) == 300
    for record in metadata(archive):
        data = pictures[record["file_name"]]
        image = Image.open(io.BytesIO(data))
        assert (image.size, image.mode, image.format) == ((32, 32), "RGB", "PNG")
        assert record["sha256"] == hashlib.sha256(data).hexdigest()
        assert (record["seed"], record["model"]) == (5, PLAIN)


@pytest.mark.parametrize("unpacker", UNPACKERS)
def test_unpackers_accept_the_archive(
    unpacker: str, service: RunningService, finished: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "images.zip"
    path.write_bytes(service.download(finished["id"]))
    unpackers.check(unpacker, path)


def test_a_download_tells_its_length_before_it_begins(service: RunningService, finished: dict[str, Any]) -> None:
    head = service.client.head(f"/jobs/{finished['id']}/download")
    assert int(head.headers["content-length"]) == len(service.download(finished["id"]))
    assert head.headers["content-disposition"] == 'attachment; filename="plain-seed5-n300.zip"'


def test_one_image_is_the_same_alone_and_in_the_archive(service: RunningService, finished: dict[str, Any]) -> None:
    response = service.client.get(f"/jobs/{finished['id']}/images/299.png")
    assert response.headers["content-type"] == "image/png"
    assert hashlib.sha256(response.content).hexdigest() == service.job_hashes(finished["id"])[299]


def test_the_same_seed_gives_the_same_archive(service: RunningService, finished: dict[str, Any]) -> None:
    again = service.wait_done(service.generate(300, seed=5)["id"])
    assert service.download(again["id"]) == service.download(finished["id"])


def test_a_smaller_request_gives_the_first_images_of_a_larger_one(
    service: RunningService, finished: dict[str, Any]
) -> None:
    assert service.hashes(10, seed=5) == service.job_hashes(finished["id"])[:10]


def test_another_seed_gives_other_images(service: RunningService) -> None:
    assert not set(service.pixels(40, seed=5)) & set(service.pixels(40, seed=6))


def test_a_request_without_a_seed_gets_one_that_repeats_it(service: RunningService) -> None:
    job = service.wait_done(service.generate(4)["id"])
    assert service.hashes(4, seed=job["seed"]) == service.job_hashes(job["id"])


def test_a_second_worker_changes_no_image(service: RunningService) -> None:
    alone = service.hashes(3000, seed=9)
    service.start_worker()
    assert service.hashes(3000, seed=9) == alone


def test_a_conditional_model_takes_its_classes_in_turn(service: RunningService) -> None:
    job = service.wait_done(service.generate(7, model=LABELLED, seed=1)["id"])
    records = metadata(service.download(job["id"]))
    assert [record["label"] for record in records] == [CLASSES[index % 3] for index in range(7)]
    assert records[0]["file_name"] == "images/circle/000000.png"
    assert records[2]["file_name"] == "images/zig%2Fzag/000002.png"


def test_one_class_can_be_asked_for(service: RunningService) -> None:
    job = service.wait_done(service.generate(5, model=LABELLED, **{"class": "cross"})["id"])
    assert job["class"] == "cross"
    assert {record["label"] for record in metadata(service.download(job["id"]))} == {"cross"}


def test_the_models_are_listed_with_what_one_must_know(service: RunningService) -> None:
    models = {model["name"]: model for model in service.client.get("/models").json()["models"]}
    assert models[PLAIN]["default"]
    assert models[PLAIN]["workers"] >= 1
    assert models[LABELLED]["classes"] == list(CLASSES)
    assert service.client.get(f"/models/{LABELLED}").json() == models[LABELLED]
    assert models[LABELLED]["licence"] == "CC0-1.0"


def test_probes_answer_well(service: RunningService) -> None:
    assert service.client.get("/healthz").json() == {"status": "ok"}
    parts = dict.fromkeys(("queue", "worker", "store", "disk"), "ok")
    assert service.client.get("/readyz").json() == {"status": "ok", "parts": parts}


def test_the_interface_is_documented(service: RunningService) -> None:
    assert service.client.get("/docs", follow_redirects=True).status_code == 200
    schema = service.client.get("/openapi.json").json()
    assert "Problem" in schema["components"]["schemas"]
    assert '"HTTPValidationError"' not in json.dumps(schema["paths"])


@pytest.mark.parametrize(("kind", "suffix", "name"), [("webp", "webp", "WEBP"), ("jpeg", "jpg", "JPEG")])
def test_images_come_in_other_formats(service: RunningService, kind: str, suffix: str, name: str) -> None:
    job = service.wait_done(service.generate(3, format=kind)["id"])
    with zipfile.ZipFile(io.BytesIO(service.download(job["id"]))) as file:
        assert file.testzip() is None
        members = {path: file.read(path) for path in file.namelist() if path.startswith("images/")}
    assert list(members) == [f"images/{index:06d}.{suffix}" for index in range(3)]
    assert {Image.open(io.BytesIO(data)).format for data in members.values()} == {name}
    response = service.client.get(job["links"]["image"].format(index=2))
    assert (response.content, response.headers["content-type"]) == (members[f"images/000002.{suffix}"], f"image/{kind}")
    assert service.client.get(f"/jobs/{job['id']}/images/2.png").status_code == 404


def test_arrays_hold_the_pixels_of_the_images(service: RunningService) -> None:
    pictures = service.wait_done(service.generate(300, seed=8, model=LABELLED)["id"])
    job = service.wait_done(service.generate(300, seed=8, model=LABELLED, format="npz")["id"])
    assert job["links"]["image"] is None
    with np.load(io.BytesIO(service.download(job["id"]))) as file:
        images = np.concatenate([file[name] for name in sorted(file.files) if name.startswith("images_")])
        labels = file["labels"]
    assert images.shape == (300, 32, 32, 3)
    assert labels.tolist() == [index % 3 for index in range(300)]
    for index in (0, 31, 32, 299):
        data = service.client.get(f"/jobs/{pictures['id']}/images/{index}.png").content
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), images[index])


def test_a_dataset_can_be_extended_later(service: RunningService) -> None:
    whole = service.hashes(100, seed=9)
    later = service.wait_done(service.generate(57, seed=9, start=43)["id"])
    assert later["start"] == 43
    records = metadata(service.download(later["id"]))
    assert [record["index"] for record in records] == list(range(43, 100))
    assert [record["sha256"] for record in records] == whole[43:]


def test_an_address_always_gives_the_image_that_a_job_would(service: RunningService) -> None:
    job = service.wait_done(service.generate(40, seed=11, model=LABELLED)["id"])
    model = service.client.get(f"/models/{LABELLED}").json()
    for index in (0, 39):
        expected = service.client.get(f"/jobs/{job['id']}/images/{index}.png").content
        by_name = service.client.get(f"/images/{LABELLED}/11/{index}.png")
        by_hash = service.client.get(f"/images/{model['sha256']}/11/{index}.png")
        assert by_name.content == by_hash.content == expected
        assert by_name.headers["ETag"] == f'"{hashlib.sha256(expected).hexdigest()}"'
        assert by_name.headers["Cache-Control"] == by_hash.headers["Cache-Control"] == "no-cache"
        again = {"If-None-Match": by_name.headers["ETag"]}
        assert service.client.get(f"/images/{LABELLED}/11/{index}.png", headers=again).status_code == 304


@pytest.fixture
def by_address(service: RunningService) -> dict[tuple[int, str], str]:
    """The sha256 of images by index and class, made by one job of all classes and one of each."""
    found = dict[tuple[int, str], str]()
    for query in ({}, *({"class": name} for name in CLASSES)):
        job = service.wait_done(service.generate(120, seed=21, model=LABELLED, **query)["id"])
        for record in metadata(service.download(job["id"])):
            address = (record["index"], record["label"])
            assert found.setdefault(address, record["sha256"]) == record["sha256"]
    return found


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    jobs=st.lists(
        st.tuples(st.integers(0, 119), st.integers(1, 120), st.sampled_from([None, *CLASSES])), min_size=1, max_size=4
    )
)
def test_an_image_depends_on_its_address_and_on_nothing_else(
    service: RunningService, by_address: dict[tuple[int, str], str], jobs: list[tuple[int, int, str | None]]
) -> None:
    begun = [
        service.generate(
            min(n, 120 - start), seed=21, start=start, model=LABELLED, **({"class": label} if label else {})
        )
        for start, n, label in jobs
    ]
    for job in begun:
        service.wait_done(job["id"])
        for record in metadata(service.download(job["id"])):
            assert record["sha256"] == by_address[record["index"], record["label"]]


def test_an_address_may_name_a_class(service: RunningService) -> None:
    job = service.wait_done(service.generate(3, seed=11, model=LABELLED, **{"class": CLASSES[1]})["id"])
    expected = service.client.get(f"/jobs/{job['id']}/images/2.png").content
    found = service.client.get(f"/images/{LABELLED}/11/2.png", params={"class": CLASSES[1]})
    assert found.content == expected != service.client.get(f"/images/{LABELLED}/11/2.png").content


def test_many_requests_for_one_address_are_one_job_while_no_worker_is_alive(idle_service: RunningService) -> None:
    path, jobs = f"/images/{PLAIN}/12/34567.webp", idle_service.folder / "store" / "jobs"
    before = len(list(jobs.iterdir()))
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(httpx.get, idle_service.url + path, timeout=60) for _ in range(20)]
        wait_until(lambda: len(list(jobs.iterdir())) > before)
        idle_service.start_worker()
        answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(list(jobs.iterdir())) == before + 1


def test_an_address_whose_job_was_cancelled_can_be_asked_for_again(idle_service: RunningService) -> None:
    path = f"{idle_service.url}/images/{PLAIN}/13/1.png"
    jobs = idle_service.folder / "store" / "jobs"
    before = set(jobs.iterdir())
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx.get, path, timeout=30)
        wait_until(lambda: bool(set(jobs.iterdir()) - before))
        (job,) = set(jobs.iterdir()) - before
        idle_service.client.post(f"/jobs/{job.name}/cancel")
        answer = asked.result()
        assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (409, "not_rendered", True)
    idle_service.start_worker()
    assert httpx.get(path, timeout=30).status_code == 200


def answers_at_once(service: RunningService, job_id: str) -> bool:
    """Whether the API has worked off what it was asked: it answers a few requests in a row within 50 ms each."""
    return all(service.client.get(f"/jobs/{job_id}").elapsed.total_seconds() < 0.05 for _ in range(5))


def test_all_who_wait_for_an_address_are_told_that_its_job_was_cancelled(idle_service: RunningService) -> None:
    path = f"{idle_service.url}/images/{PLAIN}/14/1.png"
    jobs = idle_service.folder / "store" / "jobs"
    before, sent = set(jobs.iterdir()), list[str]()

    def note(event: str, _: dict[str, Any]) -> None:
        if event == "http11.send_request_body.complete":
            sent.append(event)

    with ThreadPoolExecutor(60) as pool, httpx.Client(timeout=30) as client:
        asked = [pool.submit(client.get, path, extensions={"trace": note}) for _ in range(60)]
        wait_until(lambda: bool(set(jobs.iterdir()) - before))
        (job,) = set(jobs.iterdir()) - before
        wait_until(lambda: len(sent) == 60 and answers_at_once(idle_service, job.name))
        idle_service.client.post(f"/jobs/{job.name}/cancel")
        idle_service.start_worker()  # for a request that comes so late that it is a new job
        answers = [request.result().status_code for request in asked]
    assert set(answers) <= {409, 200}
    assert answers.count(409) > 40


@pytest.mark.parametrize("query", [{"clas": "x"}, {"n": 3}, {"seed": 1}])
def test_an_address_with_a_typo_is_refused(service: RunningService, query: dict[str, Any]) -> None:
    refused = service.client.get(f"/images/{LABELLED}/11/2.png", params=query)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "no such parameter" in refused.json()["detail"]


def test_every_image_of_the_last_job_has_an_address(service: RunningService) -> None:
    job = service.wait_done(service.generate(3, seed=1, start=MAX_START)["id"])
    for index in range(MAX_START, MAX_START + 3):
        expected = service.client.get(f"/jobs/{job['id']}/images/{index}.png").content
        assert service.client.get(f"/images/{PLAIN}/1/{index}.png").content == expected
    assert service.client.get(f"/images/{PLAIN}/1/{MAX_SEED}.png").status_code == 200
    assert service.client.get(f"/images/{PLAIN}/1/{MAX_SEED + 1}.png").status_code == 422


def test_a_class_has_one_number_in_every_dataset_of_a_model(service: RunningService) -> None:
    (classes,) = (m["classes"] for m in service.client.get("/models").json()["models"] if m["name"] == LABELLED)
    assert tuple(classes) == CLASSES
    for query in ({}, {"class": "zig/zag"}, {"class": "zig/zag", "start": 4}):
        jobs = [service.generate(6, seed=8, model=LABELLED, format=kind, **query)["id"] for kind in ("png", "npz")]
        png, npz = (service.download(service.wait_done(job)["id"]) for job in jobs)
        for archive in (png, npz):
            assert all(record["label"] == classes[record["label_id"]] for record in metadata(archive))
        with np.load(io.BytesIO(npz)) as file:
            assert file["labels"].tolist() == [record["label_id"] for record in metadata(png)]
