from typing import Any

import httpx
import pytest

from tests.integration.running_service import MAX_IMAGES, RunningService
from tests.tiny import LABELLED

MAX_SEED = 2**53 - 1
UNKNOWN = "A" * 22


def problem(response: httpx.Response, *more: str) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body = dict(response.json())
    assert body["status"] == response.status_code
    assert body["retryable"] == ("retry-after" in response.headers)
    assert set(body) == {"type", "title", "status", "detail", "instance", "code", "retryable", *more}
    return body


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "n: required"),
        *(
            ({"n": n}, f"n: must be a whole number between 1 and {MAX_IMAGES}, got '{n}'")
            for n in (0, -1, 10**9, "1e9", "many", "1_0", "5.0", " 5", "")
        ),
        ({"n": "9" * 5000}, f"n: must be a whole number between 1 and {MAX_IMAGES}, got '99999"),
        *(
            ({"n": 1, "seed": seed}, f"seed: must be a whole number between 0 and {MAX_SEED}, got '{seed}'")
            for seed in (-1, 2**53, "1e3")
        ),
        ({"n": [5, 6]}, "n: sent more than once"),
        ({"n": 1, "class": ["circle", "cross"]}, "class: sent more than once"),
        ({"n": 1, "model": "mona-lisa"}, "model: must be one of emoji-64, faces-64, labelled, plain, got 'mona-lisa'"),
        ({"n": 1, "class": "circle"}, "class: must be left out, as plain has no classes"),
        ({"n": 1, "model": LABELLED, "class": "oval"}, "class: must be one of circle, cross, zig/zag, got 'oval'"),
        ({"n": 1, "modle": LABELLED}, "modle: no such parameter"),
    ],
)
def test_a_bad_value_is_refused_with_the_limit_and_what_was_sent(
    service: RunningService, query: dict[str, Any], said: str
) -> None:
    body = problem(service.client.post("/generate", params=query))
    assert body["status"] == 422
    assert said in body["detail"]
    assert not body["retryable"]


@pytest.mark.parametrize("seed", [0, MAX_SEED])
def test_the_outermost_seeds_are_taken(service: RunningService, seed: int) -> None:
    assert service.generate(1, seed=seed)["seed"] == seed


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/nowhere", "not_found"),
        (f"/jobs/{UNKNOWN}", "unknown_job"),
        ("/jobs/short", "unknown_job"),
        ("/jobs/..%2F..%2Fetc%2Fpasswd", "not_found"),
        (f"/jobs/{UNKNOWN}/download", "unknown_job"),
        (f"/jobs/{UNKNOWN}/images/0.png", "unknown_job"),
        ("/models/mona-lisa", "unknown_model"),
    ],
)
def test_what_is_not_there_is_not_found(service: RunningService, path: str, code: str) -> None:
    body = problem(service.client.get(path))
    assert (body["status"], body["code"]) == (404, code)


def test_a_wrong_method_is_refused_with_the_right_ones(service: RunningService) -> None:
    response = service.client.get("/generate")
    assert problem(response)["status"] == 405
    assert response.headers["allow"] == "POST"


def test_an_image_beyond_the_job_is_not_found(service: RunningService) -> None:
    job = service.wait_done(service.generate(3)["id"])
    for index in (3, -1):
        body = problem(service.client.get(f"/jobs/{job['id']}/images/{index}.png"))
        assert (body["status"], body["code"]) == (404, "unknown_image")


def test_an_unfinished_job_asks_to_come_back(idle_service: RunningService) -> None:
    job = idle_service.generate(3)
    assert (job["state"], job["done"]) == ("queued", False)
    body = problem(idle_service.client.get(f"/jobs/{job['id']}/images/0.png"))
    assert (body["status"], body["code"], body["retryable"]) == (409, "not_ready", True)


def test_a_service_without_a_live_worker_is_not_ready(idle_service: RunningService) -> None:
    body = problem(idle_service.client.get("/readyz"), "parts")
    assert (body["status"], body["code"]) == (503, "no_worker")
    assert body["detail"] == body["parts"]["worker"] == "no live worker has a model"


def test_the_health_check_of_a_worker_tells_whether_it_lives(idle_service: RunningService) -> None:
    assert idle_service.check_worker() == 1
    idle_service.start_worker()
    assert idle_service.check_worker() == 0


def test_an_ended_job_cannot_be_cancelled(service: RunningService) -> None:
    job = service.wait_done(service.generate(1)["id"])
    body = problem(service.client.post(job["links"]["cancel"]))
    assert (body["status"], body["code"]) == (409, "job_ended")
    assert service.job(job["id"])["state"] == "succeeded"


def test_a_cancelled_job_gives_no_archive(idle_service: RunningService) -> None:
    job = idle_service.generate(1)
    assert idle_service.client.post(job["links"]["cancel"]).json()["state"] == "cancelled"
    body = problem(idle_service.client.get(job["links"]["download"]))
    assert (body["status"], body["code"], body["retryable"]) == (409, "job_cancelled", False)
