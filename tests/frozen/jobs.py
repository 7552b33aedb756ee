"""The jobs of the frozen service: one of each kind, always the same."""

import io
import signal
from dataclasses import dataclass
from typing import Any, get_args

import httpx

from tests.frozen.service import Service
from tests.integration.running_service import wait_until
from tests.tiny import LABELLED, PLAIN, picture
from worker.contracts.formats import Format

IDEMPOTENCY_KEY = "frozen"
ADDRESS = "/images/faces-64/7/3.png"
FORMATS = get_args(Format)
TINY, SHIPPED = (PLAIN, LABELLED), ("emoji-64", "faces-64")
_LOOK = {"style_steps": 2}


@dataclass(frozen=True)
class Jobs:
    """Jobs that have ended."""

    by_kind: dict[str, str]
    """Ids by what is special about the job."""
    archives: dict[tuple[str, str, str], str]
    """Ids of jobs that have succeeded, by model, format and kind of style."""
    style: str
    """The style that some of them took."""

    def placeholders(self) -> dict[str, str]:
        """Name each job by its kind."""
        kinds = {job: f"<{kind} job>" for kind, job in self.by_kind.items()}
        return kinds | dict.fromkeys(self.archives.values(), "<archived job>")


def run_all(service: Service) -> Jobs:
    """Run a job of each kind, and wait until the service has settled all of them."""
    style = upload(service.client, 1)
    upload(service.owner, 3)
    cancelled = cancel_waiting(service)
    made = Jobs(
        archives=archives(service, style),
        by_kind={
            "addressed": render_address(service, style),
            "cancelled": cancelled,
            "failed": fail(service),
            "long": succeed(service, service.generate(300, seed=7, model=LABELLED, name="eyes")),
            "named": succeed_under_key(service),
            "owned": succeed_for_owner(service, 3),
            "owned_long": succeed_for_owner(service, 300),
        },
        style=style,
    )
    wait_until(lambda: not any(service.store("open")))
    plans = [*(service.folder / "store" / "jobs").glob("*/archive.json")]
    wait_until(lambda: all(plan.with_name("digest.json").exists() for plan in plans))
    return made


def archives(service: Service, style: str) -> dict[tuple[str, str, str], str]:
    """Run jobs of each format of each model, and of each kind of style."""
    plain = [(model, kind, "plain") for model in (*TINY, *SHIPPED) for kind in FORMATS]
    styled = [("faces-64", "png", mode) for mode in ("standard", "distilled")]
    waiting = {asked: generate_archive(service, *asked, style) for asked in (*plain, *styled)}
    return {asked: succeed(service, job) for asked, job in waiting.items()}


def generate_archive(service: Service, model: str, kind: str, mode: str, style: str) -> dict[str, Any]:
    """Ask for five images. The first is number 14, so that they lie in two batches."""
    look = {} if mode == "plain" else {"style": style, "style_mode": mode, **_LOOK}
    return service.generate(5, seed=7, start=14, model=model, format=kind, **look)


def succeed(service: Service, job: dict[str, Any]) -> str:
    """Wait for a job that must succeed. Returns its id."""
    ended = service.wait_done(job["id"])
    assert ended["state"] == "succeeded", ended
    return str(ended["id"])


def upload(client: httpx.Client, seed: int) -> str:
    """Upload a picture. Returns the id of the style."""
    file = io.BytesIO()
    picture(seed).save(file, "PNG")
    return str(client.post("/styles", files={"file": file.getvalue()}).raise_for_status().json()["id"])


def cancel_waiting(service: Service) -> str:
    """Cancel a job of which no worker has begun a shard."""
    (worker,) = service.workers
    worker.send_signal(signal.SIGSTOP)
    job = service.generate(3)
    assert service.client.post(job["links"]["cancel"]).json()["state"] == "cancelled"
    worker.send_signal(signal.SIGCONT)
    return str(job["id"])


def fail(service: Service) -> str:
    """Run a job whose style has lost its picture."""
    style = upload(service.client, 2)
    (service.folder / "store" / "styles" / style / "picture.png").unlink()
    job = service.wait_done(service.generate(2, style=style, **_LOOK)["id"])
    assert job["error"]["code"] == "artifact_damaged", job
    return str(job["id"])


def succeed_for_owner(service: Service, n: int) -> str:
    """Run a job of the owner of a key. Returns its id."""
    job = service.owner.post("/generate", params={"n": n, "seed": 7}).raise_for_status().json()["id"]
    wait_until(lambda: service.owner.get(f"/jobs/{job}").json()["state"] == "succeeded")
    return str(job)


def render_address(service: Service, style: str) -> str:
    """Ask for two images by address: one without a style, and a styled one. Returns the job of the latter."""
    before = set(service.store("jobs"))
    service.client.get(ADDRESS).raise_for_status()
    service.client.get(ADDRESS, params={"style": style, **_LOOK}).raise_for_status()
    (made,) = set(service.store("jobs")) - before
    return made


def succeed_under_key(service: Service) -> str:
    """Run a job under an idempotency key."""
    query: dict[str, str | int] = {"n": 3, "seed": 7, "model": PLAIN}
    answer = service.client.post("/generate", params=query, headers={"Idempotency-Key": IDEMPOTENCY_KEY})
    return succeed(service, answer.raise_for_status().json())
