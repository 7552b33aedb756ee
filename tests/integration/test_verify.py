"""Marks over HTTP: images carry them, and POST /verify renders the address in a mark again."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from safetensors.torch import save_file

from tests.integration import bombs
from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.integration.test_styles import picture
from tests.tiny import LABELLED, PLAIN, vgg19_tensors
from worker.contracts.marks.extraction import find_packet
from worker.contracts.marks.image_address import ImageAddress, parse_uri
from worker.contracts.marks.xmp_packet import find_address

SUFFIXES = ["png", "webp", "jpg"]


def verify(client: httpx.Client, data: bytes) -> dict[str, Any]:
    response = client.post("/verify", files={"file": ("image", data)})
    assert response.status_code == 200, response.text
    return dict(response.json())


def image_at(service: RunningService, address: str, **query: Any) -> bytes:
    response = service.client.get(f"/images/{address}", params=query)
    assert response.status_code == 200, response.text
    return response.content


def address_of(data: bytes) -> ImageAddress:
    packet = find_packet(data)
    assert packet is not None
    address = find_address(packet)
    assert address is not None
    return address


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_image_of_an_address_is_equal(service: RunningService, suffix: str) -> None:
    data = image_at(service, f"{LABELLED}/5/3.{suffix}", **{"class": "zig/zag"})
    found = verify(service.client, data)
    assert (found["made_here"], found["verdict"]) == (True, "equal"), found
    assert found["difference"] == {"maximum": 0, "mean": 0, "local": 0, "is_resized": False}
    address = found["address"]
    assert (address["model"], address["seed"], address["index"]) == (LABELLED, 5, 3)
    assert (address["class_number"], address["class"]) == (2, "zig/zag")
    assert parse_uri(found["mark"]["identifier"]) == address_of(data)
    again = service.client.get(address["url"]).content
    assert opened(again).tobytes() == opened(image_at(service, f"{LABELLED}/5/3.png", **{"class": "zig/zag"})).tobytes()


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_every_image_of_a_job_has_its_own_address(service: RunningService, kind: str) -> None:
    job = service.wait_done(service.generate(5, model=LABELLED, seed=5, start=40, format=kind)["id"])
    for index in range(40, 45):
        data = service.client.get(job["links"]["image"].replace("{index}", str(index))).content
        address = address_of(data)
        assert (address.model, address.seed, address.index) == (job["model_sha256"], 5, index)
        assert address.class_number == index % 3
    assert verify(service.client, data)["verdict"] == "equal"


@pytest.mark.parametrize("layout", ["parquet", "webdataset"])
def test_every_layout_has_marked_images(service: RunningService, layout: str) -> None:
    job = service.wait_done(service.generate(5, model=LABELLED, seed=78, layout=layout)["id"])
    data = service.client.get(job["links"]["image"].replace("{index}", "4")).content
    assert (address_of(data).seed, address_of(data).index) == (78, 4)
    assert data in service.download(job["id"])
    assert verify(service.client, data)["verdict"] == "equal"
    found = verify(service.client, written(opened(data), "PNG"))
    assert (found["verdict"], found["address"]["index"]) == ("equal", 4)


def test_an_extension_continues_the_marks(service: RunningService) -> None:
    job = service.wait_done(service.generate(5, seed=79)["id"])
    longer = service.wait_done(service.client.post(f"/jobs/{job['id']}/extend", params={"n": 5}).json()["id"])
    for index in (3, 8):
        data = service.client.get(longer["links"]["image"].replace("{index}", str(index))).content
        assert address_of(data).index == index
        assert verify(service.client, data)["verdict"] == "equal"


def test_a_re_encoded_or_resized_copy_is_close(service: RunningService) -> None:
    data = image_at(service, f"{PLAIN}/5/3.png")
    packet, image = find_packet(data), opened(data)
    copies = {
        "jpeg": written(image, "JPEG", quality=90, subsampling="4:4:4", xmp=packet),
        "smaller": written(image.resize((24, 24), Image.Resampling.LANCZOS), "WEBP", lossless=True, xmp=packet),
    }
    for name, copy in copies.items():
        found = verify(service.client, copy)
        assert (found["made_here"], found["verdict"]) == (True, "close"), f"{name}: {found}"
        assert found["difference"]["is_resized"] == (name != "jpeg")


def test_the_mark_of_another_image_is_found_out(service: RunningService) -> None:
    data, other = image_at(service, f"{PLAIN}/5/3.png"), image_at(service, f"{PLAIN}/5/4.png")
    forged = written(opened(other), "WEBP", lossless=True, xmp=find_packet(data))
    found = verify(service.client, forged)
    assert (found["made_here"], found["verdict"]) == (False, "different"), found
    assert found["difference"]["mean"] > 12


def test_a_mark_of_a_class_that_is_not_there_is_forged(service: RunningService) -> None:
    data = image_at(service, f"{LABELLED}/5/3.png")
    packet = find_packet(data)
    assert packet is not None
    for other in (b";class=7", b""):
        forged = written(opened(data), "JPEG", xmp=packet.replace(b";class=0", other))
        found = verify(service.client, forged)
        assert (found["made_here"], found["verdict"], found["difference"]) == (False, "different", None), found


def test_a_foreign_image_is_unmarked(service: RunningService) -> None:
    found = verify(service.client, picture())
    assert (found["made_here"], found["verdict"]) == (None, "unmarked")
    assert (found["mark"], found["address"], found["difference"]) == (None, None, None)


def test_an_image_without_its_mark_is_found_in_the_newest_jobs(service: RunningService) -> None:
    job = service.wait_done(service.generate(30, seed=77)["id"])
    data = service.client.get(job["links"]["image"].replace("{index}", "21")).content
    found = verify(service.client, written(opened(data), "PNG"))
    assert (found["made_here"], found["verdict"], found["mark"]) == (True, "equal", None), found
    assert (found["address"]["seed"], found["address"]["index"]) == (77, 21)
    assert opened(service.client.get(found["address"]["url"]).content).tobytes() == opened(data).tobytes()


def test_an_image_of_an_unknown_model_cannot_be_checked(service: RunningService) -> None:
    data = image_at(service, f"{PLAIN}/5/3.png")
    address = address_of(data)
    packet = (find_packet(data) or b"").replace(address.model.encode(), b"0" * 64)
    found = verify(service.client, written(opened(data), "WEBP", lossless=True, xmp=packet))
    assert (found["made_here"], found["verdict"]) == (None, "unknown_model")
    assert (found["address"]["model"], found["address"]["url"]) == (None, None)
    assert found["address"]["model_sha256"] == "0" * 64


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "unknown_picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), 415, "unknown_picture"),
        (picture()[:80], 422, "unusable_picture"),
        (bombs.png(20_000, 8, 2), 422, "unusable_picture"),
        (bombs.huge_header("WEBP"), 422, "unusable_picture"),
        (bytes(20_000_001), 413, "body_too_large"),
    ],
)
def test_a_file_that_is_no_image_is_refused(service: RunningService, data: bytes, status: int, code: str) -> None:
    refused = service.client.post("/verify", files={"file": ("image", data)})
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text


def test_other_fields_and_parameters_are_refused(service: RunningService) -> None:
    refused = service.client.post("/verify", files={"file": ("image", picture())}, data={"seed": "5"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "seed: no such field" in refused.json()["detail"]
    assert service.client.post("/verify?n=1", files={"file": ("image", picture())}).status_code == 422


def test_images_have_no_mark_if_the_operator_switches_it_off(service: RunningService) -> None:
    marked = image_at(service, f"{PLAIN}/5/3.png")
    with service.another_api(IMAGEMILL_MARK="none") as (client, _):
        plain = client.get(f"/images/{PLAIN}/5/3.png").content
        job = client.post("/generate", params={"n": 4, "seed": 5}).json()
        service.wait_done(job["id"])
        stored = client.get(job["links"]["image"].replace("{index}", "3")).content
    assert find_packet(plain) is None
    assert stored == plain
    assert opened(plain).tobytes() == opened(marked).tobytes()
    assert len(marked) - len(plain) <= 650


@pytest.fixture
def styled(service: RunningService, tmp_path: Path) -> Iterator[dict[str, Any]]:
    save_file(vgg19_tensors(), tmp_path / "vgg.safetensors")
    worker = service.start_worker(IMAGEMILL_VGG19=str(tmp_path / "vgg.safetensors"))
    uploaded = service.client.post("/styles", files={"file": ("style", picture())}).json()
    yield {"style": uploaded["id"], "style_steps": 2, "style_strength": 0.5}
    service.end_worker(worker)


def test_a_styled_image_is_equal(service: RunningService, styled: dict[str, Any]) -> None:
    data = image_at(service, f"{PLAIN}/5/3.png", **styled)
    found = verify(service.client, data)
    assert (found["made_here"], found["verdict"]) == (True, "equal"), found
    assert found["address"]["style"]["strength"] == 0.5
    assert service.client.get(found["address"]["url"]).content == data
    packet = (find_packet(data) or b"").replace(styled["style"].encode(), b"0" * 64)
    unknown = verify(service.client, written(opened(data), "WEBP", lossless=True, xmp=packet))
    assert (unknown["made_here"], unknown["verdict"]) == (None, "unknown_style")


def test_a_key_is_required(guarded: Guarded) -> None:
    refused = httpx.post(f"{guarded.service.url}/verify", files={"file": ("image", picture())})
    assert refused.status_code == 401


def test_an_unmarked_job_is_rebuilt_to_the_bit(service: RunningService) -> None:
    with service.another_api(IMAGEMILL_MARK="none") as (client, _):
        job = client.post("/generate", params={"n": 4, "seed": 5}).json()
        service.wait_done(job["id"])
    before = service.download(job["id"])
    spec = json.loads((service.folder / "store" / "jobs" / job["id"] / "spec.json").read_text())
    assert "marking" not in spec
    next((service.folder / "store" / "jobs" / job["id"] / "shards").glob("*.bin")).unlink()
    again = service.client.post(f"/jobs/{job['id']}/rebuild").json()
    assert again["id"] != job["id"]
    service.wait_done(again["id"])
    assert service.download(again["id"]) == before
