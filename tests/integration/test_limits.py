"""Limits of keys: what their owners may have open at a time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.integration.guarded import Guarded
from tests.integration.running_service import wait_until
from tests.integration.test_problems import problem
from tests.tiny import PLAIN


def statuses(answers: list[httpx.Response]) -> Counter[tuple[int, str]]:
    return Counter((answer.status_code, answer.json().get("code", "")) for answer in answers)


def post_at_once(client: httpx.Client, n: int, *urls: str) -> list[httpx.Response]:
    """Post fifty jobs at once, to all the servers in turn."""
    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(lambda k: client.post(f"{urls[k % len(urls)]}/generate", params={"n": n}), range(50)))


@pytest.fixture(scope="module")
def second_url(guarded: Guarded) -> str:
    return guarded.service.start_api()


def test_fifty_requests_at_once_do_not_get_past_the_limit_of_jobs(at_rest: Guarded, second_url: str) -> None:
    client = at_rest.use("many-jobs", **{"max-jobs": 5})
    answers = post_at_once(client, 3, at_rest.service.url, second_url)
    assert statuses(answers) == {(202, ""): 5, (429, "too_many_jobs"): 45}
    for answer in answers:
        assert answer.headers["RateLimit-Policy"] == '"jobs";q=5;qu="jobs"'
    assert sorted(answer.headers["RateLimit"] for answer in answers if answer.is_success) == [
        f'"jobs";r={left}' for left in range(5)
    ]
    refused = next(answer for answer in answers if answer.is_client_error)
    assert problem(refused)["retryable"]
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["RateLimit"] == '"jobs";r=0'


def test_fifty_requests_at_once_do_not_get_past_the_limit_of_images(at_rest: Guarded, second_url: str) -> None:
    client = at_rest.use("many-images", **{"max-images": 1000})
    answers = post_at_once(client, 300, at_rest.service.url, second_url)
    assert statuses(answers) == {(202, ""): 3, (429, "too_many_images"): 47}
    assert client.post("/generate?n=101").json()["code"] == "too_many_images"
    last = client.post("/generate?n=100")
    assert (last.status_code, last.headers["RateLimit"]) == (202, '"images";r=0')
    refused = problem(client.post("/generate?n=1001"))
    assert (refused["status"], refused["code"], refused["retryable"]) == (422, "n_out_of_range", False)
    assert "between 1 and 1000, got '1001'" in refused["detail"]
    assert at_rest.use("alice").post("/generate?n=1001").status_code == 202


def test_limits_survive_a_new_api_and_an_emptied_queue_and_end_with_the_jobs(at_rest: Guarded) -> None:
    client = at_rest.use("patient", **{"max-jobs": 1})
    job = client.post("/generate?n=3").json()
    at_rest.service.restart_api()
    lost = [*at_rest.service.redis.keys("rq:*"), *at_rest.service.redis.keys("imagemill:progress:*")]
    at_rest.service.redis.delete(*lost)
    wait_until(lambda: client.get("/healthz").is_success)
    assert client.post("/generate?n=3").json()["code"] == "too_many_jobs"
    assert client.post(job["links"]["cancel"]).status_code == 200
    assert client.post("/generate?n=3").status_code == 202


def test_rendered_images_do_not_count_any_more(guarded: Guarded) -> None:
    client = guarded.use("eager", **{"max-images": 300})
    job = client.post("/generate?n=300", headers={"Prefer": "wait=60"}).json()
    assert job["state"] == "succeeded"
    assert client.post("/generate?n=300").status_code == 202


def test_single_images_do_not_count_and_do_not_wait_for_the_jobs_of_their_owner(guarded: Guarded) -> None:
    client = guarded.use("single", **{"max-jobs": 1, "max-images": 20_000})
    job = client.post("/generate?n=20000").json()
    assert client.post("/generate?n=1").json()["code"] == "too_many_jobs"
    assert {client.get(f"/images/{PLAIN}/9/{k}.png").status_code for k in range(20)} == {200}
    assert not client.get(f"/jobs/{job['id']}").json()["done"]
    client.post(job["links"]["cancel"])
    assert client.post("/generate?n=1").status_code == 202


def test_a_crowd_of_one_owner_does_not_hold_up_another(at_rest: Guarded) -> None:
    crowd, client = at_rest.use("crowd", **{"max-jobs": 1}), at_rest.use("alice")
    with ThreadPoolExecutor(200) as pool:
        asked = [pool.submit(crowd.post, "/generate?n=1") for _ in range(2000)]
        wait_until(lambda: asked[0].done())
        before = sum(request.done() for request in asked)
        for _ in range(3):
            assert client.get("/models").status_code == 200
        meanwhile = sum(request.done() for request in asked) - before
        pool.shutdown(cancel_futures=True)
    assert statuses([request.result() for request in asked if not request.cancelled()])[202, ""] == 1
    assert meanwhile < 100  # who stands in one line with two hundred others, and so three times, waits for more
