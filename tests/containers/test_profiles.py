"""The Compose file makes a service on a real engine, and crashes of its containers change no image."""

import json
import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.chromium import chromium_program
from tests.browser.sample_runs import write_runs
from tests.containers.deployment import Deployment, inspect, missing_engine, wait_for

_CADDY = "caddy:2-alpine"
_N = 4000

# The images are built within the first test.
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Images from this checkout, and running containers."""
    reason = missing_engine()
    if reason is not None:
        pytest.skip(f"THE COMPOSE FILE WAS NOT TRIED: {reason}")
    deployment = Deployment(tmp_path_factory.mktemp("deployment"))
    write_runs(deployment.folder / "runs")
    deployment.compose("build", "--quiet")
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.remove()


@pytest.fixture(scope="module")
def expected(deployment: Deployment) -> dict[str, str]:
    """The sha256s of an undisturbed job."""
    images = deployment.images(deployment.post(_N, seed=7))
    assert len(images) == _N
    return images


def test_500_faces_arrive_in_one_request(deployment: Deployment) -> None:
    answer = deployment.client.post("/generate", params={"n": 500}, headers={"Accept": "application/zip"})
    assert answer.is_success
    assert answer.content.count(b"PK\x01\x02") >= 500  # one entry of the central directory for each file


def test_no_container_can_write_or_shows_the_password(deployment: Deployment) -> None:
    for service in ("redis", "api", "worker-cpu"):
        found = inspect(deployment.container(service))
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert found["HostConfig"]["CapDrop"] == ["ALL"]
        assert found["HostConfig"]["Memory"], found["HostConfig"]["PidsLimit"]
        assert "p w/#" not in json.dumps(found)


def test_health_checks_leave_no_line(deployment: Deployment) -> None:
    for service in ("redis", "api", "worker-cpu"):
        wait_for(partial(_is_healthy, deployment, service), 90, f"{service} was not healthy")
    assert "/healthz" not in deployment.compose("logs", "api")


def _is_healthy(deployment: Deployment, service: str) -> bool:
    return bool(inspect(deployment.container(service))["State"]["Health"]["Status"] == "healthy")


def test_the_page_draws_orders_and_shows_runs(deployment: Deployment) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program())
        page = browser.new_page(base_url=f"{deployment.client.base_url}")
        page.set_default_timeout(20_000)
        page.goto("#/play")
        expect(page.locator(".mark")).to_have_text(re.compile("^Exact, cpu-"), timeout=30_000)
        page.goto("#/order?n=40&seed=7")
        page.get_by_role("button", name="Make 40 images").click()
        expect(page).to_have_url(re.compile("#/job/"))
        expect(page.locator(".gallery").first).to_be_visible()
        page.goto("#/runs")
        expect(page.get_by_role("link", name="0 flagship-faces-64")).to_be_visible()
        browser.close()


@pytest.mark.parametrize(
    "services", [("worker-cpu",), ("api",), ("redis",), ("worker-cpu", "api", "redis")], ids=" ".join
)
def test_killed_processes_are_restarted_and_change_no_image(
    deployment: Deployment, expected: dict[str, str], services: tuple[str, ...]
) -> None:
    job = deployment.post(_N, seed=7)
    deployment.wait_for_progress(job)
    deployment.kill(*services)
    assert deployment.images(job) == expected


def test_stopped_containers_continue_after_up(deployment: Deployment, expected: dict[str, str]) -> None:
    job = deployment.post(_N, seed=7)
    deployment.wait_for_progress(job)
    deployment.compose("kill")
    deployment.start()
    assert deployment.images(job) == expected


def test_a_lost_queue_loses_no_job(deployment: Deployment, expected: dict[str, str]) -> None:
    job = deployment.post(_N, seed=7)
    deployment.wait_for_progress(job)
    deployment.compose("down", "--timeout", "1")
    subprocess.run(["docker", "volume", "rm", "imagemill-test_queue"], check=True, capture_output=True)
    deployment.start()
    assert deployment.images(job) == expected


def test_tls_needs_keys_and_then_carries_pages_and_events(deployment: Deployment) -> None:
    image = os.environ.get("CADDY_IMAGE") or _CADDY
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode:
        pytest.skip(f"the image {image} is not on this machine: docker pull {image}")
    deployment.compose("up", "--detach", profiles=("cpu", "tls"))
    wait_for(lambda: "IMAGEMILL_KEYS is empty" in _caddy_log(deployment), 60, "Caddy did not ask for keys")
    added = deployment.compose(
        "run", "--rm", "--no-deps", "api", "imagemill", "keys", "add", "a", "--file", "/data/k.json"
    )
    key = added.split()[-1]
    deployment.variables["IMAGEMILL_KEYS"] = "/data/k.json"
    deployment.compose("up", "--detach", profiles=("cpu", "tls"))
    root = "/data/caddy/pki/authorities/local/root.crt"
    wait_for(lambda: "certificate obtained" in _caddy_log(deployment), 60, "Caddy made no certificate")
    authority = deployment.compose("exec", "-T", "caddy", "cat", root, profiles=("cpu", "tls"))
    with httpx.Client(base_url="https://localhost", verify=ssl.create_default_context(cadata=authority)) as client:
        assert client.get("/").headers["content-type"].startswith("text/html")
        assert client.post("/generate").status_code == 401
        client.headers["Authorization"] = f"Bearer {key}"
        job = client.post("/generate", params={"n": 2000}).raise_for_status().json()["id"]
        with client.stream("GET", f"/jobs/{job}/events", timeout=60) as answer:
            arrived = [time.monotonic() for line in answer.iter_lines() if line.startswith("event: progress")]
        assert arrived[-1] - arrived[0] > 0.2  # one by one, not collected by the proxy


def _caddy_log(deployment: Deployment) -> str:
    return deployment.compose("logs", "caddy", profiles=("cpu", "tls"))
