import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.integration.house import House, metadata
from tests.tiny import CLASSES, LABELLED, PLAIN, needs_unzip


@pytest.fixture
def finished(house: House) -> dict[str, Any]:
    return house.wait_done(house.generate(300, seed=5)["id"])


def test_a_request_is_accepted_with_the_address_of_its_job(house: House) -> None:
    response = house.client.post("/generate", params={"n": 3})
    body = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/jobs/{body['id']}" == body["links"]["self"]
    assert response.headers["retry-after"] == "1"
    assert house.client.get(response.headers["location"]).json()["id"] == body["id"]


def test_a_finished_job_says_what_it_made(finished: dict[str, Any]) -> None:
    assert (finished["state"], finished["done"], finished["error"]) == ("succeeded", True, None)
    assert (finished["images_done"], finished["images_total"], finished["n"]) == (300, 300, 300)
    assert (finished["model"], finished["seed"], finished["class"]) == (PLAIN, 5, None)
    assert finished["created"] < finished["finished"]
    assert finished["images_per_s"] > 0


def test_the_archive_holds_distinct_decodable_images_and_their_records(house: House, finished: dict[str, Any]) -> None:
    archive = house.download(finished["id"])
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        names = [name for name in file.namelist() if name.endswith(".png")]
        pictures = {name: file.read(name) for name in names}
    assert names == [f"images/{index:06d}.png" for index in range(300)]
    assert len(set(pictures.values())) == 300
    for record in metadata(archive):
        data = pictures[record["file_name"]]
        image = Image.open(io.BytesIO(data))
        assert (image.size, image.mode, image.format) == ((32, 32), "RGB", "PNG")
        assert record["sha256"] == hashlib.sha256(data).hexdigest()
        assert (record["seed"], record["model"]) == (5, PLAIN)


@needs_unzip
def test_the_archive_passes_unzip(house: House, finished: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    path.write_bytes(house.download(finished["id"]))
    assert "No errors detected" in subprocess.run(["unzip", "-tq", path], capture_output=True, text=True).stdout


def test_a_download_tells_its_length_before_it_begins(house: House, finished: dict[str, Any]) -> None:
    head = house.client.head(f"/jobs/{finished['id']}/download")
    assert int(head.headers["content-length"]) == len(house.download(finished["id"]))
    assert head.headers["content-disposition"] == 'attachment; filename="plain-seed5-n300.zip"'


def test_one_image_is_the_same_alone_and_in_the_archive(house: House, finished: dict[str, Any]) -> None:
    response = house.client.get(f"/jobs/{finished['id']}/images/299.png")
    assert response.headers["content-type"] == "image/png"
    assert hashlib.sha256(response.content).hexdigest() == house.job_hashes(finished["id"])[299]


def test_the_same_seed_gives_the_same_archive(house: House, finished: dict[str, Any]) -> None:
    again = house.wait_done(house.generate(300, seed=5)["id"])
    assert house.download(again["id"]) == house.download(finished["id"])


def test_a_smaller_request_gives_the_first_images_of_a_larger_one(house: House, finished: dict[str, Any]) -> None:
    assert house.hashes(10, seed=5) == house.job_hashes(finished["id"])[:10]


def test_another_seed_gives_other_images(house: House) -> None:
    assert not set(house.hashes(40, seed=5)) & set(house.hashes(40, seed=6))


def test_a_request_without_a_seed_gets_one_that_repeats_it(house: House) -> None:
    job = house.wait_done(house.generate(4)["id"])
    assert house.hashes(4, seed=job["seed"]) == house.job_hashes(job["id"])


def test_a_second_worker_changes_no_image(house: House) -> None:
    alone = house.hashes(3000, seed=9)
    house.start_worker()
    assert house.hashes(3000, seed=9) == alone


def test_a_conditional_model_takes_its_classes_in_turn(house: House) -> None:
    job = house.wait_done(house.generate(7, model=LABELLED, seed=1)["id"])
    records = metadata(house.download(job["id"]))
    assert [record["label"] for record in records] == [CLASSES[index % 3] for index in range(7)]
    assert records[0]["file_name"] == "images/circle/000000.png"
    assert records[2]["file_name"] == "images/zig%2Fzag/000002.png"


def test_one_class_can_be_asked_for(house: House) -> None:
    job = house.wait_done(house.generate(5, model=LABELLED, **{"class": "cross"})["id"])
    assert job["class"] == "cross"
    assert {record["label"] for record in metadata(house.download(job["id"]))} == {"cross"}


def test_the_models_are_listed_with_what_one_must_know(house: House) -> None:
    models = {model["name"]: model for model in house.client.get("/models").json()["models"]}
    assert models[PLAIN]["default"]
    assert models[PLAIN]["workers"] >= 1
    assert models[LABELLED]["classes"] == list(CLASSES)
    assert house.client.get(f"/models/{LABELLED}").json() == models[LABELLED]
    assert models[LABELLED]["licence"] == "CC0-1.0"


def test_probes_answer_well(house: House) -> None:
    assert house.client.get("/healthz").json() == {"status": "ok"}
    assert house.client.get("/readyz").json() == {"status": "ok"}


def test_the_interface_is_documented(house: House) -> None:
    assert house.client.get("/docs").status_code == 200
    schema = house.client.get("/openapi.json").json()
    assert "Problem" in schema["components"]["schemas"]
    assert '"HTTPValidationError"' not in json.dumps(schema["paths"])
