"""The files of models over HTTP: what a browser needs to draw images, the card and its pictures."""

import hashlib

import pytest

from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService, wait_until
from tests.integration.test_problems import problem
from tests.tiny import LABELLED, PLAIN

DRAWING = ["engine-1.json", "weights-1.bin"]


@pytest.fixture
def files(service: RunningService) -> RunningService:
    """The service with a card and a picture beside one of its models, and a worker that has stored them."""
    beside = service.folder / "models"
    (beside / f"{LABELLED}.md").write_text("# A card")
    (beside / f"{LABELLED}.png").write_bytes(b"a picture")
    service.start_worker()
    wait_until(lambda: "grid.png" in listed(service, LABELLED) and DRAWING[0] in listed(service, PLAIN))
    return service


def listed(service: RunningService, model: str) -> list[str]:
    return list(service.client.get(f"/models/{model}").json()["files"])


def sha256(service: RunningService, model: str) -> str:
    return str(service.client.get(f"/models/{model}").json()["sha256"])


def test_a_browser_finds_a_model_that_it_can_draw(files: RunningService) -> None:
    assert listed(files, PLAIN) == DRAWING
    assert listed(files, LABELLED) == ["card.md", "engine-1.json", "grid.png", "weights-1.bin"]
    engine = files.client.get(f"/models/{sha256(files, PLAIN)}/engine-1.json")
    assert engine.headers["content-type"] == "application/json"
    assert engine.json()["model"] == sha256(files, PLAIN)
    weights = files.client.get(f"/models/{sha256(files, PLAIN)}/weights-1.bin")
    assert len(weights.content) == 4 * engine.json()["constants"] + 2 * engine.json()["weights"]
    for found in (engine, weights):
        assert found.headers["cache-control"] == "private, max-age=31536000, immutable"
        repeated = files.client.get(str(found.url), headers={"If-None-Match": found.headers["etag"]})
        assert (repeated.status_code, repeated.content) == (304, b"")


def test_a_card_and_its_pictures_are_revalidated(files: RunningService) -> None:
    card = files.client.get(f"/models/{LABELLED}/card")
    assert (card.text, card.headers["content-type"]) == ("# A card", "text/markdown; charset=utf-8")
    picture = files.client.get(f"/models/{LABELLED}/pictures/grid.png")
    assert (picture.content, picture.headers["content-type"]) == (b"a picture", "image/png")
    for found in (card, picture):
        assert found.headers["etag"] == f'"{hashlib.sha256(found.content).hexdigest()}"'
        assert found.headers["cache-control"] == "private, no-cache"
        assert files.client.get(str(found.url), headers={"If-None-Match": found.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{PLAIN}/card", 404, "unknown_model_file"),
        (f"{PLAIN}/pictures/plots.png", 404, "unknown_model_file"),
        (f"{'0' * 64}/engine-1.json", 404, "unknown_model_file"),
        ("nothing/card", 404, "unknown_model"),
        (f"{PLAIN}/pictures/other.png", 422, "invalid_request"),
        (f"{'0' * 64}/card.md", 404, "unknown_model"),
        (f"{'0' * 64}/..%2F..%2Fjobs", 404, "not_found"),
        (f"{PLAIN}/engine-1.json", 404, "unknown_model"),
        (f"{PLAIN}/card?page=2", 422, "invalid_request"),
    ],
)
def test_only_files_with_known_names_are_served(files: RunningService, path: str, status: int, code: str) -> None:
    refused = problem(files.client.get(f"/models/{path}"))
    assert (refused["status"], refused["code"]) == (status, code)


def test_private_weights_stay_on_the_server(files: RunningService) -> None:
    with files.another_api(IMAGEMILL_WEIGHTS="private") as (client, _):
        assert client.get(f"/models/{LABELLED}").json()["files"] == ["card.md", "grid.png"]
        for name in DRAWING:
            refused = problem(client.get(f"/models/{sha256(files, PLAIN)}/{name}"))
            assert (refused["status"], refused["code"]) == (403, "weights_private")
        assert client.get(f"/models/{LABELLED}/card").status_code == 200


def test_with_keys_weights_need_one(guarded: Guarded) -> None:
    client = guarded.service.client
    wait_until(lambda: DRAWING[1] in client.get(f"/models/{PLAIN}").json()["files"])
    path = f"/models/{client.get(f'/models/{PLAIN}').json()['sha256']}/weights-1.bin"
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"Authorization": ""}).status_code == 401
